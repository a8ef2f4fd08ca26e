/** Audit of a user's own daemon; hardening refuses it. */

import { expect, test } from 'vitest';
import type { HostSpec } from '../../../../src/core/domain/settings.ts';
import type { HostSession, Runtime } from '../../../../src/core/runtime.ts';
import { parseAuditFacts } from '../../../../src/features/audit/domain/audit-facts.ts';
import { hardenOpened } from '../../../../src/features/audit/engine/harden-host.ts';

const login = { destination: 'h1', user: 'rooty', rootless: true } as const;

test.each([
  ['1004:1004', { uid: 0, user: 'root', group: 'root' }, false],
  // In an audit by root, another user's file still belongs to another user.
  [undefined, { uid: 1004, user: 'rooty', group: 'rooty' }, true],
])('for the audit by %s, what belongs to that user belongs to root', (owner, expected, socket) => {
  const nonce = '0123456789abcdef0123456789abcdef';
  const path = '/home/rooty/.config/docker/tls/current/server-key.pem';
  const api = '/run/user/1004/docker.sock';
  const sections = {
    ...(owner === undefined ? {} : { owner }),
    files: `8100 1004 1004 rooty rooty 227 ${path}\0c1b0 1004 99 rooty UNKNOWN 0 ${api}\0`,
    'api-socket': api,
    done: '',
  };
  const text = Object.entries(sections).map(([name, content]) => `${content}\n--${nonce} ${name}\n`);
  const { files } = parseAuditFacts(Buffer.from(`docker-tls-audit 1 ${nonce}\n${text.join('')}`));
  expect(files.get(path)).toMatchObject(expected);
  expect(files.has(api)).toBe(socket);
});

test('harden is refused', async () => {
  const session = { login } as unknown as HostSession;
  const spec = { name: 'h1' } as unknown as HostSpec;
  const wanted = { entries: [], known: [], leadsTo: [] } as unknown as Parameters<typeof hardenOpened>[2];
  const runtime = {} as unknown as Runtime;
  await expect(hardenOpened({ session }, spec, wanted, runtime)).rejects.toMatchObject({
    code: 'E_HARDEN_ROOTLESS',
    exit: 2,
  });
});
