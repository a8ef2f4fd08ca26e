/** Inputs and results of the engine. */

import type { DockerTlsError } from '../../errors/errors.ts';
import type { StoreState } from '../adapters/store/records.ts';
import type { Store, UndoToken } from '../adapters/store/store.ts';
import type { CaSigner } from '../domain/external-ca.ts';
import type { HostResult } from '../domain/host-results.ts';
import type { OtherCa } from '../domain/other-ca.ts';
import type { San } from '../domain/pki/san.ts';
import type { Credentials, DesiredCredentials } from '../domain/plan/desired.ts';
import type { HostFacts } from '../domain/plan/facts.ts';
import type { StoreMark } from '../domain/plan/host-state.ts';
import type { KnownHosts } from '../domain/plan/other-store.ts';
import type { HostOutcome, ProbeCheck } from '../domain/plan/outcome.ts';
import type { HostPlan } from '../domain/plan/plan-host.ts';
import type { Secret } from '../domain/secret.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { StoreSettings } from '../domain/store-settings.ts';
import type { Intent, Wanted } from '../domain/trust/changes.ts';
import type { HostProgress, HostSession, Progress, Runtime, SshOptions } from '../runtime.ts';
import type { CopiesOutcome } from '../seams/copies.ts';
import type { OwnCa } from '../seams/issuers.ts';
import type { PassphraseSource } from './key-protection.ts';
import type { VerifiedAt } from './verify-host.ts';

/** Access to hosts. */
export type Reach = {
  readonly runtime: Runtime;
  readonly sudoPassword?: Secret | undefined;
  /** sudo passwords of single hosts, by name; they precede the common one. */
  readonly sudoPasswords?: ReadonlyMap<string, Secret> | undefined;
  readonly ask?: SshOptions['ask'];
};

export type Run = Reach & {
  readonly store: Store;
  readonly progress: Progress;
  readonly passphrase: PassphraseSource;
  /** The CA of the fleet file, and its signer. */
  readonly signer?: OwnCa | undefined;
  readonly parallel?: number | undefined;
  readonly canary?: number | undefined;
  readonly maxFailures?: number | undefined;
  /** Only plan. */
  readonly dryRun: boolean;
  /** A person sees the plans first and confirms them; otherwise everything was approved beforehand. */
  readonly asks: boolean;
  /** Requires that this machine accepts the CA's signer settings; asks once per machine. Fails with E_STORE_SETTINGS, E_DECLINED. */
  approve(signer: CaSigner): Promise<void>;
  /** Shows plans and asks the question. Throws if the person declines. */
  confirm(planned: Planned, question: string): Promise<void>;
  /** Called once with the hosts as planned, after every approval, before the first change; not if no host may change. */
  beforeChange?(hosts: ChangeContext['hosts']): Promise<void>;
  /** Other parts of a split run use the store at the same time. */
  readonly shared?: boolean;
  /** The store as the command has read it. */
  readonly state?: StoreState;
  /** Hosts with an open session. */
  readonly opened?: ReadonlyMap<string, OpenedHost>;
};

/** A change under way. `resolveIntent` begins it, and each later step fills in its part. */
export type ChangeContext = {
  readonly intent: Intent;
  readonly run: Run;
  /** Start of the run. */
  readonly now: Date;
  /** Hosts of the store and those that this run has set up. A host is refused under a second name. */
  readonly known: KnownHosts;
  /** The store stays locked from issuing to the last host. */
  readonly held: boolean;
  /** As decided at the start of the run, then again under the store's lock. */
  wanted: Wanted;
  /** The store at the start of the run, then after issuing. */
  state: StoreState;
  /** The requested credentials are in the store. */
  issued: boolean;
  /** Plans to show. */
  hosts: readonly HostResult<AgreedHost | PlannedHost>[];
  /** The store's signer settings, if the change signs with them, and the part that runs or sends something on this machine. */
  storeSigner?: CaSigner | undefined;
  signer?: StoreSettings | undefined;
  /** This machine has not accepted them yet. */
  unapproved?: boolean | undefined;
  /** The write of the requested credentials, and the store before it. */
  written?: UndoToken & { readonly before: StoreState };
  /** Updates of docker's copies of clients' files on this machine, by client. */
  copies: ReadonlyMap<string, CopiesOutcome>;
  results?: readonly HostResult<HostOutcome>[];
};

