/** Owns `client add`: credentials for a person or a program, for all hosts or for some. */

import { inspectCertificate } from '../../domain/pki/inspect.ts';
import { dateWords, listWords, plural } from '../../domain/words.ts';
import { type AccessRecord, admit, requireHosts, requireYes } from '../../engine/access.ts';
import { defineCommand } from '../command.ts';
import { startStored } from '../fleet-session.ts';
import { CLIENT_OPTIONS, clientSpec } from '../host-options.ts';
import { changeAccess, ROTATE_OPTIONS } from '../rotate.ts';
import type { Session } from '../session.ts';

export const command = defineCommand({
  name: 'client add',
  summary: 'A client certificate for a person or a program',
  about:
    'Its files lie in HOME/clients/NAME, a directory that works as DOCKER_CERT_PATH. Without --hosts every host accepts it, and no host is touched.\nWith --hosts only those do: then hosts whose list of accepted clients changes are changed, as by apply.\nA client that is there already keeps its credentials: --hosts changes who accepts it, --days and --key-type count from its next renewal on.',
  examples: ['docker-tls client add ci', 'docker-tls client add ci --hosts build-1,build-2 --days 30'],
  args: { names: { summary: 'names of clients', required: true, many: true } },
  options: {
    ...ROTATE_OPTIONS,
    hosts: { kind: 'list', value: 'NAME', summary: 'hosts that accept it; default: all', completes: 'host' },
    days: CLIENT_OPTIONS.days,
    keyType: CLIENT_OPTIONS.keyType,
  },
  async run(context) {
    const { args, options, global, runtime } = context;
    // They are the client's; the hosts that are changed keep their own.
    const { days: _, keyType: __, ...about } = options;
    const first = await startStored(context, about, 'client add');
    const names = [...new Set(args.names)];
    requireHosts(options.hosts, first.session.state);
    const said = {
      ...(options.hosts.length > 0 ? { hosts: options.hosts } : {}),
      ...(options.days === undefined ? {} : { days: options.days }),
      ...(options.keyType === undefined ? {} : { keyType: options.keyType }),
    };
    if (global.dryRun) {
      const there = names.filter((name) => first.session.state.clients.has(name));
      const missing = names.filter((name) => !there.includes(name));
      const result = { clients: names.map((client) => ({ client, created: missing.includes(client) })), dryRun: true };
      const lines = [
        ...(missing.length > 0 ? [`would make ${plural(missing.length, 'client')}: ${listWords(missing, 10)}`] : []),
        ...(there.length > 0 ? [`there already: ${listWords(there, 10)}`] : []),
        ...wouldLose(first.session, names, options.hosts),
      ];
      return { exit: 0, result, text: lines.join('\n') };
    }
    return first.session.store.withLock('docker-tls client add', async () => {
      const run = await startStored(context, about, 'client add', first.session.store);
      const { session } = run;
      const admitted = [];
      for (const name of names)
        admitted.push(await admit(session, { ...clientSpec(name, options), ...said }, said, runtime.now()));
      const changed = await changeAccess(context, {
        run,
        question: (hosts) => `Change who is accepted on ${hosts}?`,
        canary: options.canary,
        maxFailures: options.maxFailures,
      });
      const { clients } = await session.store.read();
      const done = admitted.map(({ client: { record, cert }, change }) => ({
        client: record.name,
        directory: clients.get(record.name)?.directory ?? '',
        expires: inspectCertificate(cert).notAfter,
        created: change === 'created',
        changed: change === 'changed',
      }));
      const lines = done.map((one) =>
        one.created
          ? `client ${one.client}: until ${dateWords(one.expires)}, in ${one.directory}`
          : `client ${one.client} is there already, in ${one.directory}${one.changed ? `; now with ${settingsText(said)}` : ''}`,
      );
      const result = { clients: done.map((one) => ({ ...one, expires: one.expires.toISOString() })) };
      return {
        ...changed,
        result: { ...result, ...(changed.hosts.length > 0 ? (changed.result as object) : {}) },
        text: [...lines, ...(changed.hosts.length > 0 ? ['', changed.text] : [])].join('\n'),
        ...(changed.hosts.length > 0 ? {} : { next: [`docker-tls client export ${names[0]} --out ${names[0]}.tar`] }),
      };
    });
  },
});

/** Who else would lose hosts that list their clients from then on. Fails as requireYes does. */
function wouldLose(
  { state, rejectOthers, now }: Session,
  names: readonly string[],
  hosts: readonly string[],
): string[] {
  const named = names.map((name) => ({
    name,
    ...state.clients.get(name)?.record,
    ...(hosts.length > 0 ? { hosts } : {}),
  }));
  const clients = new Map([...state.clients.values()].map(({ record }) => [record.name, record as AccessRecord]));
  for (const record of named) clients.set(record.name, record);
  const specs = [...state.hosts.values()].map(({ record }) => record);
  return requireYes({ ...state, clients: [...clients.values()] }, specs, rejectOthers, now);
}

/** What was said of a client that is there already. */
function settingsText({
  hosts,
  days,
  keyType,
}: {
  hosts?: readonly string[];
  days?: number;
  keyType?: string;
}): string {
  return [
    ...(hosts === undefined ? [] : [`access to ${listWords(hosts, 10)} only`]),
    ...(days === undefined ? [] : [`${plural(days, 'day')} from its next renewal on`]),
    ...(keyType === undefined ? [] : [`a key of kind ${keyType} from its next renewal on`]),
  ].join(', ');
}
