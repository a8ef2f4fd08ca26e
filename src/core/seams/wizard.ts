/** Questions of `setup` on a terminal. commands/setup.ts loads the first one. */

import type { DockerTlsError } from '../../errors/errors.ts';
import type { ActionContext } from '../actions/action-context.ts';
import type { RunOptions } from '../actions/run.ts';
import type { StoreState } from '../adapters/store/records.ts';
import type { HostFlags } from '../domain/hosts/specs.ts';
import type { CaSpec, HostSpec } from '../domain/settings.ts';
import type { OpenedHost } from '../engine/intent.ts';
import type { WritableFleet } from './fleet-files.ts';
import { seam } from './seam.ts';

/** Options of `setup` outside flags.ts. */
type SetupOptions = RunOptions & {
  readonly name?: string;
  readonly acceptCa?: string;
  readonly keyType?: CaSpec['keyType'];
  readonly days?: number;
  readonly client?: string;
  readonly context?: string;
  readonly noContext: boolean;
  readonly use: boolean;
  readonly configDirectory: boolean;
  readonly takeOver: boolean;
  readonly rejectOtherClients: boolean;
};

/** The request, and the environment that it meets. */
export type SetupContext = ActionContext & {
  readonly options: SetupOptions;
  readonly flags: HostFlags;
  readonly fleet: WritableFleet | undefined;
  readonly state: StoreState;
};

/** The content of a setup, apart from the host's own state: proposals from flags and facts, and answers. */
export type SetupAnswers = {
  readonly spec: HostSpec;
  readonly client: { readonly name: string; readonly requested: boolean };
  /** The fleet file that gets the host. */
  readonly file: WritableFleet | undefined;
  /** A host of another store is taken over. */
  readonly takeOver: boolean;
  /** Clients of another CA that the daemon accepts now are rejected from now on. */
  readonly rejectOthers: boolean;
};

export type Wizard = {
  /** The destination, as typed. `problem`: the failure of the previous answer. */
  askHost(context: SetupContext, problem: DockerTlsError | undefined): Promise<string>;
  /** Asks what the facts leave open; of a new host also how clients reach a port that this machine cannot dial. Fails if the answer is to end. */
  complete(context: SetupContext, answers: SetupAnswers, opened: OpenedHost, isNew: boolean): Promise<SetupAnswers>;
  /** Asks for each answer that no flag gave, with the present one as default. */
  edit(context: SetupContext, answers: SetupAnswers, opened: OpenedHost): Promise<SetupAnswers>;
  /** The answer to a plan. Fails with E_DECLINED (exit 130) for no. */
  confirm(context: SetupContext, question: string): Promise<'yes' | 'edit'>;
};

export const WIZARD = seam<{ load(): Promise<Wizard> }>();
