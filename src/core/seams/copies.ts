/** Copies of a client's credentials for docker on this computer: docker contexts, and the Docker config directory. */

import type { DockerTlsError } from '../../errors/errors.ts';
import type { Prompts } from '../actions/ask.ts';
import type { ClientCopies, StoredClient, StoreState } from '../adapters/store/records.ts';
import type { Store } from '../adapters/store/store.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { Progress, Runtime } from '../runtime.ts';
import { noFeature, seam } from './seam.ts';

export type ContextPlace = {
  readonly name: string;
  /** Docker's config directory, usually `~/.docker`. */
  readonly dockerConfig: string;
};

export type ContextRequest = {
  readonly store: Store;
  readonly host: string;
  readonly client: string;
  /** Name of the docker context. */
  readonly context: string;
  readonly dockerConfig: string;
  readonly use: boolean;
  /** Take over a context or files that docker-tls did not write. */
  readonly replace: boolean;
  /** Also write the files into the config directory itself. */
  readonly configDirectory: boolean;
  now(): Date;
};

/** The outcome of updating docker's copies of a client's credentials on this machine. */
export type CopiesOutcome = {
  /** Contexts that hold the new credentials, including those that already did. */
  readonly contexts: readonly string[];
  /** The Docker config directory itself holds the new credentials. */
  readonly directory: boolean;
  /** Outdated copies that were updated, in words. */
  readonly updated: readonly string[];
  /** Copies that are gone or were replaced by another origin's files, in words. They stay unchanged. */
  readonly missing: readonly string[];
  /** Copies that failed to update (E_CLIENT_COPY, E_NO_FEATURE); the others were updated. */
  readonly problems: readonly DockerTlsError[];
};

/** Of `setup`. */
export type ContextOptions = {
  readonly context?: string;
  readonly use: boolean;
  readonly configDirectory: boolean;
};

export type CopiesCode = {
  /** Before `setup` logs in: fails with E_USAGE (exit 2) if the options ask for a context and the host gets no port. */
  refuseWithoutPort(host: string, options: ContextOptions): void;
  /** The spec of a host new to the store, with the context that `setup` makes unasked. `dialled`: the address if the spec has none. */
  propose(
    spec: HostSpec,
    dialled: string,
    around: { readonly runtime: Runtime; readonly progress: Progress },
  ): Promise<HostSpec>;
  /** The name of the context: by option, else asked. Undefined: none. */
  ask(
    spec: HostSpec,
    before: HostSpec,
    around: { readonly options: ContextOptions; readonly prompts: Prompts },
  ): Promise<string | undefined>;
  /** Before hosts change: fails if a requested context cannot be made for the first of `clients` that its host accepts. */
  check(
    specs: readonly HostSpec[],
    clients: readonly StoredClient[],
    state: StoreState,
    around: { readonly runtime: Runtime; readonly command: 'setup' | 'apply' },
  ): Promise<void>;
  /** After it: makes them. Each failure is an error next to the others. */
  make(
    specs: readonly HostSpec[],
    clients: readonly StoredClient[],
    around: { readonly store: Store; readonly runtime: Runtime },
  ): Promise<DockerTlsError[]>;
  /** Fails with E_CONTEXT_NAME (exit 2). */
  checkName(name: string): void;
  /** Creates or updates a context, and records it with its client. */
  give(request: ContextRequest): Promise<unknown>;
  /** The context by which docker on this machine reaches the host; undefined: none. */
  here(spec: HostSpec, state: StoreState, runtime: Runtime): Promise<string | undefined>;
  /** Contexts that go with the host: those of ours that point to it, and to no other host of the store. */
  contextsOf(host: string, state: StoreState): Promise<readonly ContextPlace[]>;
  /** Removes them, also from the records; call it inside the store's lock. `gone`: names. A failure is an error next to the others. */
  remove(
    places: readonly ContextPlace[],
    around: { readonly store: Store; readonly now: () => Date },
  ): Promise<{ readonly gone: readonly string[]; readonly errors: readonly DockerTlsError[] }>;
  /** Updates the copies that the record lists. `state`: from before or after the renewal. */
  refresh(client: StoredClient, state: StoreState): Promise<CopiesOutcome>;
  /** A context's endpoint: empty if it has none; undefined without a readable context of that name. */
  endpointOf(place: ContextPlace): Promise<string | undefined>;
  /** The contexts among a client's copies that point to an endpoint. */
  contextsTo(endpoint: string, copies: readonly ClientCopies[]): Promise<readonly ContextPlace[]>;
};

export const COPIES = seam<{ load(): Promise<CopiesCode> }>();

/** Undefined without a feature for them. */
export async function copiesCode(): Promise<CopiesCode | undefined> {
  return COPIES.all[0]?.load();
}

const NONE: CopiesOutcome = { contexts: [], directory: false, updated: [], missing: [], problems: [] };

/**
 * As CopiesCode.refresh. A client whose key is on another machine has no copies on this one. Recorded copies that this build has no code
 * for are a problem (E_NO_FEATURE): an old CA must not go while docker here has files of it.
 */
export async function refreshCopies(client: StoredClient, state: StoreState): Promise<CopiesOutcome> {
  if (client.key === undefined || !client.record.copies?.length) return NONE;
  const code = await copiesCode();
  if (code !== undefined) return code.refresh(client, state);
  const why = 'docker on this machine has copies of its files, which this build of docker-tls cannot bring up to date';
  return { ...NONE, problems: [noFeature(client.record.name, why)] };
}
