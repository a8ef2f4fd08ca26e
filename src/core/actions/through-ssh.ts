/** The note about hosts whose TLS port this machine reaches only through ssh, for output that dials the port directly. */

import type { StoreState } from '../adapters/store/records.ts';
import { shellQuote } from '../domain/quote.ts';
import { offeredCommands } from '../seams/offered-commands.ts';
import type { ActionContext } from './action-context.ts';

export function noteThroughSsh({ progress }: ActionContext, { hosts }: StoreState, names: readonly string[]): void {
  for (const name of names.filter((one) => hosts.get(one)?.record.reach === 'ssh')) {
    const instead = offeredCommands('tunnel', shellQuote(name)).map((command) => `; here, use ${command}`);
    progress.note(`${name}: this machine reaches the TLS port through ssh only (--reach ssh)${instead.join('')}`);
  }
}
