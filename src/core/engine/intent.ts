/** The shape of what the engine needs to carry out an intent, and of what came of it. */

import type { DockerTlsError } from '../../errors/errors.ts';
import type { StoreState } from '../adapters/store/records.ts';
import type { Store } from '../adapters/store/store.ts';
import type { Signer } from '../domain/external-ca.ts';
import type { HostResult } from '../domain/host-results.ts';
import type { OtherCa } from '../domain/other-ca.ts';
import type { San } from '../domain/pki/names.ts';
import type { Credentials, DesiredCredentials } from '../domain/plan/desired.ts';
import type { HostFacts } from '../domain/plan/facts.ts';
import type { StoreMark } from '../domain/plan/host-state.ts';
import type { KnownHosts } from '../domain/plan/other-store.ts';
import type { CheckResult, HostOutcome } from '../domain/plan/outcome.ts';
import type { HostPlan } from '../domain/plan/plan.ts';
import type { Secret } from '../domain/secret.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { StoreSettings } from '../domain/store-settings.ts';
import type { Intent, Wanted } from '../domain/trust/changes.ts';
import type { CopiesOutcome, HostProgress, HostSession, Progress, Runtime, SshOptions } from '../runtime.ts';
import type { PassphraseSource } from './key-protection.ts';
import type { VerifiedAt } from './verify-host.ts';

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
  /** Whether the settings by which the CA signs are accepted here: asks once on this computer. Fails with E_STORE_SETTINGS, E_DECLINED. */
  approve(signer: Signer): Promise<void>;
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
  readonly plan: HostPlan;
  /** Clients that are accepted afterwards. */
  readonly accepts: readonly string[];
  /** CAs of others, each of whose clients is accepted as well. */
  readonly otherCas: readonly OtherCa[];
  readonly problems: readonly DockerTlsError[];
  readonly credentials: DesiredCredentials | { readonly restored: RestoredCredentials } | undefined;
};

/** Those of a generation that comes back, as they are stored on the host. */
export type RestoredCredentials = { readonly ca: string; readonly cert: string };

/** What of a plan is shown and agreed to. Only a single host stays open until it is changed; of a fleet nothing else is kept meanwhile. */
export type AgreedHost = Pick<PlannedHost, 'spec' | 'address' | 'plan' | 'accepts' | 'otherCas'> &
  Partial<Pick<PlannedHost, 'session' | 'opened'>> & {
    readonly facts: Pick<HostFacts, 'os' | 'kind' | 'places'> & {
      readonly docker: Pick<HostFacts['docker'], 'version'>;
    };
  };

export type Planned = {
  readonly wanted: Wanted;
  readonly hosts: readonly HostResult<AgreedHost>[];
  /** By which settings of the store something will be signed, where they run or send something here. */
  readonly signer?: StoreSettings | undefined;
  /** They are not accepted on this computer yet. */
  readonly unapproved?: boolean;
};

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