/** State shared by the hosts of a change. */
export type Base = Readonly<Pick<ChangeContext, 'intent' | 'wanted' | 'state' | 'now' | 'issued' | 'known'>>;

export type OpenedHost = {
  readonly session: HostSession;
  readonly facts: HostFacts;
  readonly skewMs: number;
  /** Names for the host's certificate, proposed from its facts, the dialled one first. */
  proposed(address: string): San[];
};

export type PlannedHost = {
  /** Requested settings; the host keeps them with the generation. */
  readonly spec: HostSpec;
  readonly address: string;
  readonly session: HostSession;
  readonly opened: OpenedHost;
  /** Including the facts for hardening. */
  readonly facts: HostFacts;
  /** The store when the plan was made; of its hosts at least this one. */
  readonly latest: StoreState;
  /** The store's revision when the plan was made, for the host to keep. */
  readonly mark?: StoreMark | undefined;
  readonly plan: HostPlan;
  /** Clients accepted after the change. */
  readonly accepts: readonly string[];
  /** CAs of others whose clients are all accepted as well. */
  readonly otherCas: readonly OtherCa[];
  readonly problems: readonly DockerTlsError[];
  readonly credentials: DesiredCredentials | { readonly restored: RestoredCredentials } | undefined;
};

/** Credentials of a restored generation, as stored on the host. */
export type RestoredCredentials = {
  readonly ca: string;
  readonly cert: string;
  /** Its list of clients (`NAME ROLE`), if a listener in front of the daemon had one. */
  readonly accepts: readonly string[] | undefined;
};

/**
 * The shown and approved part of a plan. A single host's session stays open until the change; for a fleet nothing else is kept meanwhile.
 */
export type AgreedHost = Pick<PlannedHost, 'spec' | 'address' | 'plan' | 'accepts' | 'otherCas'> &
  Partial<Pick<PlannedHost, 'session' | 'opened'>> & {
    readonly facts: Pick<HostFacts, 'os' | 'kind' | 'places'> & {
      readonly docker: Pick<HostFacts['docker'], 'version'>;
    };
  };

export type Planned = Readonly<Pick<ChangeContext, 'wanted' | 'hosts' | 'signer' | 'unapproved'>>;

export type Changed = Readonly<Pick<ChangeContext, 'wanted' | 'state' | 'copies'>> & {
  /** Only in a dry run. */
  readonly planned?: Planned;
  readonly results: readonly HostResult<HostOutcome>[];
};

/** One transaction with one host. */
export type HostChange = Pick<PlannedHost, 'plan' | 'facts' | 'spec' | 'session' | 'mark'> & {
  /** Names the change in lock, timer and journal: letters and digits. It may already hold the host's lock. */
  readonly id: string;
  readonly credentials: Credentials | undefined;
  readonly reach: Reach;
  /** For the host's own records. */
  readonly reason: string;
  readonly progress: HostProgress;
  /** Makes real connections after the change; empty if there is nothing to verify over TLS. */
  readonly verify: () => Promise<ProbeCheck[]>;
  /** Address to verify at, if the store does not know the host yet. */
  readonly first?: VerifiedAt | undefined;
  /** Writes our own records, just before confirming the change to the host. Resolves to the store's revision that has them. */
  readonly save: () => Promise<StoreMark | undefined>;
  readonly unsave: () => Promise<void>;
};

export type ChangeOutcome = Pick<HostOutcome, 'checks' | 'warnings'>;
