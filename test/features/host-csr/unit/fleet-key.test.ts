/** The hint of a host that cannot make its key, with the key of the fleet file. */

import { expect, test } from 'vitest';
import type { HostProgress, Runtime } from '../../../../src/core/runtime.ts';
import { withHostKey } from '../../../../src/features/host-csr/engine/host-key.ts';
import '../../../../src/features/fleet/feature.ts';
import { factsOf } from '../../../support/host-facts.ts';

test('a host that cannot make its key', async () => {
  const run = async () => ({ status: 3, stdout: Buffer.alloc(0), stderr: 'openssl is not installed\n' });
  const session = { login: { destination: '10.0.0.1', user: 'root' }, run };
  const prepared = { spec: { name: 'build-1', keyType: 'p256' }, session, facts: factsOf({ os: 'ID=fedora\n' }) };
  const progress = { phase: () => {} } as unknown as HostProgress;
  const work = () => Promise.reject(new Error('it has no key'));
  await expect(
    withHostKey(prepared as unknown as Parameters<typeof withHostKey>[0], {} as unknown as Runtime, progress, work),
  ).rejects.toMatchObject({ hints: expect.arrayContaining([expect.toSay('key-in-store')]) });
});
