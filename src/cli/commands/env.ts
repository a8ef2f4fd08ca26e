/** Owns `env HOST`: how the shell, or a tool, is pointed at a host. */

import type { GlobalOptions } from '../../actions/action-context.ts';
import { clientName, type KnownClient, resolveClient, resolveHost } from '../../actions/resolve-target.ts';
import { storeOf } from '../../actions/store.ts';
import { accessHere, rememberCopy } from '../../actions/tool-config.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import { dockerHost } from '../../domain/destination.ts';
import { detectShell, renderEnvironment, SHELLS } from '../../domain/environment.ts';
import { shellQuote } from '../../domain/quote.ts';
import { afterRenewal, isTool, renderTool, TOOLS, type ToolName, takesSeveral } from '../../domain/tools/tools.ts';
import { accepts, type ReachableHost, reachableHosts } from '../../domain/trust/reachable-hosts.ts';
import { usage } from '../../errors/errors.ts';
import type { Runtime } from '../../runtime.ts';
import { storeDirectory } from '../../user.ts';
import { type CommandResult, defineCommand } from '../command.ts';
import { hintPrefix } from '../hint-prefix.ts';
import { CLIENT_OPTION } from '../host-options.ts';

const NOTHING = { DOCKER_HOST: '', DOCKER_TLS_VERIFY: '', DOCKER_CERT_PATH: '' };

export const command = defineCommand({
  name: 'env',
  withoutFleet: true,
  summary: 'Lines for the shell, or for a tool, that point it at a host',
  about: `HOST and --client may be left out when there is only one. The shell is found from SHELL.
DOCKER_HOST beats \`docker context use\` as long as it is set: --unset prints the lines that take it away.
What a tool gets names the paths of the files; it contains no secret. ansible-inventory, jenkins-casc and prometheus get every host that accepts the client where no HOST is named.`,
  examples: [
    'eval "$(docker-tls env build-1)"',
    'docker-tls env build-1 --format fish | source',
    'docker-tls env build-1 --format github >> "$GITHUB_ENV"',
    'docker-tls env build-1 --client ci --format gitlab-runner',
    'docker-tls env --client ci --format ansible-inventory > inventory.yml',
    'eval "$(docker-tls env --unset)"',
  ],
  args: { host: { summary: "the host's name in the store", completes: 'host' } },
  options: {
    client: CLIENT_OPTION,
    format: {
      kind: 'choice',
      choices: [...SHELLS, ...TOOLS],
      summary: 'the form; default: that of your shell',
    },
    shell: { kind: 'choice', choices: SHELLS, summary: 'the same as --format' },
    unset: { kind: 'flag', summary: 'take the variables away again' },
  },
  async run({ args, options, global, runtime }) {
    const { format } = options;
    if (format !== undefined && options.shell !== undefined && format !== options.shell)
      throw usage('--format and --shell say different forms', [`docker-tls env --format ${format}`]);
    if (format !== undefined && isTool(format)) {
      if (options.unset)
        throw usage(`--unset is for the variables of a shell, not for ${format}`, ['docker-tls env --unset']);
      return configureTool(format, { host: args.host, client: clientName(options, runtime) }, { global, runtime });
    }
    const shell = format ?? options.shell ?? detectShell(runtime.env);
    if (options.unset) {
      const text = renderEnvironment({ shell, variables: NOTHING, unset: true });
      return { exit: 0, result: { shell, unset: Object.keys(NOTHING), text }, text, verbatim: true };
    }
    const state = await storeOf({ global, runtime }).read();
    const host = resolveHost(state, args.host, 'docker-tls env');
    const client = resolveClient(state, host, clientName(options, runtime), 'docker-tls env');
    const variables = {
      DOCKER_HOST: dockerHost(host.record.address, host.record.port),
      DOCKER_TLS_VERIFY: '1',
      DOCKER_CERT_PATH: client.directory,
    };
    const words = [
      ...runtime.program.split(' '),
      'env',
      host.record.name,
      '--client',
      client.record.name,
      '--shell',
      shell,
    ];
    if (global.home !== storeDirectory(undefined, runtime)) words.push('--home', global.home);
    // The comment is a convenience: left out when it would need quoting, whose rules differ from shell to shell.
    const again = words.every((word) => /^[\w./:@+-]+$/.test(word)) ? words.join(' ') : undefined;
    const text = renderEnvironment({ shell, variables, usage: again });
    return {
      exit: 0,
      result: { shell, host: host.record.name, client: client.record.name, variables, text },
      text,
      verbatim: true,
    };
  },
});

type Asked = { readonly host: string | undefined; readonly client: string | undefined };

async function configureTool(
  tool: ToolName,
  asked: Asked,
  around: { readonly global: GlobalOptions; readonly runtime: Runtime },
): Promise<CommandResult> {
  const { global, runtime } = around;
  const store = storeOf(around);
  const state = await store.read();
  const { hosts, client } = reachedBy(tool, asked, state);
  const typed = hintPrefix(
    runtime.program,
    global.home === storeDirectory(undefined, runtime) ? undefined : global.home,
  );
  const [first, ...others] = hosts.map((host) => accessHere(host, client, typed));
  if (first === undefined) throw new Error('a client without hosts was resolved');
  const text = renderTool(tool, [first, ...others], (host) => `docker-tls env ${shellQuote(host)} --format ${tool}`);
  const names = hosts.map(({ record }) => record.name);
  if (afterRenewal(tool) !== undefined && !global.dryRun)
    await rememberCopy(store, client.record.name, { format: tool, hosts: names }, runtime.now());
  return { exit: 0, result: { format: tool, hosts: names, client: client.record.name, text }, text };
}

/** One host, or for a tool that takes several and where none is named, all that accept the client. */
function reachedBy(
  tool: ToolName,
  asked: Asked,
  state: StoreState,
): { readonly hosts: readonly ReachableHost[]; readonly client: KnownClient } {
  const known = [...reachableHosts(state).values()];
  const named = asked.client === undefined ? undefined : state.clients.get(asked.client);
  const one = asked.host !== undefined || !takesSeveral(tool) || known.length < 2;
  const first = one ? undefined : known.find((host) => named === undefined || accepts(host, named));
  const host = first ?? resolveHost(state, asked.host, 'docker-tls env');
  const client = resolveClient(state, host, asked.client, 'docker-tls env');
  return { hosts: one ? [host] : known.filter((other) => accepts(other, client)), client };
}
