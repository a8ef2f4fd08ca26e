/** Owns the shape of what a command wants, of what the engine needs to carry it out, and of what came of it. */

import type { StoreState } from '../adapters/store/records.ts';
import type { Store } from '../adapters/store/store.ts';
import type { Signer } from '../domain/external-ca.ts';
import type { HostResult } from '../domain/host-results.ts';
import type { San } from '../domain/pki/names.ts';
import type { Credentials, DesiredCredentials } from '../domain/plan/desired.ts';
import type { HostFacts } from '../domain/plan/facts.ts';
import type { StoreMark } from '../domain/plan/host-state.ts';
import type { KnownHosts } from '../domain/plan/other-store.ts';
import type { CheckResult, HostOutcome } from '../domain/plan/outcome.ts';
import type { HostPlan } from '../domain/plan/plan.ts';
import type { Secret } from '../domain/secret.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { CredentialChange } from '../domain/trust/changes.ts';
import type { DockerTlsError } from '../errors/errors.ts';
import type { CopiesOutcome, HostProgress, HostSession, Progress, Runtime, SshOptions } from '../runtime.ts';
import type { PassphraseSource } from './key-protection.ts';
import type { VerifiedAt } from './verify-host.ts';

export type Intent = {
  /** For locks and the host's own records, for instance `rotate server`. */
  readonly reason: string;
  /** What is wanted, by what the store has. Pure; called again once the store is locked. Throws what prevents it. */
  want(state: StoreState, now: Date): Wanted;
  /** What is asked before anything changes; undefined: nothing. */
  question?(wanted: Wanted, changing: number): string | undefined;
};

/** Which hosts, and how their desired state and that of the CA and clients differ from what there is. */
export type Wanted = {
  readonly hosts: readonly HostSpec[];
  readonly credentials: readonly CredentialChange[];
  readonly target: Target;
  /** Why hosts are changed that were not named. */
  readonly notes?: readonly string[];
  /** Hosts that stay as they are, each with its reason. */
  readonly leftOut?: readonly DockerTlsError[];
  /** Clients to verify hosts with, before any other. */
  readonly verifyAs?: readonly string[];
  /** Clients that must be rejected: tried with their own certificates. */
  readonly mustReject?: readonly string[];
  /** Copies of every client's files are brought up to date: a run before may have ended between the store and them. */
  readonly copies?: boolean;
  /** A CA and clients that are made for hosts go again where no host came to use them. */
  readonly temporary?: boolean;
};

export type Target =
  | {
      readonly kind: 'desired';
      /** Issue new server certificates whatever the old ones are; the words say why. */
      readonly force?: string;
      readonly noOverlap?: boolean;
      /** Hosts that another store manages may change hands. */
      readonly takeOver?: boolean;
      /** Clients of a CA that a host accepts now, and that this store does not know, may lose it. */
      readonly rejectOthers?: boolean;
      /** The fixes of a spec are added to those that the host has: no request takes any away. */
      readonly addHardening?: boolean;
    }
  | {
      readonly kind: 'generation';
      readonly to: number | 'previous' | 'none';
      /** Also where a revoked client, or a client of a dropped CA, is accepted again. */
      readonly allowRevoked: boolean;
      /** Remove also where a TCP port opens again that accepts every client. */
      readonly allowPlainTcp: boolean;
    };

/** How hosts are reached. */
export type Reach = {
  readonly runtime: Runtime;
  readonly sudoPassword?: Secret | undefined;
  /** Passwords for sudo of single hosts, by name; they come before the common one. */
  readonly sudoPasswords?: ReadonlyMap<string, Secret> | undefined;
  readonly ask?: SshOptions['ask'];
};

