/** Messages about a host that cannot make its key. Tests on real hosts cover those that can. */

import { expect, test } from 'vitest';
import { userPlaces } from '../../../../src/core/domain/dockerd/paths.ts';
import type { HostProgress, Runtime } from '../../../../src/core/runtime.ts';
import { withHostKey } from '../../../../src/features/host-csr/engine/host-key.ts';
import { factsOf } from '../../../support/host-facts.ts';

test("where the daemon is a user's own, its key waits in that user's directory in memory", async () => {
  const scripts: string[] = [];
  const session = {
    login: { destination: '10.0.0.1', user: 'rooty', rootless: true },
    run: async ({ script }: { script: string }) => {
      scripts.push(script);
      return { status: 5, stdout: Buffer.alloc(0), stderr: '' };
    },
  };
  const facts = { ...factsOf(), places: userPlaces('/home/rooty', '/run/user/1004') };
  const prepared = { spec: { name: 'build-1', keyType: 'p256' }, session, facts } as unknown as Parameters<
    typeof withHostKey
  >[0];
  const progress = { phase: () => {} } as unknown as HostProgress;
  const work = () => Promise.reject(new Error('it has no key'));
  await expect(withHostKey(prepared, {} as unknown as Runtime, progress, work)).rejects.toThrow();
  expect(scripts.join('\n')).not.toMatch(/\/run\/docker-tls|find \/run /);
  expect(scripts.at(-1)).toMatch(/^rm -rf -- \/run\/user\/1004\/docker-tls-key-[0-9a-f]{12}$/);
});

test('without openssl: hints that every command can be followed by, rotate included', async () => {
  const scripts: string[] = [];
  const session = {
    login: { destination: '10.0.0.1', user: 'root' },
    run: async ({ script }: { script: string }) => {
      scripts.push(script);
      return { status: 3, stdout: Buffer.alloc(0), stderr: 'openssl is not installed\n' };
    },
  };
  const facts = factsOf({ os: 'ID=fedora\n' });
  const prepared = { spec: { name: 'build-1', keyType: 'p256' }, session, facts } as unknown as Parameters<
    typeof withHostKey
  >[0];
  const context = {} as unknown as Runtime;
  const progress = { phase: () => {} } as unknown as HostProgress;
  const work = () => Promise.reject(new Error('it has no key'));
  await expect(withHostKey(prepared, context, progress, work)).rejects.toMatchObject({
    code: 'E_HOST_KEY',
    exit: 4,
    hints: expect.arrayContaining([
      'ssh root@10.0.0.1 dnf install -y openssl',
      expect.toSay('let-key-made', 'docker-tls setup build-1 --keys store'),
    ]),
  });
  // The key's directory is removed after any outcome.
  expect(scripts.at(-1)).toMatch(/^rm -rf -- \/run\/docker-tls-key-[0-9a-f]{12}$/);
});
