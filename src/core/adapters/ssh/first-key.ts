/** Each host's first key in a run, required on all later connections of the run. */

import { wayOf } from '../../domain/destination.ts';
import type { Connect, HostKey, Runtime } from '../../runtime.ts';
import { requireFirstKey } from './host-key.ts';

/** Wraps `connect`: later connections to the same place must show the first one's key. Also fails with E_SSH_OTHER_HOST. */
export function heldToFirstKey(connect: Connect): Pick<Runtime, 'connect' | 'forgetFirstKeys'> {
  const first = new Map<string, HostKey>();
  const held: Connect = async (options) => {
    // Without a port, ssh's configuration may name a port other than 22.
    const way = JSON.stringify([wayOf(options), options.port ?? null]);
    const session = await connect({ ...options, firstKey: first.get(way) });
    const { hostKey } = session;
    if (hostKey === undefined) return session;
    // A connection started at the same time may have finished first; then neither had a key to compare with.
    const firstKey = first.get(way);
    if (firstKey === undefined) {
      first.set(way, hostKey);
      return session;
    }
    try {
      requireFirstKey({ ...options, firstKey }, Buffer.from(hostKey.base64, 'base64'));
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  };
  return { connect: held, forgetFirstKeys: () => first.clear() };
}
