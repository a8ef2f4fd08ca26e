/** `env --format TOOL`: tool configuration. */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import { filesHere, likelyOwn } from '../../../core/actions/own-client.ts';
import { rememberCopy } from '../../../core/actions/remember-copy.ts';
import { noteThroughSsh } from '../../../core/actions/through-ssh.ts';
import type { StoreState } from '../../../core/adapters/store/records.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { ToolConfiguration } from '../../../core/domain/shell-environment.ts';
import { accepts, type ReachableHost, reachableHosts } from '../../../core/domain/trust/reachable-hosts.ts';
import { type KnownClient, resolveClient, resolveHost } from '../../../core/domain/trust/resolve.ts';
import { storeDirectory } from '../../../core/user.ts';
import type { Again } from '../../../errors/errors.ts';
import { TOOLS, type ToolName } from '../domain/tool-names.ts';
import { renderTool, TOOL_TABLE } from '../domain/tools.ts';
import { accessHere } from './tool-config.ts';

type Requested = { readonly host: string | undefined; readonly client: string | undefined };

export async function configureTool(
  tool: ToolName,
  requested: Requested,
  context: ActionContext,
): Promise<ToolConfiguration> {
  const { global, runtime } = context;
  const store = storeOf(context);
  const state = await store.read();
  const { hosts, client } = reachedBy(
    tool,
    requested,
    state,
    (host) => resolveClient(state, host, requested.client, context.again, likelyOwn(store)),
    context.again,
  );
  filesHere(store, client);
  const [first, ...others] = hosts.map((host) => accessHere(host, client, programOf(context)));
  if (first === undefined) throw new Error('a client without hosts was resolved');
  const text = renderTool(tool, [first, ...others], (name) => context.again({ host: name }));
  const names = hosts.map(({ record }) => record.name);
  noteThroughSsh(context, state, names);
  if (TOOLS[tool].afterRenewal !== undefined && !global.dryRun)
    await rememberCopy(store, 'docker-tls env', client.record.name, { format: tool, hosts: names }, runtime.now());
  return { format: tool, hosts: names, client: client.record.name, text };
}

/** The command that runs this program with this store. */
function programOf({ global: { home }, runtime }: ActionContext): string {
  return home === storeDirectory(undefined, runtime)
    ? runtime.program
    : `${runtime.program} --home ${shellQuote(home)}`;
}

/** The named host, or for a tool with several hosts by default all that accept the client. */
function reachedBy(
  tool: ToolName,
  requested: Requested,
  state: StoreState,
  clientAt: (host: ReachableHost) => KnownClient,
  again: Again,
): { readonly hosts: readonly ReachableHost[]; readonly client: KnownClient } {
  const known = [...reachableHosts(state).values()];
  const named = requested.client === undefined ? undefined : state.clients.get(requested.client);
  const one = requested.host !== undefined || !TOOL_TABLE[tool].several || known.length < 2;
  const first = one ? undefined : known.find((host) => named === undefined || accepts(host, named));
  const host = first ?? resolveHost(state, requested.host, again);
  const client = clientAt(host);
  return { hosts: one ? [host] : known.filter((other) => accepts(other, client)), client };
}
