/** `client add`: credentials for a person or a program, for all hosts or for some. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { CLIENT_OPTIONS, STORED_OPTIONS } from '../../cli/host-options.ts';
import type { ActionContext } from '../actions/action-context.ts';
import { type AccessOptions, askAboutHosts, tellHosts } from '../actions/client-access.ts';
import { clientSpec } from '../actions/host-flags.ts';
import type { Changed } from '../actions/results.ts';
import { openStoredRun } from '../actions/run.ts';
import type { ClientRecord, StoreState } from '../adapters/store/records.ts';
import { given } from '../domain/given.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import type { KeyType } from '../domain/pki/key-types.ts';
import { firstCa, type Wanted } from '../domain/trust/changes.ts';
import { admit, requireHosts } from '../domain/trust/clients.ts';
import { dateWords, listWords, plural } from '../domain/words.ts';
import { change } from '../engine/change.ts';
import type { ChangeDocument } from '../render/change-document.ts';
import { type RenderContext, renderChange } from '../render/change-result.ts';
import { LISTENERS } from '../seams/listeners.ts';
import { offeredCommands } from '../seams/offered-commands.ts';
import { offered } from '../seams/seam.ts';

/** In a dry run with the plan. `hosts`: hosts whose list of clients changed. */
export type ClientAddDocument = ChangeDocument & { readonly clients: readonly AddedClientDocument[] };

type AddedClientDocument = {
  readonly client: string;
  readonly created: boolean;
  /** An existing client got other settings. */
  readonly changed: boolean;
  /** Of its files, and its expiry; absent in a dry run. */
  readonly directory?: string;
  readonly expires?: Date;
};

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    'Its files are stored in HOME/clients/NAME, a directory that works as DOCKER_CERT_PATH. Without --hosts every host accepts it, with --hosts only those do.\nA host whose list of accepted clients changes is changed, as by apply; a host that accepts every client of the CA has no list.\nA client that is there already keeps its credentials: --hosts changes who accepts it, --days and --key-type count from its next renewal on.',
  examples: ['docker-tls client add ci', 'docker-tls client add ci --hosts build-1,build-2 --days 30'],
  args: { names: { summary: 'names of clients', required: true, many: true } },
  options: {
    ...STORED_OPTIONS,
    hosts: { kind: 'list', value: 'NAME', summary: 'hosts that accept it (default: all)', completes: 'host' },
    days: CLIENT_OPTIONS.days,
    keyType: CLIENT_OPTIONS.keyType,
    ...offered(LISTENERS, { role: CLIENT_OPTIONS.role }),
  },
  run: async (context) => {
    const added = await addClients(context, context.args.names, context.options);
    return renderAdded(added, context);
  },
});

type AddOptions = AccessOptions & {
  readonly hosts: readonly string[];
  readonly days: number | undefined;
  readonly keyType: KeyType | undefined;
  readonly role?: string | undefined;
};

type Added = {
  readonly changed: Changed;
  /** Settings that existing clients also get. */
  readonly requested: Partial<Pick<ClientRecord, 'hosts' | 'days' | 'keyType' | 'role'>>;
  readonly clients: readonly AddedClient[];
};

type AddedClient = {
  readonly client: string;
  readonly created: boolean;
  readonly changed: boolean;
  /** The stored credentials, unless this was a dry run. */
  readonly stored: { readonly directory: string; readonly expires: Date } | undefined;
};

export async function addClients(
  context: ActionContext,
  names: readonly string[],
  options: AddOptions,
): Promise<Added> {
  // These belong to the client; the changed hosts keep their own.
  const { days, keyType, role, ...about } = options;
  const { run, ca, flags } = await openStoredRun(context, about);
  const hosts = options.hosts.length > 0 ? options.hosts : undefined;
  const requested = given({ hosts, days, keyType, role });
  const clients = [...new Set(names)].map((name) => ({ ...clientSpec(name, options), hosts }));
  const rejectOthers = options.rejectOtherClients;
  const want = (state: StoreState, now: Date): Wanted => {
    requireHosts(options.hosts, state);
    const changes = clients.flatMap((spec) => admit(state, spec, requested, now).changes);
    return tellHosts(state, [...firstCa(state.ca, ca), ...changes], { flags, rejectOthers, now });
  };
  const changed = await change({ reason: 'client add', want, question: askAboutHosts }, run);
  return { changed, requested, clients: clients.map(({ name }) => addedClient(name, changed)) };
}

function addedClient(name: string, { wanted, planned, state }: Changed): AddedClient {
  const found = wanted.credentials.findLast((one) => 'record' in one && one.record.name === name);
  const stored = planned === undefined ? state.clients.get(name) : undefined;
  return {
    client: name,
    created: found?.kind === 'client',
    changed: found?.kind === 'record',
    stored: stored && { directory: stored.directory, expires: inspectCertificate(stored.cert).notAfter },
  };
}

function renderAdded({ changed, clients, requested }: Added, around: RenderContext): CommandResult<ClientAddDocument> {
  const { result, text, ...rest } = renderChange(changed, around);
  if (changed.planned !== undefined) {
    const issuing = clients.map(({ client, created, changed }) => ({ client, created, changed }));
    const there = clients.filter(({ created }) => !created && changed.state.clients.size > 0);
    const named = listWords(
      there.map(({ client }) => client),
      10,
    );
    const lines = [text, ...(there.length > 0 ? [`there already: ${named}`] : [])].filter((line) => line !== '');
    return { ...rest, text: lines.join('\n\n'), result: { clients: issuing, ...result } };
  }
  const hosts = changed.results.length > 0;
  const lines = clients.flatMap((client) => addedWords(client, requested));
  const first = clients[0]?.client;
  const added = clients.flatMap(({ client, created, changed, stored }) =>
    stored === undefined ? [] : [{ client, created, changed, ...stored }],
  );
  return {
    ...rest,
    result: { clients: added, ...result },
    text: [...lines, ...(text === '' ? [] : ['', text])].join('\n'),
    next: hosts ? undefined : offeredCommands('export', `${first}`, '--out', `${first}.tar`),
  };
}

function addedWords({ client, created, changed, stored }: AddedClient, requested: Added['requested']): string[] {
  if (stored === undefined) return [];
  if (created) return [`client ${client}: until ${dateWords(stored.expires)}, in ${stored.directory}`];
  const now = changed ? `; now with ${settingsText(requested)}` : '';
  return [`client ${client} is there already, in ${stored.directory}${now}`];
}

/** The new settings of an existing client. */
function settingsText({ hosts, days, keyType }: Added['requested']): string {
  return [
    ...(hosts === undefined ? [] : [`access to ${listWords(hosts, 10)} only`]),
    ...(days === undefined ? [] : [`${plural(days, 'day')} from its next renewal on`]),
    ...(keyType === undefined ? [] : [`a key of kind ${keyType} from its next renewal on`]),
  ].join(', ');
}
