/** Commands that give a client new credentials, on this computer or at its issuer. */

import { asWritten, type Hint } from '../../../errors/errors.ts';
import { offeredCommands } from '../../seams/offered-commands.ts';
import { shellQuote } from '../quote.ts';

export type Holder = {
  /** The client's name in our store, for commands. */
  readonly client: string;
  /** Its host was set up from another store: that store's computer must run commands that change it, and issues new credentials. */
  readonly external?: boolean | undefined;
  /** The client's key was generated on this computer and never left it: new credentials need a request. */
  readonly ownKey?: boolean | undefined;
  /** The CA of the host's credentials has expired and cannot renew anything. */
  readonly caExpired?: boolean | undefined;
};

/** A command that changes the host: on this computer, or on the one that set it up. */
export function owners({ external }: Pick<Holder, 'external'>, command: string): Hint {
  return external ? asWritten(`on the computer that set it up: ${command}`) : command;
}

/** Commands for new credentials. */
export function newCredentials(holder: Holder): Hint[] {
  const { client, external, ownKey, caExpired } = holder;
  const name = shellQuote(client);
  const renew = `docker-tls rotate client ${name}`;
  if (!external) return caExpired ? offeredCommands('new CA') : [renew];
  const first = caExpired ? offeredCommands('new CA').map((one) => owners(holder, one)) : [];
  const file = shellQuote(`${client}.tar`);
  const request = shellQuote(`${client}.csr`);
  if (ownKey)
    return [
      ...first,
      ...offeredCommands('request', name, '--out', request),
      ...offeredCommands('signature', request, '--out', file).map((one) => owners(holder, one)),
      ...offeredCommands('import', file),
    ];
  return [
    ...first,
    owners(holder, [renew, ...offeredCommands('export', name, '--out', file)].join(' && ')),
    ...offeredCommands('import', file),
  ];
}
