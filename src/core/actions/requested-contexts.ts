/** Docker contexts requested by the specs of hosts: checks before a host changes, and their creation. */

import { DockerTlsError, DockerTlsErrors, failureOf } from '../../errors/errors.ts';
import { readContext } from '../adapters/docker/contexts.ts';
import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import { hostContextName } from '../domain/hosts/specs.ts';
import type { HostSpec } from '../domain/settings.ts';
import { isAccepted } from '../domain/trust/trust.ts';
import type { Runtime } from '../runtime.ts';
import { offeredLines } from '../seams/seam.ts';
import { SETTING_PLACES } from '../seams/setting-places.ts';
import { dockerConfigDirectory } from '../user.ts';
import { type ContextRequest, checkPlaces, giveContext } from './give-context.ts';

/** For a host that is not in the store yet: fails, before the host changes, if the requested context cannot be created. */
export async function checkContextOf(
  spec: HostSpec,
  client: StoredClient,
  state: StoreState,
  dockerConfig: string,
): Promise<void> {
  const wanted = contextOf(spec);
  if (wanted === undefined || client.key === undefined) return;
  await checkPlaces(state, client, { ...wanted, dockerConfig }).catch((error: unknown) => {
    const { code, message } = failureOf(error);
    if (code !== 'E_CLIENT_FILES_EXIST') throw error;
    const later = `docker-tls context ${spec.name} --config-directory --replace`;
    const hints = [`leave --config-directory out; then, to replace them (copies are kept): ${later}`];
    throw new DockerTlsError(code, message, { where: spec.name, hints });
  });
}

/** Like checkContextOf, for every host of a run at once: no fleet change starts with impossible contexts. */
export async function checkContexts(
  specs: readonly HostSpec[],
  clients: readonly StoredClient[],
  state: StoreState,
  dockerConfig: string,
): Promise<void> {
  const errors: DockerTlsError[] = [];
  for (const spec of specs) {
    const client = contextClient(spec, clients);
    if (client === undefined) continue;
    await checkContextOf(spec, client, state, dockerConfig).catch((error: unknown) => {
      const failure = failureOf(error);
      // The flags in its hints belong to other commands.
      const ways = [
        ...offeredLines(SETTING_PLACES, `another name in the fleet file: hosts.${spec.name}.context`),
        ...failure.hints.slice(0, 1),
      ];
      errors.push((failure.code === 'E_CONTEXT_EXISTS' ? failure.hinting(ways) : failure).at(spec.name));
    });
  }
  if (errors.length > 0) throw new DockerTlsErrors(errors);
}

/**
 * Creates the requested contexts, each for the first of `clients` whose key is stored and whom the host accepts. A failure is an error next
 * to the others.
 */
export async function giveContexts(
  specs: readonly HostSpec[],
  clients: readonly StoredClient[],
  around: Pick<ContextRequest, 'store' | 'dockerConfig' | 'now'>,
): Promise<DockerTlsError[]> {
  const errors: DockerTlsError[] = [];
  for (const spec of specs) {
    const wanted = contextOf(spec);
    if (wanted === undefined) continue;
    const client = contextClient(spec, clients);
    try {
      if (client === undefined) throw noClientFor(wanted.context);
      await giveContext({ ...around, ...wanted, host: spec.name, client: client.record.name });
    } catch (error) {
      errors.push(failureOf(error).orAt(spec.name));
    }
  }
  return errors;
}

function contextOf(spec: HostSpec) {
  const context = hostContextName(spec);
  const { use = false, configDirectory = false } = spec;
  return context === undefined ? undefined : { context, use, configDirectory, replace: false };
}

/** The client for a host's context: the first one whose key is stored and whom the host accepts. */
function contextClient(spec: HostSpec, clients: readonly StoredClient[]): StoredClient | undefined {
  return clients.find(({ key, record }) => key !== undefined && isAccepted(record, spec));
}

function noClientFor(context: string): DockerTlsError {
  const what = `the context ${context} was not made: no client whose key is here is accepted`;
  return new DockerTlsError('E_NO_CLIENTS', what, { hints: ['docker-tls client list'] });
}

/** Rejects an existing context that docker-tls did not write, before the host changes. */
export async function refuseContext(name: string, runtime: Pick<Runtime, 'env' | 'cwd'>): Promise<void> {
  const found = await readContext({ name, dockerConfig: dockerConfigDirectory(runtime) });
  if (found === undefined || found.ours) return;
  throw new DockerTlsError(
    'E_CONTEXT_EXISTS',
    `there is a docker context ${name} already, and docker-tls did not write it`,
    { where: name, hints: ['choose another name: --context NAME', `docker context inspect ${name}`] },
  );
}
