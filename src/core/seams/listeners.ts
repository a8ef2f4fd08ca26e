/** Services that accept TLS clients in front of the daemon. engine/loaded-listener.ts calls them. */

import type { DockerTlsError } from '../../errors/errors.ts';
import type { HostFacts } from '../domain/plan/facts.ts';
import type { FileChange } from '../domain/plan/file-change.ts';
import type { DesiredListener, ListenerPlan } from '../domain/plan/listener.ts';
import type { ProbeCheck } from '../domain/plan/outcome.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { HostSession, Runtime } from '../runtime.ts';
import { seam } from './seam.ts';

export type ListenerRequest = {
  readonly session: HostSession;
  readonly spec: HostSpec;
  readonly facts: HostFacts;
  /** The store has it as the listener of this host already, so `apply` sets it up. */
  readonly recorded: boolean;
  /** The clients that the host accepts. `direct`: one of our CAs may have signed their certificate itself. */
  readonly clients: readonly { readonly name: string; readonly role?: string | undefined; readonly direct: boolean }[];
  /** Names of clients that it rejects. */
  readonly rejected: readonly string[];
  /** PEM of our CAs, and of the clients' issuing CAs. */
  readonly cas: string;
  readonly issuers: string;
  /** PEM of CAs of others whose clients the host accepts too. */
  readonly otherCas: string;
  /** Restart it for sockets that are not active, if nothing else changes. */
  readonly startSockets: boolean;
};

export type OpenedListener = {
  readonly desired: DesiredListener;
  readonly notes: readonly string[];
  /** Obstacles on the host, and to its part of a plan. */
  readonly problems: (plan: ListenerPlan) => readonly DockerTlsError[];
};

/** A rollback or removal. `unit`: text of its unit afterwards; undefined: none. */
export type ListenerRestore = Pick<ListenerRequest, 'session' | 'facts'> & {
  readonly spec: Pick<HostSpec, 'name' | 'sockets'>;
  readonly files: readonly FileChange[];
  readonly unit: string | undefined;
};

export type ListenerState = {
  /** Program and version. */
  readonly title: string;
  /** What keeps it from serving clients, the likeliest cause first. */
  readonly problems: readonly DockerTlsError[];
  /** What explains a client that it does not serve, and is no fault while it serves it. */
  readonly signs: readonly DockerTlsError[];
};

export type ListenerCode = {
  /** Installs the packages of a plan, before its change. If it fails, it has taken them away again, or its error names those that are left. */
  install(session: HostSession, facts: HostFacts, packages: readonly string[]): Promise<void>;
  /** Takes away what that has installed, unless the host uses it; returns notes for the user. Never fails. */
  purge(session: HostSession, facts: HostFacts): Promise<readonly string[]>;
  /** Gathers what the listener needs to know of a connected host; changes nothing. */
  openListener(request: ListenerRequest, runtime: Pick<Runtime, 'signal'>): Promise<OpenedListener>;
  /** Looks at the service of a connected host, for a diagnosis; changes nothing. */
  lookAtListener(
    request: Pick<ListenerRequest, 'session' | 'spec' | 'facts'>,
    runtime: Pick<Runtime, 'signal'>,
  ): Promise<ListenerState>;
  /**
   * Sends requests to the sockets for programs on the host, some that their roles allow and some that they do not. `inactive`: names of those
   * that need not answer; one that does not was not checked.
   */
  checkSockets(
    request: Pick<ListenerRequest, 'session' | 'spec'> & { readonly inactive?: readonly string[] },
    runtime: Pick<Runtime, 'signal'>,
  ): Promise<readonly ProbeCheck[]>;
  /** Of a host that would have neither a port nor a socket, or sockets of dockerd. `recorded`: the store has the host. E_USAGE, exit 2. */
  openingProblem(spec: HostSpec, recorded: boolean): DockerTlsError;
  /** What a rollback or removal does to it, and obstacles to that. */
  planRestored(request: ListenerRestore): { readonly plan: ListenerPlan; readonly problems: readonly DockerTlsError[] };
  /**
   * Who is accepted with a certificate of the CA with this common name, by the `lists` of a host. Without `client`: each of its clients. Empty:
   * nobody.
   */
  acceptedOf(
    lists: ReadonlyMap<string, string>,
    commonName: string,
  ): readonly { readonly client?: string; readonly role: string }[];
  /** Path that a role must not GET and that changes nothing; undefined: the role allows all that are known. `rules`: roles of the host. */
  refusedPath(role: string, rules: readonly string[]): string | undefined;
};

/** `roles`: the names of those that need no rules of one's own. `lists`: files beside its credentials that say who may do what. */
export const LISTENERS = seam<{
  readonly name: string;
  readonly roles: readonly string[];
  readonly lists: readonly string[];
  load(): Promise<ListenerCode>;
}>();
