/**
 * Owns giving a client's credentials to the docker CLI of this computer: as a context, and into Docker's config directory.
 * The store remembers both, because they hold copies that a renewal has to replace.
 */

import { checkConfigDirectory, installIntoConfigDirectory } from '../adapters/docker/config-directory.ts';
import { checkContext, writeContext } from '../adapters/docker/contexts.ts';
import type { ClientCopies, StoredClient, StoreState } from '../adapters/store/records.ts';
import type { Store } from '../adapters/store/store.ts';
import { dockerHost } from '../domain/destination.ts';
import { contextName } from '../domain/fleet/specs.ts';
import { checkContextName, contextNameOf } from '../domain/names.ts';
import type { Secret } from '../domain/secret.ts';
import type { HostSpec } from '../domain/settings.ts';
import { noKeyHere } from '../domain/trust/client-refusals.ts';
import { type ReachableHost, reachableHosts } from '../domain/trust/reachable-hosts.ts';
import { clientName, resolveClient, resolveHost } from '../domain/trust/resolve.ts';
import { isAccepted } from '../domain/trust/trust.ts';
import { DockerTlsError, DockerTlsErrors } from '../errors/errors.ts';
import { dockerConfigDirectory } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { storeOf } from './store.ts';
import { noteThroughSsh } from './through-ssh.ts';

export type ContextRequest = {
  readonly store: Store;
  readonly host: string;
  readonly client: string;
  /** Name of the docker context. */
  readonly context: string;
  /** Docker's config directory. */
  readonly dockerConfig: string;
  readonly use: boolean;
  /** Take over a context or files that docker-tls did not write. */
  readonly replace: boolean;
  /** Put the files into the config directory itself as well. */
  readonly configDirectory: boolean;
  now(): Date;
};

export type ContextOutcome = {
  readonly context: string;
  readonly endpoint: string;
  readonly client: string;
  readonly created: boolean;
  readonly changed: boolean;
  /** The config directory that has the files as well. */
  readonly directory?: string;
  /** Copies of other users' files that were in the way in the config directory. */
  readonly kept: readonly string[];
};

export type ContextOptions = Pick<ContextRequest, 'use' | 'replace' | 'configDirectory'> & {
  readonly client: string | undefined;
  readonly context: string | undefined;
};

/** A context for the host that is named, or the only one. With --dry-run only what prevents it, and what would be written. */
export async function makeContext(
  around: ActionContext,
  named: string | undefined,
  options: ContextOptions,
): Promise<ContextOutcome> {
  const { global, runtime } = around;
  const store = storeOf(around);
  const state = await store.read();
  const host = resolveHost(state, named, 'docker-tls context');
  const { record } = host;
  const client = resolveClient(state, host, clientName(options, runtime), 'docker-tls context').record.name;
  const context = options.context ?? contextNameOf(record.name);
  checkContextName(context);
  noteThroughSsh(around, state, [record.name]);
  const { use, replace, configDirectory } = options;
  const dockerConfig = dockerConfigDirectory(runtime);
  const request = { host: record.name, client, context, dockerConfig, use, replace, configDirectory };
  if (!global.dryRun) return giveContext({ ...request, store, now: runtime.now });
  const { client: files, key } = credentials(state, request);
  await checkPlaces(state, { ...files, key }, request);
  const endpoint = dockerHost(record.address, record.port);
  return { context, endpoint, client, created: false, changed: false, kept: [] };
}

/**
 * Creates or updates the context (and, if asked, the config directory's files), then records it with the client. A second call
 * changes nothing. Fails as writeContext, installIntoConfigDirectory and the store do, and with E_CLIENT_NO_KEY (exit 2).
 */
export async function giveContext(request: ContextRequest): Promise<ContextOutcome> {
  const { store, dockerConfig, use, replace } = request;
  return store.withLock('docker-tls context', async () => {
    const state = await store.read();
    const { host, client, key } = credentials(state, request);
    const endpoint = dockerHost(host.record.address, host.record.port);
    const { ca, cert } = client;
    // Each copy is recorded as soon as it is there: the other may still fail.
    const known = certificates(state);
    let installed: { changed: boolean; kept: readonly string[] } = { changed: false, kept: [] };
    if (request.configDirectory) {
      installed = await installIntoConfigDirectory({ dockerConfig, ca, cert, key, known, replace });
      await remember(request, withConfigDirectory);
    }
    const written = await writeContext({
      name: request.context,
      dockerConfig,
      host: endpoint,
      description: `${host.record.name} over mutual TLS, as ${client.record.name}`,
      ca,
      cert,
      key,
      source: { store: store.home, hostName: host.record.name, client: client.record.name },
      use,
      replace,
    });
    await remember(request, (copies, owner) => withContext(copies, owner, request.context));
    return {
      context: request.context,
      endpoint,
      client: client.record.name,
      created: written.created,
      changed: written.changed || installed.changed,
      directory: request.configDirectory ? dockerConfig : undefined,
      kept: installed.kept,
    };
  });
}

