/** The list of clients, as text and JSON. */

import type { CommandResult } from '../../cli/command.ts';
import { printable } from '../../errors/errors.ts';
import type { ListedClient, ListedClients } from '../actions/client-list.ts';
import { otherCaWords } from '../domain/other-ca.ts';
import { dateWords, listWords } from '../domain/words.ts';
import type { Around } from './change.ts';
import { type Colours, coloursOf, toneOf } from './colours.ts';
import { renderTable } from './table.ts';

export function renderClientList({ clients, otherCas }: ListedClients, { runtime: { io } }: Around): CommandResult {
  const result = { clients, otherCas };
  const others = otherCas.map((ca) => `${printable(otherCaWords(ca))} is accepted by ${listWords(ca.hosts, 12)}`);
  const { text, next } =
    clients.length > 0
      ? renderClients(clients, coloursOf(io), io.columns)
      : { text: 'There is no client yet. Make one with:', next: ['docker-tls client add NAME'] };
  return { exit: 0, result, text: [...(clients.length > 0 ? [text, ...others] : [...others, text])].join('\n'), next };
}

function renderClients(
  clients: readonly ListedClient[],
  colours: Colours,
  columns: number,
): Pick<CommandResult, 'text' | 'next'> {
  const table = renderTable(
    [
      { title: 'CLIENT' },
      { title: 'EXPIRES' },
      { title: 'DAYS', align: 'right' },
      { title: 'STATE' },
      { title: 'HOSTS', shrinkTo: 16 },
      { title: 'KEY' },
      { title: 'CONTEXTS', shrinkTo: 10 },
    ],
    clients.map((client) => [
      client.name,
      dateWords(client.notAfter),
      { text: client.daysLeft, style: toneOf(client.state, colours) },
      { text: client.imported ? `${client.state}, imported` : client.state, style: toneOf(client.state, colours) },
      client.everywhere ? `all ${client.hosts.length}` : client.hosts.join(', ') || 'none',
      client.key,
      [...client.contexts, ...(client.configDirectory ? ['(config directory)'] : [])].join(', '),
    ]),
    { columns, titleStyle: colours.dim },
  );
  const outdated = [...new Set(clients.flatMap((client) => [...client.toAdd, ...client.toDrop]))].sort();
  const copies = clients.flatMap(({ name, outdated }) =>
    outdated.map(({ what, renew }) => `${name}, an old certificate is in ${what}: ${renew}`),
  );
  if (outdated.length === 0) return { text: [table, ...copies].join('\n') };
  const lines = clients.flatMap((client) => [
    ...(client.toAdd.length > 0 ? [`${client.name} is not accepted yet by ${client.toAdd.join(', ')}`] : []),
    ...(client.toDrop.length > 0 ? [`${client.name} is still accepted by ${client.toDrop.join(', ')}`] : []),
  ]);
  return { text: [table, ...copies, ...lines].join('\n'), next: [`docker-tls apply ${outdated.join(' ')}`] };
}
