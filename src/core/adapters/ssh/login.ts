/** The login of a connection, for commands to paste. */

import { given } from '../../domain/given.ts';
import type { Login } from '../../domain/quote.ts';
import type { SshOptions } from '../../runtime.ts';

/** The login of `user` with these options: only requested options. */
export function loginOf(
  { destination, port, identities, configFile, jump, rootless }: SshOptions,
  user: string,
): Login {
  return { destination, user, ...given({ port, identities, configFile, jump, rootless }) };
}
