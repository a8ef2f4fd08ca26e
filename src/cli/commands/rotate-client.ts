/** Owns `rotate client`: new key and certificate for clients; no host is touched. */

import { inspectCertificate } from '../../domain/pki/inspect.ts';
import { dateWords, plural } from '../../domain/words.ts';
import { refuseRenewal } from '../../engine/client-refusals.ts';
import { type CopiesOutcome, refreshCopies } from '../../engine/installed-copies.ts';
import { resolveNames } from '../../engine/renewals.ts';
import { defineCommand } from '../command.ts';
import { startStored } from '../fleet-session.ts';
import { CA_OPTIONS, DUE_OPTIONS } from '../host-options.ts';

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
    const { args, options, global, runtime } = context;
    const { session } = await startStored(context, options, 'rotate client');
    const here = [...session.state.clients.values()].filter(
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
      ...(options.within === undefined ? {} : { withinDays: options.within / 86_400_000 }),
    });
    for (const client of here) if (names.includes(client.record.name)) refuseRenewal(client);
    const old = new Map(names.map((name) => [name, inspectCertificate(certs.get(name) ?? '')]));
    if (global.dryRun)
      return {
        exit: 0,
        result: { clients: names.map((name) => ({ client: name })), dryRun: true },
        text: names.length === 0 ? 'Nothing is due.' : `would renew ${names.join(', ')}`,
      };
    return session.store.withLock('docker-tls rotate client', async () => {
      const renewed = [];
      for (const name of names) renewed.push(await session.keyring.renewClient(name, options.days));
      if (renewed.length > 0) await session.store.write(session.keyring.change());
      const state = await session.store.read();
      // Of every client: a run before this one may have died between the store and the copies.
      const copies = new Map<string, CopiesOutcome>();
      for (const [name, client] of state.clients)
        if (client.record.revokedAt === undefined) copies.set(name, await refreshCopies({ state, client }));
      const result = renewed.map(({ record: { name }, cert }) => ({
        client: name,
        expires: inspectCertificate(cert).notAfter.toISOString(),
        oldExpires: old.get(name)?.notAfter.toISOString(),
        contexts: copies.get(name)?.contexts ?? [],
        configDirectory: copies.get(name)?.directory ?? false,
        missing: copies.get(name)?.missing ?? [],
      }));
      const late = [...copies].filter(([name, { updated }]) => updated.length > 0 && !names.includes(name));
      const missing = [...copies.values()].flatMap((one) => one.missing);
      const lines = [
        ...(names.length === 0 ? ['Nothing is due.'] : []),
        ...renewed.map(({ record: { name }, cert }) =>
          sayRenewed(name, cert, copies.get(name)?.updated ?? [], old.get(name)?.notAfter, runtime.now()),
        ),
        ...late.map(([name, { updated }]) => `${name}: updated ${updated.join(', ')}`),
        ...missing.map((what) => `gone, or not written by docker-tls, and so not updated: ${what}`),
      ];
      return {
        exit: 0,
        result: { clients: result },
        text: lines.join('\n'),
        errors: [...copies.values()].flatMap((one) => one.problems),
      };
    });
  },
});

function sayRenewed(
  name: string,
  cert: string,
  updated: readonly string[],
  before: Date | undefined,
  now: Date,
): string {
  const left = before === undefined ? 0 : Math.floor((before.getTime() - now.getTime()) / 86_400_000);
  return [
    `${name}: renewed until ${dateWords(inspectCertificate(cert).notAfter)}${updated.length > 0 ? `; updated ${updated.join(', ')}` : ''}`,
    ...(before !== undefined && before > now
      ? [`  the old certificate stays valid until ${dateWords(before)} (${plural(left, 'day')})`]
      : []),
  ].join('\n');
}
