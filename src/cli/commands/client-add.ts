/** Owns `client add`: papers for a person or a program, for all hosts or for some. */

import { DockerTlsError } from '../../errors.ts';
import { inspectCertificate } from '../../pki/inspect.ts';
import { behindHosts } from '../../workflows/access.ts';
import { defineCommand } from '../command.ts';
import { startStored } from '../fleet-session.ts';
import { clientSpec, HOST_OPTIONS } from '../host-options.ts';
import { dateWords } from '../render/words.ts';
import { changeHosts, nameHosts, ROTATE_OPTIONS } from '../rotate.ts';

export const command = defineCommand({
  name: 'client add',
  summary: 'A client certificate for a person or a program',
  about:
    'Its files lie in HOME/clients/NAME, a folder that works as DOCKER_CERT_PATH. Without --hosts every host accepts it, and no host is touched.\nWith --hosts only those do: then hosts whose list of accepted clients changes are changed, as by apply.',
  examples: ['docker-tls client add ci', 'docker-tls client add ci --hosts build-1,build-2 --days 30'],
  args: { name: { summary: 'name of the client', required: true } },
  options: {
    ...ROTATE_OPTIONS,
    hosts: { kind: 'list', value: 'NAME', summary: 'hosts that accept it; default: all', completes: 'host' },
    days: HOST_OPTIONS.days,
    keyType: HOST_OPTIONS.keyType,
  },
  async run(context) {
    const { args, options, global } = context;
    const first = await startStored(context, options, 'client add');
    const spec = { ...clientSpec(args.name, options), ...(options.hosts.length > 0 ? { hosts: options.hosts } : {}) };
    // An unknown host here is a typing error, and would lock the client out of what was meant.
    if (options.hosts.length > 0) requireHosts(options.hosts, first.session.state.hosts);
    if (global.dryRun)
      return { exit: 0, result: { client: args.name, dryRun: true }, text: `would make the client ${args.name}` };
    return first.session.store.withLock('docker-tls client add', async () => {
      const client = await first.session.keyring.client(spec);
      if (client.fresh) await first.session.store.write(first.session.keyring.change());
      const run = await startStored(context, options, 'client add', first.session.store);
      const folder = run.session.state.clients.get(args.name)?.folder ?? '';
      const expires = inspectCertificate(client.cert).notAfter;
      const made = client.fresh
        ? `client ${args.name}: until ${dateWords(expires)}, in ${folder}`
        : `client ${args.name} is there already, in ${folder}`;
      const result = { client: args.name, folder, expires: expires.toISOString(), created: client.fresh };
      const behind = await behindHosts(run.session);
      if (behind.length === 0)
        return { exit: 0, result, text: `${made}\n\n  docker-tls client export ${args.name} --out ${args.name}.tar` };
      const specs = run.specs(behind);
      const changed = await changeHosts(context, {
        specs,
        run: await run.open(),
        question: `Change who is accepted on ${nameHosts(specs)}?`,
        canary: options.canary,
        maxFailures: options.maxFailures,
      });
      return {
        ...changed,
        result: { ...result, ...(changed.result as object) },
        text: [made, changed.text].join('\n\n'),
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