export type Run = Reach & {
  readonly store: Store;
  readonly progress: Progress;
  readonly passphrase: PassphraseSource;
  /** How the CA signs from here, where the fleet file says it. */
  readonly signer?: Signer | undefined;
  readonly parallel?: number | undefined;
  readonly canary?: number | undefined;
  readonly maxFailures?: number | undefined;
  /** Plan and nothing else. */
  readonly dryRun: boolean;
  /** A person sees the plans first, and is asked; else everything was agreed to beforehand. */
  readonly asks: boolean;
  /** Shows plans and asks the question. Throws where the answer is no. */
  confirm(planned: Planned, question: string): Promise<void>;
  /** Other parts of a split run use the store at the same time. */
  readonly shared?: boolean;
  /** Hosts that are open already. */
  readonly opened?: ReadonlyMap<string, OpenedHost>;
};

/** What the hosts of one run have in common. */
export type Base = {
  readonly intent: Intent;
  readonly wanted: Wanted;
  /** The store when the run began, or once it had issued. */
  readonly state: StoreState;
  /** When it began. */
  readonly now: Date;
  /** The credentials that are wanted are in the store. */
  readonly issued: boolean;
  /** The hosts of the store, and those that this run has set up: a host is refused under a second name. */
  readonly known: KnownHosts;
};

export type OpenedHost = {
  readonly session: HostSession;
  readonly facts: HostFacts;
  readonly skewMs: number;
  /** Names that the host's own facts propose for its certificate, the dialled one first. */
  proposed(address: string): San[];
};

export type PlannedHost = {
  /** What is asked for; the host keeps it with the generation. */
  readonly spec: HostSpec;
  readonly address: string;
  readonly session: HostSession;
  readonly opened: OpenedHost;
  /** With what hardening has to know. */
  readonly facts: HostFacts;
  /** The store when the plan was made; of the hosts only this one. */
  readonly latest: StoreState;
  /** What the host is to keep of the store. */
  readonly mark?: StoreMark | undefined;
  readonly names: readonly San[];
  readonly plan: HostPlan;
  /** Clients that are accepted afterwards. */
  readonly accepts: readonly string[];
  readonly problems: readonly DockerTlsError[];
  readonly credentials: DesiredCredentials | { readonly restored: RestoredCredentials } | undefined;
};

/** Those of a generation that comes back, as they are stored on the host. */
export type RestoredCredentials = { readonly ca: string; readonly cert: string };

/** What of a plan is shown and agreed to. Only a single host stays open until it is changed; of a fleet nothing else is kept meanwhile. */
export type AgreedHost = Pick<PlannedHost, 'spec' | 'address' | 'names' | 'plan' | 'accepts'> &
  Partial<Pick<PlannedHost, 'session' | 'opened'>> & {
    readonly facts: Pick<HostFacts, 'os' | 'kind' | 'places'> & {
      readonly docker: Pick<HostFacts['docker'], 'version'>;
    };
  };

export type Planned = { readonly wanted: Wanted; readonly hosts: readonly HostResult<AgreedHost>[] };

export type Changed = {
  readonly wanted: Wanted;
  /** Of a dry run. */
  readonly planned?: Planned;
  readonly results: readonly HostResult<HostOutcome>[];
  /** The store once the credentials were issued. */
  readonly state: StoreState;
  /** What became of docker's copies of clients' files on this computer, by client. */
  readonly copies: ReadonlyMap<string, CopiesOutcome>;
};

/** One transaction with one host. */
export type HostChange = Pick<PlannedHost, 'plan' | 'facts' | 'spec' | 'session' | 'mark'> & {
  /** Names the change in lock, timer and journal: letters and digits. The host may be held by it already. */
  readonly id: string;
  readonly credentials: Credentials | undefined;
  readonly reach: Reach;
  /** For the host's own records. */
  readonly reason: string;
  readonly progress: HostProgress;
  /** Real connections after the change; empty when there is nothing to verify over TLS. */
  readonly verify: () => Promise<CheckResult[]>;
  /** Where it is verified, if the store does not know the host yet. */
  readonly first?: VerifiedAt | undefined;
  /** Writes our own records, just before the change is confirmed to the host. */
  readonly save: () => Promise<void>;
  readonly unsave: () => Promise<void>;
};

export type ChangeOutcome = Pick<HostOutcome, 'checks' | 'warnings'>;
