/** The key that each host showed first in a run, which all later connections of the run have to show. */

import { wayOf } from '../../domain/destination.ts';
import type { Connect, HostKey, Runtime } from '../../runtime.ts';
import { requireFirstKey } from './host-key.ts';

/** The same connections, each held to the key of the first one to the same place. They fail with E_SSH_OTHER_HOST as well. */
export function heldToFirstKey(connect: Connect): Pick<Runtime, 'connect' | 'forgetFirstKeys'> {
  const first = new Map<string, HostKey>();
  const held: Connect = async (options) => {
    // Without a port, ssh's configuration may name another than 22.
    const way = JSON.stringify([wayOf(options), options.port ?? null]);
    const session = await connect({ ...options, firstKey: first.get(way) });
    const { hostKey } = session;
    if (hostKey === undefined) return session;
    // One that began together with this one may have been the first; then neither had a key to be held to.
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
