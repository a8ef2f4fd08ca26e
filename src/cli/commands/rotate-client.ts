/** Owns `rotate client`: new key and certificate for clients; no host is touched. */

import { inspectCertificate } from '../../pki/inspect.ts';
import { dateWords, plural } from '../../words.ts';
import { refreshCopies } from '../../workflows/copies.ts';
import { chooseNames } from '../../workflows/due.ts';
import { defineCommand } from '../command.ts';
import { startStored } from '../fleet-session.ts';
import { CA_OPTIONS, DUE_OPTIONS } from '../host-options.ts';
import { dockerConfigFolder } from '../options.ts';

export const command = defineCommand({
  name: 'rotate client',
  summary: 'New key and certificate for clients; touches no host',
  about:
    'The client’s own issuing CA stays, so every host goes on accepting it. Docker contexts and folders that hold copies are updated.\nThe old certificate stays valid until it expires: to end it at once, revoke the client.',
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
        client.record.revokedAt === undefined &&
        ((client.key !== undefined && client.record.reaches === undefined) ||
          args.clients.includes(client.record.name)),
    );
    const certs = new Map(here.map((client) => [client.record.name, client.cert]));
    const names = chooseNames('client', certs, {
      names: args.clients,
      due: options.due,
      all: options.all,
      now: runtime.now(),
      ...(options.within === undefined ? {} : { withinDays: options.within / 86_400_000 }),
    });
    const old = new Map(names.map((name) => [name, inspectCertificate(certs.get(name) ?? '')]));
    if (names.length === 0) return { exit: 0, result: { clients: [] }, text: 'Nothing is due.' };
    if (global.dryRun)
      return {
        exit: 0,
        result: { clients: names.map((name) => ({ client: name })), dryRun: true },
        text: `would renew ${names.join(', ')}`,
      };
    return session.store.withLock('docker-tls rotate client', async () => {
      const renewed = [];
      for (const name of names) renewed.push(await session.keyring.renewClient(name, options.days));
      await session.store.write(session.keyring.change());
      const state = await session.store.read();
      const copies = await Promise.all(
        renewed.map((client) => refreshCopies({ state, client, dockerConfig: dockerConfigFolder(runtime) })),
      );
      const result = renewed.map((client, index) => ({
        client: client.record.name,
        expires: inspectCertificate(client.cert).notAfter.toISOString(),
        oldExpires: old.get(client.record.name)?.notAfter.toISOString(),
        contexts: copies[index]?.contexts ?? [],
        configFolder: copies[index]?.folder ?? false,
      }));
      const lines = renewed.map((client, index) => {
        const before = old.get(client.record.name)?.notAfter;
        const updated = [
          ...(copies[index]?.contexts ?? []).map((name) => `context ${name}`),
          ...(copies[index]?.folder ? ['the config folder'] : []),
        ];
        return [
          `${client.record.name}: renewed until ${dateWords(inspectCertificate(client.cert).notAfter)}${updated.length > 0 ? `; updated ${updated.join(', ')}` : ''}`,
          ...(before && before > runtime.now()
            ? [
                `  the old certificate stays valid until ${dateWords(before)} (${plural(Math.floor((before.getTime() - runtime.now().getTime()) / 86_400_000), 'day')})`,
              ]
            : []),
        ].join('\n');
      });
      return {
        exit: 0,
        result: { clients: result },
        text: lines.join('\n'),
        errors: copies.flatMap((one) => one.problems),
      };
    });
  },
});
