/** `apply` and `plan`: bring hosts in line with their specs, and create the docker contexts that the specs request. */

import type { DockerTlsError } from '../../errors/errors.ts';
import { contextName } from '../domain/fleet/specs.ts';
import type { HostSpec } from '../domain/settings.ts';
import { usableClients } from '../domain/trust/clients.ts';
import { clientsFor, hostsIntent } from '../domain/trust/wanted-hosts.ts';
import { change, changeHosts } from '../engine/change.ts';
import { resolveIntent } from '../engine/steps/resolve.ts';
import { dockerConfigDirectory } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { contextHere } from './contexts-of-host.ts';
import { type HostsOptions, openHosts } from './open-hosts.ts';
import { checkContexts, giveContexts } from './requested-contexts.ts';
import type { Changed } from './results.ts';

export type Applied = {
  readonly changed: Changed;
  readonly hosts: readonly HostSpec[];
  /** Docker contexts that could not be created; the hosts themselves are done. */
  readonly contexts: readonly DockerTlsError[];
  /** The first changed host and its docker context; both absent: none. */
  readonly first?: { readonly spec: HostSpec; readonly context: string | undefined };
};

/** Fails on problems of the whole run; hosts that fail are in the result. */
export async function applyHosts(
  context: ActionContext,
  names: readonly string[],
  options: HostsOptions,
): Promise<Applied> {
  const { runtime } = context;
  const { run, request } = await openHosts(context, names, options);
  const { hosts } = request;
  const dockerConfig = dockerConfigDirectory(runtime);
  const resolved = await resolveIntent(hostsIntent(request), run);
  const { wanted, state } = resolved;
  if (hosts.some((spec) => contextName(spec) !== undefined))
    await checkContexts(hosts, clientsFor(wanted, state), state, dockerConfig);
  const changed = await changeHosts(resolved);
  const done = new Set(changed.results.flatMap(({ kind, host }) => (kind === 'done' ? [host] : [])));
  const contexts = await giveContexts(
    hosts.filter(({ name }) => done.has(name)),
    usableClients(changed.state, changed.wanted.verifyAs),
    { store: run.store, dockerConfig, now: runtime.now },
  );
  const name = changed.results.find((one) => one.kind === 'done' && one.value.changed)?.host;
  const spec = hosts.find((one) => one.name === name);
  if (spec === undefined) return { changed, hosts, contexts };
  const here = contextName(spec) ?? (await contextHere(spec.name, await run.store.read(), dockerConfig));
  return { changed, hosts, contexts, first: { spec, context: here } };
}

/** The changes that applyHosts would make. */
export async function planHosts(
  context: ActionContext,
  names: readonly string[],
  options: HostsOptions,
): Promise<Changed> {
  const { run, request } = await openHosts(context, names, options);
  return change(hostsIntent({ ...request, reason: 'plan' }), { ...run, dryRun: true });
}
