/** Output of a docker-machine import. */

import type { CommandResult } from '../../../cli/command.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { Around } from '../../../core/render/change.ts';
import type { Imported } from '../actions/import-docker-machine.ts';

export function renderTakenOver(taken: Imported, { global }: Around): CommandResult {
  const hosts = taken.hosts.map((host) => host.record.name);
  const clients = taken.clients.map((client) => client.name);
  const text =
    hosts.length === 0
      ? 'nothing was taken over'
      : [
          `${global.dryRun ? 'would take over' : 'taken over'}: ${hosts.join(', ')}`,
          "docker-machine's CA stays trusted until `rotate ca` drops it: with the next apply its client gets into every host of this store.",
          ...clients.map((name) => `It is the client ${name}; \`client revoke ${name}\` ends that.`),
        ].join('\n');
  const next =
    hosts.length === 0 ? [] : [`docker-tls apply ${hosts.map(shellQuote).join(' ')}`, 'docker-tls rotate ca'];
  const result = { hosts, cas: taken.oldCas.length, clients, dryRun: global.dryRun };
  const errors = [...taken.problems, ...taken.copies];
  // Imported hosts are done whatever happened to the others, so the status must not say that nothing changed.
  const partly = errors.length > 0 && hosts.length > 0 && !global.dryRun;
  return { exit: partly ? 4 : 0, result, text, next, errors };
}