/** For a host that is not in the store yet: fails before the host changes where the context that its spec asks for cannot be made. */
export async function checkContextOf(
  spec: HostSpec,
  { ca, cert, key }: Pick<StoredClient, 'ca' | 'cert' | 'key'>,
  state: StoreState,
  dockerConfig: string,
): Promise<void> {
  const wanted = contextOf(spec);
  if (wanted === undefined || key === undefined) return;
  const request = { ...wanted, dockerConfig };
  await checkPlaces(state, { ca, cert, key }, request).catch((error: unknown) => {
    if (!(error instanceof DockerTlsError) || error.code !== 'E_CLIENT_FILES_EXIST') throw error;
    const { code, message } = error;
    const later = `docker-tls context ${spec.name} --config-directory --replace`;
    const hints = [`leave --config-directory out; then, to replace them (copies are kept): ${later}`];
    throw new DockerTlsError(code, message, { where: spec.name, hints });
  });
}

/** The same for every host of a run, all of it at once: a fleet is not changed for contexts that cannot be made. */
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
      if (!(error instanceof DockerTlsError)) throw error;
      // The flags that its hints name are those of other commands.
      const ways = [`another name in the fleet file: hosts.${spec.name}.context`, ...error.hints.slice(0, 1)];
      const inFile = error.code === 'E_CONTEXT_EXISTS' ? error.hinting(ways) : error;
      errors.push(inFile.at(spec.name));
    });
  }
  if (errors.length > 0) throw new DockerTlsErrors(errors);
}

/** The context that a host's spec asks for. */
function contextOf(spec: HostSpec) {
  const context = contextName(spec);
  const { use = false, configDirectory = false } = spec;
  return context === undefined ? undefined : { context, use, configDirectory, replace: false };
}

/** Whose credentials a host's context gets: the first client whose key is here and whom the host accepts. */
function contextClient(spec: HostSpec, clients: readonly StoredClient[]): StoredClient | undefined {
  return clients.find(({ key, record }) => key !== undefined && isAccepted(record, spec));
}

/** Fails as giveContext would; writes nothing. */
async function checkPlaces(
  state: StoreState,
  { ca, cert, key }: { readonly ca: string; readonly cert: string; readonly key: Secret },
  request: Pick<ContextRequest, 'context' | 'dockerConfig' | 'use' | 'configDirectory' | 'replace'>,
): Promise<void> {
  const { dockerConfig, use, replace } = request;
  if (request.configDirectory)
    await checkConfigDirectory({ dockerConfig, ca, cert, key, known: certificates(state), replace });
  await checkContext({ name: request.context, dockerConfig, use, replace });
}

function certificates(state: StoreState): string[] {
  return [...state.clients.values()].map((one) => one.cert);
}

/**
 * The contexts that the specs ask for, each for the first of `clients` whose key is here and whom the host accepts; what prevents
 * one is an error beside the others.
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
      if (client === undefined) throw noClientFor(spec.name, wanted.context);
      await giveContext({ ...around, ...wanted, host: spec.name, client: client.record.name });
    } catch (error) {
      if (!(error instanceof DockerTlsError)) throw error;
      errors.push(error.where === undefined ? error.at(spec.name) : error);
    }
  }
  return errors;
}

function noClientFor(host: string, context: string): DockerTlsError {
  return new DockerTlsError(
    'E_NO_CLIENTS',
    `the context ${context} was not made: no client whose key is here is accepted`,
    { where: host, hints: ['docker-tls client list'] },
  );
}

/** Each copy belongs to exactly one client, the `owner`. Nothing is written when the store knows it already. */
export async function remember(
  { store, client, dockerConfig, now }: Pick<ContextRequest, 'store' | 'client' | 'dockerConfig' | 'now'>,
  change: (copies: ClientCopies, owner: boolean) => ClientCopies,
): Promise<void> {
  const clients: Record<string, StoredClient> = {};
  for (const [name, stored] of (await store.read()).clients) {
    const before = stored.record.copies ?? [];
    const here = before.find((one) => one.dockerConfig === dockerConfig) ?? {
      dockerConfig,
      contexts: [],
      directory: false,
    };
    const changed = change(here, name === client);
    if (changed === here) continue;
    const others = before.filter((one) => one !== here);
    const copies = changed.contexts.length > 0 || changed.directory ? [...others, changed] : others;
    clients[name] = { ...stored, record: { ...stored.record, copies, updatedAt: now().toISOString() } };
  }
  if (Object.keys(clients).length > 0) await store.write({ clients });
}

export function withContext(copies: ClientCopies, owner: boolean, context: string): ClientCopies {
  const { contexts } = copies;
  if (contexts.includes(context) === owner) return copies;
  return { ...copies, contexts: owner ? [...contexts, context] : contexts.filter((one) => one !== context) };
}

function withConfigDirectory(copies: ClientCopies, owner: boolean): ClientCopies {
  return copies.directory === owner ? copies : { ...copies, directory: owner };
}

function credentials(
  state: StoreState,
  request: Pick<ContextRequest, 'host' | 'client'>,
): { host: ReachableHost; client: StoredClient; key: Secret } {
  const host = reachableHosts(state).get(request.host);
  const client = state.clients.get(request.client);
  if (!host || !client) throw new Error(`giveContext: ${request.host} or ${request.client} is not in the store`);
  if (client.key) return { host, client, key: client.key };
  throw noKeyHere([request.client], request.client);
}
