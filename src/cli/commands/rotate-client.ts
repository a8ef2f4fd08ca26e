/** Owns `rotate client`: new key and certificate for clients; no host is touched. */

import { rotateClient } from '../../actions/rotate-client.ts';
import { openStoredRun } from '../../actions/run.ts';
import { inspectCertificate } from '../../domain/pki/inspect.ts';
import { type OutdatedCopy, outdatedCopies } from '../../domain/trust/handed-out.ts';
import { resolveNames } from '../../domain/trust/renewals.ts';
import { dateWords, plural } from '../../domain/words.ts';
import type { CopiesOutcome } from '../../runtime.ts';
import { defineCommand } from '../command.ts';
import { CA_OPTIONS, DUE_OPTIONS } from '../host-options.ts';
import { renderChange } from '../render/change.ts';

export const command = defineCommand({
  name: 'rotate client',
  summary: 'New key and certificate for clients; touches no host',
  about:
    "The client's own issuing CA stays, so every host goes on accepting it. Docker contexts and directories that hold copies are updated.\nThe old certificate stays valid until it expires: to end it at once, revoke the client.",
  examples: ['docker-tls rotate client laptop', 'docker-tls rotate client --due --yes'],
  args: { clients: { summary: 'clients', many: true, completes: 'client' } },
  options: {
    caPassphraseFile: CA_OPTIONS.caPassphraseFile,
    due: { kind: 'flag', summary: 'those whose renewal is due' },
    all: { kind: 'flag', summary: 'every client whose key is here' },
    ...DUE_OPTIONS,
    days: { kind: 'number', min: 1, max: 36_500, value: 'N', summary: 'lifetime; default: as before' },
  },
  async run(context) {
    const { args, options, runtime } = context;
    const { run, state } = await openStoredRun(context, options);
    const here = [...state.clients.values()].filter(
      (client) =>
        args.clients.includes(client.record.name) ||
        (client.record.revokedAt === undefined && client.key !== undefined && client.record.reaches === undefined),
    );
    const certs = new Map(here.map((client) => [client.record.name, client.cert]));
    const names = resolveNames('client', certs, {
      names: args.clients,
      due: options.due,
      all: options.all,
      now: runtime.now(),
      withinDays: options.within && options.within / 86_400_000,
    });
    const changed = await rotateClient({ names: () => names, days: options.days }, run);
    const { result: planned, ...rest } = renderChange(changed, context);
    const nothing = names.length === 0 ? ['Nothing is due.'] : [];
    if (changed.planned !== undefined) {
      const result = { ...(planned as object), clients: names.map((name) => ({ client: name })) };
      return { ...rest, result, text: [...nothing, rest.text].join('\n').trim() };
    }
    const { copies } = changed;
    const renewed = names.map((name) => {
      const before = inspectCertificate(certs.get(name) ?? '').notAfter;
      const after = inspectCertificate(changed.state.clients.get(name)?.cert ?? '').notAfter;
      const client = changed.state.clients.get(name);
      const outdated = client === undefined ? [] : outdatedCopies(client);
      return { name, before, after, copies: copies.get(name), outdated };
    });
    const late = [...copies].filter(([name, { updated }]) => updated.length > 0 && !names.includes(name));
    const lines = [
      ...nothing,
      ...renewed.map((one) => sayRenewed(one, runtime.now())),
      ...late.map(([name, { updated }]) => `${name}: updated ${updated.join(', ')}`),
      ...(rest.text === '' ? [] : [rest.text]),
    ];
    const clients = renewed.map((one) => ({
      client: one.name,
      expires: one.after.toISOString(),
      oldExpires: one.before.toISOString(),
      contexts: one.copies?.contexts ?? [],
      configDirectory: one.copies?.directory ?? false,
      missing: one.copies?.missing ?? [],
      outdated: one.outdated,
    }));
    return { ...rest, result: { clients }, text: lines.join('\n') };
  },
});

type Renewed = {
  readonly name: string;
  readonly before: Date;
  readonly after: Date;
  readonly copies: CopiesOutcome | undefined;
  readonly outdated: readonly OutdatedCopy[];
};

function sayRenewed({ name, before, after, copies, outdated }: Renewed, now: Date): string {
  const updated = copies?.updated ?? [];
  const left = Math.floor((before.getTime() - now.getTime()) / 86_400_000);
  return [
    `${name}: renewed until ${dateWords(after)}${updated.length > 0 ? `; updated ${updated.join(', ')}` : ''}`,
    ...(before > now ? [`  the old certificate stays valid until ${dateWords(before)} (${plural(left, 'day')})`] : []),
    ...(outdated.length > 0 ? ['  still with the old certificate:'] : []),
    ...outdated.map(({ what, renew }) => `    ${what}: ${renew}`),
  ].join('\n');
}
