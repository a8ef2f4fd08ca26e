/** Owns `client add`: credentials for a person or a program, for all hosts or for some. */

import { addClients } from '../../actions/client-access.ts';
import { clientSpec } from '../../actions/flags.ts';
import { openStoredRun } from '../../actions/run.ts';
import { inspectCertificate } from '../../domain/pki/inspect.ts';
import { dateWords, listWords, plural } from '../../domain/words.ts';
import { defineCommand } from '../command.ts';
import { CLIENT_OPTIONS, STORED_OPTIONS } from '../host-options.ts';
import { renderChange } from '../render/change.ts';

export const command = defineCommand({
  name: 'client add',
  summary: 'A client certificate for a person or a program',
  about:
    'Its files are stored in HOME/clients/NAME, a directory that works as DOCKER_CERT_PATH. Without --hosts every host accepts it, and no host is touched.\nWith --hosts only those do: then hosts whose list of accepted clients changes are changed, as by apply.\nA client that is there already keeps its credentials: --hosts changes who accepts it, --days and --key-type count from its next renewal on.',
  examples: ['docker-tls client add ci', 'docker-tls client add ci --hosts build-1,build-2 --days 30'],
  args: { names: { summary: 'names of clients', required: true, many: true } },
  options: {
    ...STORED_OPTIONS,
    hosts: { kind: 'list', value: 'NAME', summary: 'hosts that accept it; default: all', completes: 'host' },
    days: CLIENT_OPTIONS.days,
    keyType: CLIENT_OPTIONS.keyType,
  },
  async run(context) {
    const { args, options } = context;
    // They are the client's; the hosts that are changed keep their own.
    const { days, keyType, ...about } = options;
    const { run, state, flags, ca } = await openStoredRun(context, about);
    const requested = {
      ...(options.hosts.length > 0 ? { hosts: options.hosts } : {}),
      ...(days === undefined ? {} : { days }),
      ...(keyType === undefined ? {} : { keyType }),
    };
    const clients = [...new Set(args.names)].map((name) => ({ ...clientSpec(name, options), ...requested }));
    const changed = await addClients({ clients, requested, ca, flags, rejectOthers: options.rejectOtherClients }, run);
    const { result, text, ...rest } = renderChange(changed, context);
    const { credentials } = changed.wanted;
    const kinds = new Map(
      credentials.flatMap((one) => ('record' in one ? [[one.record.name, one.kind] as const] : [])),
    );
    const issuing = clients.map(({ name }) => {
      return { client: name, created: kinds.get(name) === 'client', changed: kinds.get(name) === 'record' };
    });
    if (changed.planned !== undefined) {
      const there = issuing.filter(({ created }) => !created && state.clients.size > 0).map(({ client }) => client);
      const lines = [text, ...(there.length > 0 ? [`there already: ${listWords(there, 10)}`] : [])];
      const out = lines.filter((line) => line !== '').join('\n\n');
      return { ...rest, text: out, result: { clients: issuing, ...(result as object) } };
    }
    const done = issuing.flatMap((one) => {
      const stored = changed.state.clients.get(one.client);
      return stored === undefined
        ? []
        : [{ ...one, directory: stored.directory, expires: inspectCertificate(stored.cert).notAfter }];
    });
    const lines = done.map((one) =>
      one.created
        ? `client ${one.client}: until ${dateWords(one.expires)}, in ${one.directory}`
        : `client ${one.client} is there already, in ${one.directory}${one.changed ? `; now with ${settingsText(requested)}` : ''}`,
    );
    const hosts = changed.results.length > 0;
    return {
      ...rest,
      result: {
        clients: done.map((one) => ({ ...one, expires: one.expires.toISOString() })),
        ...(hosts ? (result as object) : {}),
      },
      text: [...lines, ...(text === '' ? [] : ['', text])].join('\n'),
      ...(hosts ? {} : { next: [`docker-tls client export ${clients[0]?.name} --out ${clients[0]?.name}.tar`] }),
    };
  },
});

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
