/** The login of a connection, for commands to paste. */

import type { Login } from '../../domain/quote.ts';
import type { SshOptions } from '../../runtime.ts';

/** The login of `user` with these options: only requested options. */
export function loginOf(
  { destination, port, identities, configFile, jump, rootless }: SshOptions,
  user: string,
): Login {
  const requested = { port, identities, configFile, jump, rootless };
  return {
    destination,
    user,
    ...Object.fromEntries(Object.entries(requested).filter(([, value]) => value !== undefined)),
  };
}
