/** Parallel connections to one destination: all must reach the same host. */

import { expect, test, vi } from 'vitest';
import { heldToFirstKey } from '../../../src/core/adapters/ssh/first-key.ts';
import { hostKeyOf } from '../../../src/core/adapters/ssh/known-hosts.ts';
import type { HostKey, HostSession, SshOptions } from '../../../src/core/runtime.ts';
import { makeKey } from '../../support/ssh-server.ts';

const keyOf = () => hostKeyOf(Buffer.from(makeKey().publicKey.split(' ')[1] ?? '', 'base64'));
const options = { host: 'web', destination: 'web' } as SshOptions;

function sessions(...keys: readonly HostKey[]) {
  const close = vi.fn(async () => {});
  const left = [...keys];
  const held = heldToFirstKey(async () => {
    const hostKey = left.shift();
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { hostKey, close } as unknown as HostSession;
  });
  return { ...held, close };
}

test('the second of two that began together, with another key, is closed and refused', async () => {
  const { connect, close } = sessions(keyOf(), keyOf());
  const [first, second] = await Promise.allSettled([connect(options), connect(options)]);
  expect(first.status).toBe('fulfilled');
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'E_SSH_OTHER_HOST' } });
  expect(close).toHaveBeenCalledTimes(1);
});

test('two with one key are not, nor is another place', async () => {
  const key = keyOf();
  const { connect, close } = sessions(key, key, keyOf());
  await Promise.all([connect(options), connect(options)]);
  await connect({ ...options, port: 22 });
  expect(close).not.toHaveBeenCalled();
});
