/** The key that each host showed first in a run, which all later connections of the run have to show. */

import { wayOf } from '../../domain/destination.ts';
import type { Connect, HostKey } from '../../runtime.ts';

/** The same connections, each held to the key of the first one to the same place. They fail with E_SSH_OTHER_HOST as well. */
export function heldToFirstKey(connect: Connect): Connect {
  const first = new Map<string, HostKey>();
  return async (options) => {
    const way = wayOf(options);
    const session = await connect({ ...options, firstKey: first.get(way) });
    if (session.hostKey !== undefined && !first.has(way)) first.set(way, session.hostKey);
    return session;
  };
}
