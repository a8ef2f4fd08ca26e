/** Hosts dropped from the store. */

import type { ForgottenHost } from '../actions/forget.ts';
import { listWords, plural } from '../domain/words.ts';

/** The dropped entries, and the effect on a host that still runs. */
export function renderForgotten(hosts: readonly ForgottenHost[], verb: string): string {
  return hosts
    .flatMap(({ host, address, clients, contexts }) => [
      `${host} (${address}): ${verb} its certificate, key and record here`,
      ...(contexts.length > 0
        ? [
            `  ${verb} the docker ${contexts.length === 1 ? 'context' : 'contexts'} ${listWords(contexts, 12)}, which pointed to it`,
          ]
        : []),
      clients.length === 0
        ? '  not contacted: if it still runs, it is unchanged'
        : `  not contacted: if it still runs, it still accepts ${listWords(clients, 8)} (${plural(clients.length, 'client')})`,
    ])
    .join('\n');
}
