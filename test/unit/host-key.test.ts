/** What is said of a host that cannot make its key; that hosts make theirs is tested on real ones. */

import { expect, test } from 'vitest';
import type { PlannedHost, Run } from '../../src/engine/intent.ts';
import { withHostKey } from '../../src/engine/steps/host-key.ts';
import type { HostProgress } from '../../src/runtime.ts';
import { factsOf } from '../support/host-facts.ts';

/** A host of these facts where no key can be made, and the scripts that it gets. */
function keyless(login: string, more: Record<string, string>) {
  const scripts: string[] = [];
  const session = {
    login: { destination: '10.0.0.1', user: login },
    run: async ({ script }: { script: string }) => {
      scripts.push(script);
      return { status: 3, stdout: Buffer.alloc(0), stderr: 'openssl is not installed\n' };
    },
  };
  const prepared = { spec: { name: 'build-1', keyType: 'p256' }, session, facts: factsOf(more) };
  const context = { runtime: {} } as unknown as Run;
  const progress = { phase: () => {} } as unknown as HostProgress;
  const work = () => Promise.reject(new Error('it has no key'));
  return { scripts, made: withHostKey(prepared as unknown as PlannedHost, context, progress, work) };
}

test('without openssl: hints that every command can be followed by, rotate included', async () => {
  const { scripts, made } = keyless('root', { os: 'ID=fedora\n' });
  await expect(made).rejects.toMatchObject({
    code: 'E_HOST_KEY',
    exit: 4,
    hints: [
      'ssh root@10.0.0.1 dnf install -y openssl',
      'or let the key be made here: docker-tls setup build-1 --keys store',
      'in a fleet file: keys: store',
    ],
  });
  // The directory of the key goes, whatever became of it.
  expect(scripts.at(-1)).toMatch(/^rm -rf -- \/run\/docker-tls-key-[0-9a-f]{12}$/);
});

test("a user's own Docker: the key waits in the user's directory in memory, and nothing is looked for in that of root", async () => {
  const { scripts, made } = keyless('ann', { kind: 'rootless', home: '/home/ann', run: '/run/user/1000' });
  await expect(made).rejects.toMatchObject({ code: 'E_HOST_KEY' });
  expect(scripts.at(-1)).toMatch(/^rm -rf -- \/run\/user\/1000\/docker-tls-key-[0-9a-f]{12}$/);
  expect(scripts.join('\n').match(/\/run(?!\/user\/1000)/g)).toBeNull();
});
