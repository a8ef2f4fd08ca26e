/** `rotate client`: new keys and certificates for clients; changes no host. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { CA_OPTIONS, DUE_OPTIONS } from '../../cli/host-options.ts';
import type { Changed } from '../actions/results.ts';
import { openStoredRun } from '../actions/run.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import type { Wanted } from '../domain/trust/changes.ts';
import { renewed } from '../domain/trust/clients.ts';
import { type OutdatedCopy, outdatedCopies } from '../domain/trust/handed-out.ts';
import { resolveNames } from '../domain/trust/renewals.ts';
import { dateWords, plural } from '../domain/words.ts';
import { change } from '../engine/change.ts';
import type { PlannedChangeDocument } from '../render/change-document.ts';
import { type RenderContext, renderMade, renderPlanned } from '../render/change-result.ts';
import { type OutdatedCopyDocument, outdatedCopyDocument } from '../render/documents.ts';
import { COPIES, type CopiesOutcome } from '../seams/copies.ts';
import { offeredWords } from '../seams/seam.ts';

/** In a dry run the plan, with the clients that would be renewed. */
export type RotateClientDocument =
  | (PlannedChangeDocument & { readonly clients: readonly { readonly client: string }[] })
  | { readonly clients: readonly RenewedClientDocument[] };

type RenewedClientDocument = {
  readonly client: string;
  readonly expires: Date;
  /** The old certificate stays valid until then. */
  readonly oldExpires: Date;
  /** Docker contexts that have the new files. */
  readonly contexts: readonly string[];
  /** The Docker config directory has the new files. */
  readonly configDirectory: boolean;
  /** Copies that are gone, in words. */
  readonly missing: readonly string[];
  /** Copies that still hold the old certificate. */
  readonly outdated: readonly OutdatedCopyDocument[];
};

export const command = defineCommand({
  scope: ['fleet', 'changes', 'store'],
  about: `The client's own issuing CA stays, so every host keeps accepting it.${offeredWords(COPIES, ' Docker contexts and directories that hold copies are updated.')}\nThe old certificate stays valid until it expires: to end it at once, revoke the client.`,
  examples: ['docker-tls rotate client laptop', 'docker-tls rotate client --due --yes'],
  args: { clients: { summary: 'clients', many: true, completes: 'client' } },
  options: {
    caPassphraseFile: CA_OPTIONS.caPassphraseFile,
    due: { kind: 'flag', summary: 'those whose renewal is due' },
    all: { kind: 'flag', summary: 'every client whose key is here' },
    ...DUE_OPTIONS,
    days: { kind: 'number', min: 1, max: 36_500, value: 'N', summary: 'lifetime in days (default: as before)' },
  },
  async run(context) {
    const { args, options } = context;
    const { run, state } = await openStoredRun(context, options);
    const here = [...state.clients.values()].filter(
      ({ record, key }) =>
        args.clients.includes(record.name) ||
        (record.revokedAt === undefined && key !== undefined && record.reaches === undefined),
    );
    const certs = new Map(here.map((client) => [client.record.name, client.cert]));
    const names = await resolveNames('client', certs, { ...options, names: args.clients, now: run.runtime.now() });
    const want = (latest: StoreState, now: Date): Wanted => ({
      hosts: [],
      credentials: names.map((name) => renewed(latest, name, options.days, now)),
      target: { kind: 'desired' },
      copies: true,
    });
    const changed = await change({ reason: 'rotate client', want }, run);
    return renderRotated(
      changed,
      names.map((name) => renewedClient(name, certs.get(name), changed)),
      context,
    );
  },
});

type Renewed = {
  readonly name: string;
  /** Expiry of the old certificate and of the new one. */
  readonly before: Date;
  readonly after: Date;
  readonly copies: CopiesOutcome | undefined;
  /** Copies that still contain the old certificate. */
  readonly outdated: readonly OutdatedCopy[];
};

function renewedClient(name: string, before: string | undefined, { state, copies }: Changed): Renewed {
  const client = state.clients.get(name);
  const end = (cert: string | undefined) => inspectCertificate(cert ?? '').notAfter;
  return {
    name,
    before: end(before),
    after: end(client?.cert),
    copies: copies.get(name),
    outdated: client === undefined ? [] : outdatedCopies(client),
  };
}

function renderRotated(
  changed: Changed,
  clients: readonly Renewed[],
  around: RenderContext,
): CommandResult<RotateClientDocument> {
  const nothing = clients.length === 0 ? ['Nothing is due.'] : [];
  if (changed.planned !== undefined) {
    const { result: planned, ...rest } = renderPlanned(changed.planned, around);
    const result = { ...planned, clients: clients.map(({ name }) => ({ client: name })) };
    return { ...rest, result, text: [...nothing, rest.text].join('\n').trim() };
  }
  const { result: _, ...rest } = renderMade(changed, around);
  const late = [...changed.copies].filter(
    ([name, { updated }]) => updated.length > 0 && !clients.some((one) => one.name === name),
  );
  const lines = [
    ...nothing,
    ...clients.map((one) => renewedWords(one, around.runtime.now())),
    ...late.map(([name, { updated }]) => `${name}: updated ${updated.join(', ')}`),
    ...(rest.text === '' ? [] : [rest.text]),
  ];
  const result = clients.map(({ name, before, after, copies, outdated }) => ({
    client: name,
    expires: after,
    oldExpires: before,
    contexts: copies?.contexts ?? [],
    configDirectory: copies?.directory ?? false,
    missing: copies?.missing ?? [],
    outdated: outdated.map(outdatedCopyDocument),
  }));
  const left = clients.flatMap(({ name, outdated }) =>
    outdated.map(({ what, renew }) => `${name}, still with the old certificate: ${what}: ${renew}`),
  );
  const attention = [rest.attention ?? '', ...left].filter((line) => line !== '').join('\n');
  return { ...rest, result: { clients: result }, text: lines.join('\n'), attention };
}

function renewedWords({ name, before, after, copies, outdated }: Renewed, now: Date): string {
  const updated = copies?.updated ?? [];
  const left = Math.floor((before.getTime() - now.getTime()) / 86_400_000);
  return [
    `${name}: renewed until ${dateWords(after)}${updated.length > 0 ? `; updated ${updated.join(', ')}` : ''}`,
    ...(before > now ? [`  the old certificate stays valid until ${dateWords(before)} (${plural(left, 'day')})`] : []),
    ...(outdated.length > 0 ? ['  still with the old certificate:'] : []),
    ...outdated.map(({ what, renew }) => `    ${what}: ${renew}`),
  ].join('\n');
}
