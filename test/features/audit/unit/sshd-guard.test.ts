/** Changes of sshd's settings never end sshd: a setting that sshd rejects is rolled back before the reload. The real script, as root. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PARTS } from '../../../../src/core/domain/plan/change-parts.ts';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { AUDIT_PARTS } from '../../../../src/features/audit/engine/change-parts.ts';
import { change, factsOfTree, planOf, Sandbox, transactionOf } from '../../../support/host-sandbox.ts';

beforeAll(() => {
  PARTS.push(...AUDIT_PARTS);
});
afterAll(() => {
  PARTS.splice(-AUDIT_PARTS.length);
});

const DROP_IN = '/etc/ssh/sshd_config.d/00-docker-tls.conf';

test.skipIf(process.getuid?.() !== 0).each([
  ['does not accept is taken back, and sshd is not told', 'echo "Bad configuration option" >&2; exit 255', false],
  ['accepts reaches it', 'exit 0', true],
])('what sshd %s', (_, sshd, accepted) => {
  const box = new Sandbox(['dash']);
  try {
    box.stub('sshd', sshd);
    const file = change(DROP_IN, { kind: 'file', mode: 0o600, uid: 0, content: 'PermitRootLogin no\n' });
    const { script, input } = transactionOf(planOf([file], { reloads: ['sshd'] }), factsOfTree(new Map()));
    const bytes = Buffer.concat(input.map((part) => (part instanceof Secret ? part.reveal() : part)));
    const printed = box.run(script, bytes);
    expect(printed).toContain(accepted ? '@result switched' : '@result rolled-back');
    expect(box.told().some((line) => /^restart ssh/.test(line))).toBe(accepted);
    expect(existsSync(join(box.directory, DROP_IN.slice(1)))).toBe(accepted);
  } finally {
    box.remove();
  }
});
