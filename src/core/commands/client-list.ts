/** `client list`: clients and their hosts. Reads only the store. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { printable } from '../../errors/errors.ts';
import { storeOf } from '../actions/open-store.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { type OtherCa, otherCaWords } from '../domain/other-ca.ts';
import { type ClientAccess, clientAccess } from '../domain/trust/client-hosts.ts';
import { type OutdatedCopy, outdatedCopies } from '../domain/trust/handed-out.ts';
import { otherCas, ourFingerprints } from '../domain/trust/other-cas.ts';
import { FULL_ROLE } from '../domain/trust/view.ts';
import { dateWords, listWords } from '../domain/words.ts';
import { type Colours, coloursOf, toneOf } from '../render/colours.ts';
import {
  type OtherCaDocument,
  type OutdatedCopyDocument,
  otherCaDocument,
  outdatedCopyDocument,
} from '../render/documents.ts';
import { renderTable } from '../render/table.ts';
import { COPIES } from '../seams/copies.ts';

export type ClientListDocument = {
  readonly clients: readonly ListedClientDocument[];
  /** CAs outside the store, with the hosts that accept each of their clients. */
  readonly otherCas: readonly (OtherCaDocument & { readonly hosts: readonly string[] })[];
};

type ListedClientDocument = {
  readonly name: string;
  readonly notAfter: Date;
  readonly daysLeft: number;
  readonly state: 'ok' | 'due' | 'expired' | 'not-yet-valid' | 'revoked';
  readonly serial: string;
  /** What it may do on hosts whose listener is not dockerd itself. */
  readonly role: string;
  /** Hosts that accept it now. */
  readonly hosts: readonly string[];
  /** `hosts` is all hosts. */
  readonly everywhere: boolean;
  /** Hosts that accept it only after `apply`, and those that reject it only then. */
  readonly toAdd: readonly string[];
  readonly toDrop: readonly string[];
  /** `external`: the key is on another computer. */
  readonly key: 'here' | 'external';
  /** Issued by another store. */
  readonly imported: boolean;
  /** Docker contexts of this machine that have its files. */
  readonly contexts: readonly string[];
  /** The Docker config directory has its files. */
  readonly configDirectory: boolean;
  readonly revokedAt?: string;
  /** Copies that hold an old certificate. */
  readonly outdated: readonly OutdatedCopyDocument[];
};

export const command = defineCommand({
  scope: ['store'],
  about:
    'HOSTS are those whose trust file accepts the client. Where the records say something else already, a line below tells so.\nKEY says whether the private key is in this store, or on another computer.',
  examples: ['docker-tls client list', 'docker-tls client list --json'],
  args: {},
  options: {},
  async run(context): Promise<CommandResult<ClientListDocument>> {
    const { io, now: clock } = context.runtime;
    const state = await storeOf(context).read();
    const now = clock();
    const clients = clientAccess(state, now).map((client) => {
      const stored = client.state === 'revoked' ? undefined : state.clients.get(client.name);
      return { ...client, outdated: stored === undefined ? [] : outdatedCopies(stored) };
    });
    const listed = casByHost(state, now);
    const others = listed.map((ca) => `${printable(otherCaWords(ca))} is accepted by ${listWords(ca.hosts, 12)}`);
    const result = {
      clients: clients.map(listedClientDocument),
      otherCas: listed.map((ca) => ({ ...otherCaDocument(ca), hosts: ca.hosts })),
    };
    if (clients.length === 0) {
      const text = [...others, 'There is no client yet. Make one with:'].join('\n');
      return { exit: 0, result, text, next: ['docker-tls client add NAME'] };
    }
    const { text, next } = renderClients(clients, coloursOf(io), io.columns);
    return { exit: 0, result, text: [text, ...others].join('\n'), next };
  },
});

type ListedClient = ClientAccess & { readonly outdated: readonly OutdatedCopy[] };

function listedClientDocument(client: ListedClient): ListedClientDocument {
  const { name, notAfter, daysLeft, state, serial, hosts, everywhere, toAdd, toDrop } = client;
  const { role = FULL_ROLE, key, imported, contexts, configDirectory, revokedAt, outdated } = client;
  return {
    ...{ name, notAfter, daysLeft, state, serial, role, hosts, everywhere, toAdd, toDrop },
    ...{ key, imported, contexts, configDirectory, revokedAt, outdated: outdated.map(outdatedCopyDocument) },
  };
}

/** A CA outside this store with the hosts that accept each of its clients. */
type ListedCa = OtherCa & { readonly hosts: readonly string[] };

function casByHost(state: StoreState, now: Date): ListedCa[] {
  const listed = new Map<string, ListedCa>();
  const ours = ourFingerprints(state);
  for (const [name, { ca }] of state.hosts)
    for (const one of otherCas(ca, ours, now))
      listed.set(one.fingerprint, { ...one, hosts: [...(listed.get(one.fingerprint)?.hosts ?? []), name] });
  return [...listed.values()];
}

function renderClients(
  clients: readonly ListedClient[],
  colours: Colours,
  columns: number,
): Pick<CommandResult, 'text' | 'next'> {
  const limited = clients.some(({ role }) => role !== undefined);
  const copied = COPIES.all.length > 0;
  const table = renderTable(
    [
      { title: 'CLIENT' },
      { title: 'EXPIRES' },
      { title: 'DAYS', align: 'right' },
      { title: 'STATE' },
      ...(limited ? [{ title: 'ROLE' }] : []),
      { title: 'HOSTS', shrinkTo: 16 },
      { title: 'KEY' },
      ...(copied ? [{ title: 'CONTEXTS', shrinkTo: 10 }] : []),
    ],
    clients.map((client) => [
      client.name,
      dateWords(client.notAfter),
      { text: client.daysLeft, style: toneOf(client.state, colours) },
      { text: client.imported ? `${client.state}, imported` : client.state, style: toneOf(client.state, colours) },
      ...(limited ? [client.role ?? FULL_ROLE] : []),
      client.everywhere ? `all ${client.hosts.length}` : client.hosts.join(', ') || 'none',
      client.key,
      ...(copied ? [[...client.contexts, ...(client.configDirectory ? ['(config directory)'] : [])].join(', ')] : []),
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
