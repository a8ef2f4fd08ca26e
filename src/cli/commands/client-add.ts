/** Owns `client add`: papers for a person or a program, for all hosts or for some. */

import { DockerTlsError } from '../../errors.ts';
import { inspectCertificate } from '../../pki/inspect.ts';
import { dateWords, listWords, plural } from '../../words.ts';
import { behindHosts } from '../../workflows/access.ts';
import { defineCommand } from '../command.ts';
import { startStored } from '../fleet-session.ts';
import { clientSpec, HOST_OPTIONS } from '../host-options.ts';
import { changeHosts, nameHosts, ROTATE_OPTIONS } from '../rotate.ts';

export const command = defineCommand({
  name: 'client add',
  summary: 'A client certificate for a person or a program',
  about:
    'Its files lie in HOME/clients/NAME, a folder that works as DOCKER_CERT_PATH. Without --hosts every host accepts it, and no host is touched.\nWith --hosts only those do: then hosts whose list of accepted clients changes are changed, as by apply.',
  examples: ['docker-tls client add ci', 'docker-tls client add ci --hosts build-1,build-2 --days 30'],
  args: { names: { summary: 'names of clients', required: true, many: true } },
  options: {
    ...ROTATE_OPTIONS,
    hosts: { kind: 'list', value: 'NAME', summary: 'hosts that accept it; default: all', completes: 'host' },
    days: HOST_OPTIONS.days,
    keyType: HOST_OPTIONS.keyType,
  },
  async run(context) {
    const { args, options, global } = context;
    const first = await startStored(context, options, 'client add');
    const names = [...new Set(args.names)];
    const specs = names.map((name) => ({
      ...clientSpec(name, options),
      ...(options.hosts.length > 0 ? { hosts: options.hosts } : {}),
    }));
    // An unknown host here is a typing error, and would lock the client out of what was meant.
    if (options.hosts.length > 0) requireHosts(options.hosts, first.session.state.hosts);
    if (global.dryRun) {
      const result = { clients: names.map((client) => ({ client })), dryRun: true };
      return { exit: 0, result, text: `would make ${plural(names.length, 'client')}: ${listWords(names, 10)}` };
    }
    return first.session.store.withLock('docker-tls client add', async () => {
      const made = [];
      for (const spec of specs) made.push(await first.session.keyring.client(spec));
      if (made.some((client) => client.fresh)) await first.session.store.write(first.session.keyring.change());
      const run = await startStored(context, options, 'client add', first.session.store);
      const clients = made.map((client) => {
        const { name } = client.record;
        const folder = run.session.state.clients.get(name)?.folder ?? '';
        return { client: name, folder, expires: inspectCertificate(client.cert).notAfter, created: client.fresh };
      });
      const lines = clients.map((one) =>
        one.created
          ? `client ${one.client}: until ${dateWords(one.expires)}, in ${one.folder}`
          : `client ${one.client} is there already, in ${one.folder}`,
      );
      const result = { clients: clients.map((one) => ({ ...one, expires: one.expires.toISOString() })) };
      const behind = await behindHosts(run.session);
      if (behind.length === 0) {
        const [name] = names;
        return {
          exit: 0,
          result,
          text: [...lines, '', `  docker-tls client export ${name} --out ${name}.tar`].join('\n'),
        };
      }
      const hosts = run.specs(behind);
      const changed = await changeHosts(context, {
        specs: hosts,
        run: await run.open(),
        question: `Change who is accepted on ${nameHosts(hosts)}?`,
        canary: options.canary,
        maxFailures: options.maxFailures,
      });
      return {
        ...changed,
        result: { ...result, ...(changed.result as object) },
        text: [...lines, '', changed.text].join('\n'),
      };
    });
  },
});

function requireHosts(names: readonly string[], hosts: ReadonlyMap<string, unknown>): void {
  const unknown = names.filter((name) => !hosts.has(name));
  if (unknown.length === 0) return;
  throw new DockerTlsError({
    code: 'E_HOST_UNKNOWN',
    exit: 2,
    message: `no host ${unknown.join(', ')} in the store`,
    hints: ['docker-tls status --offline'],
  });
}
