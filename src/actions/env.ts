/** Owns `env`: the text that points a shell, or a tool, at a host. */

import type { StoreState } from '../adapters/store/records.ts';
import { dockerHost } from '../domain/destination.ts';
import { detectShell, renderEnvironment, type Shell } from '../domain/environment.ts';
import { shellQuote } from '../domain/quote.ts';
import { afterRenewal, isTool, renderTool, type ToolName, takesSeveral } from '../domain/tools/tools.ts';
import { accepts, type ReachableHost, reachableHosts } from '../domain/trust/reachable-hosts.ts';
import { usage } from '../errors/errors.ts';
import { storeDirectory } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { filesHere } from './own-client.ts';
import { clientName, type KnownClient, resolveClient, resolveHost } from './resolve-target.ts';
import { storeOf } from './store.ts';
import { accessHere, rememberCopy } from './tool-config.ts';

const NOTHING = { DOCKER_HOST: '', DOCKER_TLS_VERIFY: '', DOCKER_CERT_PATH: '' };

export type EnvOptions = {
  readonly client: string | undefined;
  readonly format: Shell | ToolName | undefined;
  readonly shell: Shell | undefined;
  readonly unset: boolean;
};

/** The text, and what it is about. */
export type Environment = { readonly text: string } & Readonly<Record<string, unknown>>;

/** The lines of a shell, or the configuration of a tool. */
export async function environment(
  context: ActionContext,
  named: string | undefined,
  options: EnvOptions,
): Promise<Environment> {
  const { global, runtime } = context;
  const { format } = options;
  if (format !== undefined && options.shell !== undefined && format !== options.shell)
    throw usage('--format and --shell say different forms', [`docker-tls env --format ${format}`]);
  const requested = { host: named, client: clientName(options, runtime) };
  if (format !== undefined && isTool(format)) {
    if (options.unset)
      throw usage(`--unset is for the variables of a shell, not for ${format}`, ['docker-tls env --unset']);
    return configureTool(format, requested, context);
  }
  const shell = format ?? options.shell ?? detectShell(runtime.env);
  if (options.unset) {
    const text = renderEnvironment({ shell, variables: NOTHING, unset: true });
    return { shell, unset: Object.keys(NOTHING), text };
  }
  const store = storeOf(context);
  const state = await store.read();
  const host = resolveHost(state, requested.host, 'docker-tls env');
  const client = resolveClient(state, host, requested.client, 'docker-tls env');
  const variables = {
    DOCKER_HOST: dockerHost(host.record.address, host.record.port),
    DOCKER_TLS_VERIFY: '1',
    DOCKER_CERT_PATH: filesHere(store, client),
  };
  const names = { host: host.record.name, client: client.record.name };
  const words = [...runtime.program.split(' '), 'env', names.host, '--client', names.client, '--shell', shell];
  if (global.home !== storeDirectory(undefined, runtime)) words.push('--home', global.home);
  // The comment is a convenience: left out when it would need quoting, whose rules differ from shell to shell.
  const again = words.every((word) => /^[\w./:@+-]+$/.test(word)) ? words.join(' ') : undefined;
  return { shell, ...names, variables, text: renderEnvironment({ shell, variables, usage: again }) };
}

type Requested = { readonly host: string | undefined; readonly client: string | undefined };

async function configureTool(tool: ToolName, requested: Requested, context: ActionContext): Promise<Environment> {
  const { global, runtime } = context;
  const store = storeOf(context);
  const { hosts, client } = reachedBy(tool, requested, await store.read());
  filesHere(store, client);
  const [first, ...others] = hosts.map((host) => accessHere(host, client, programOf(context)));
  if (first === undefined) throw new Error('a client without hosts was resolved');
  const text = renderTool(tool, [first, ...others], (host) => `docker-tls env ${shellQuote(host)} --format ${tool}`);
  const names = hosts.map(({ record }) => record.name);
  if (afterRenewal(tool) !== undefined && !global.dryRun)
    await rememberCopy(store, client.record.name, { format: tool, hosts: names }, runtime.now());
  return { format: tool, hosts: names, client: client.record.name, text };
}

/** What is typed here to run this program on this store. */
function programOf({ global: { home }, runtime }: ActionContext): string {
  return home === storeDirectory(undefined, runtime)
    ? runtime.program
    : `${runtime.program} --home ${shellQuote(home)}`;
}

/** One host, or for a tool that takes several and where none is named, all that accept the client. */
function reachedBy(
  tool: ToolName,
  requested: Requested,
  state: StoreState,
): { readonly hosts: readonly ReachableHost[]; readonly client: KnownClient } {
  const known = [...reachableHosts(state).values()];
  const named = requested.client === undefined ? undefined : state.clients.get(requested.client);
  const one = requested.host !== undefined || !takesSeveral(tool) || known.length < 2;
  const first = one ? undefined : known.find((host) => named === undefined || accepts(host, named));
  const host = first ?? resolveHost(state, requested.host, 'docker-tls env');
  const client = resolveClient(state, host, requested.client, 'docker-tls env');
  return { hosts: one ? [host] : known.filter((other) => accepts(other, client)), client };
}
