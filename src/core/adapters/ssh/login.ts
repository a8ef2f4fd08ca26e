/** The login of a connection as commands to paste have it. */

import type { Login } from '../../domain/quote.ts';
import type { SshOptions } from '../../runtime.ts';

/** How `user` logs in by these options: only what was asked for. */
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
