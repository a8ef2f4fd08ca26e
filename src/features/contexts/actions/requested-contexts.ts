/** Docker contexts requested by the specs of hosts: checks before a host changes, and their creation. */

import type { StoredClient, StoreState } from '../../../core/adapters/store/records.ts';
import { hostContextName } from '../../../core/domain/hosts/specs.ts';
import type { HostSpec } from '../../../core/domain/settings.ts';
import { isAccepted } from '../../../core/domain/trust/trust.ts';
import type { CopiesCode } from '../../../core/seams/copies.ts';
import { offeredLines } from '../../../core/seams/seam.ts';
import { SETTING_PLACES } from '../../../core/seams/setting-places.ts';
import { dockerConfigDirectory } from '../../../core/user.ts';
import { DockerTlsError, DockerTlsErrors, failureOf } from '../../../errors/errors.ts';
import { checkContext } from '../adapters/contexts.ts';
import { checkPlaces, giveContext } from './give-context.ts';

/** No change starts with impossible contexts: fails with the problems of all hosts. */
export const checkContexts: CopiesCode['check'] = async (specs, clients, state, { runtime, command }) => {
  const errors: DockerTlsError[] = [];
  for (const spec of specs) {
    const wanted = contextOf(spec);
    const client = contextClient(spec, clients);
    // `apply` also runs where no client's key is: it makes no context there (giveContexts says so).
    if (wanted === undefined || (client === undefined && command === 'apply')) continue;
    const places = { ...wanted, dockerConfig: dockerConfigDirectory(runtime) };
    await checkRequested(spec, places, client, state).catch((error: unknown) => {
      const failure = failureOf(error);
      // The flags in its hints belong to other commands.
      const another =
        command === 'setup'
          ? ['choose another name: --context NAME']
          : offeredLines(SETTING_PLACES, `another name in the fleet file: hosts.${spec.name}.context`);
      const ways = [...another, ...failure.hints.slice(0, 1)];
      errors.push((failure.code === 'E_CONTEXT_EXISTS' ? failure.hinting(ways) : failure).at(spec.name));
    });
  }
  if (errors.length > 0) throw new DockerTlsErrors(errors);
};

async function checkRequested(
  { name }: HostSpec,
  places: Parameters<typeof checkPlaces>[2],
  client: StoredClient | undefined,
  state: StoreState,
): Promise<void> {
  if (client === undefined) return checkContext({ ...places, name: places.context });
  await checkPlaces(state, client, places).catch((error: unknown) => {
    const failure = failureOf(error);
    if (failure.code !== 'E_CLIENT_FILES_EXIST') throw error;
    const later = `docker-tls context ${name} --config-directory --replace`;
    throw failure.hinting([`leave --config-directory out; then, to replace them (copies are kept): ${later}`]);
  });
}

/** Each for the first of `clients` whose key is stored and whom the host accepts. */
export const giveContexts: CopiesCode['make'] = async (specs, clients, { store, runtime }) => {
  const errors: DockerTlsError[] = [];
  for (const spec of specs) {
    const wanted = contextOf(spec);
    if (wanted === undefined) continue;
    const client = contextClient(spec, clients);
    const around = { store, dockerConfig: dockerConfigDirectory(runtime), now: runtime.now };
    try {
      if (client === undefined) throw noClientFor(wanted.context);
      await giveContext({ ...around, ...wanted, host: spec.name, client: client.record.name });
    } catch (error) {
      errors.push(failureOf(error).orAt(spec.name));
    }
  }
  return errors;
};

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
