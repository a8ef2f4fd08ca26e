/** Owns `client list`: who can reach what. Reads the store; asks no host. */

import { storeOf } from '../../actions/store.ts';
import { type ClientAccess, clientAccess } from '../../domain/trust/client-hosts.ts';
import { type OutdatedCopy, outdatedCopies } from '../../domain/trust/handed-out.ts';
import { dateWords } from '../../domain/words.ts';
import { type CommandResult, defineCommand } from '../command.ts';
import { type Colours, coloursOf } from '../render/colours.ts';
import { renderTable } from '../render/table.ts';

export const command = defineCommand({
  name: 'client list',
  withoutFleet: true,
  summary: 'Who can reach what',
  about:
    'HOSTS are those whose trust file accepts the client. Where the records say something else already, a line below tells so.\nKEY says whether the private key is in this store, or on another computer.',
  examples: ['docker-tls client list', 'docker-tls client list --json'],
  args: {},
  options: {},
  async run({ global, runtime }) {
    const state = await storeOf({ global, runtime }).read();
    const clients = clientAccess(state, runtime.now()).map((client) => {
      const stored = client.state === 'revoked' ? undefined : state.clients.get(client.name);
      return { ...client, outdated: stored === undefined ? [] : outdatedCopies(stored) };
    });
    return {
      exit: 0,
      result: { clients: clients.map((client) => ({ ...client, notAfter: client.notAfter.toISOString() })) },
      ...(clients.length === 0
        ? { text: 'There is no client yet. Make one with:', next: ['docker-tls client add NAME'] }
        : renderClients(clients, coloursOf(runtime.io), runtime.io.columns)),
    };
  },
});

type Listed = ClientAccess & { readonly outdated: readonly OutdatedCopy[] };

function renderClients(
  clients: readonly Listed[],
  colours: Colours,
  columns: number,
): Pick<CommandResult, 'text' | 'next'> {
  const tone = (client: ClientAccess) =>
    client.state === 'ok'
      ? colours.green
      : client.state === 'revoked'
        ? colours.dim
        : client.state === 'due'
          ? colours.yellow
          : colours.red;
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
      { text: client.daysLeft, style: tone(client) },
      { text: client.imported ? `${client.state}, imported` : client.state, style: tone(client) },
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
