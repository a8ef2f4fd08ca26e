/** The context of an action: options of every command, effects, and prompts. */

import type { Again } from '../../errors/errors.ts';
import type { Progress, Runtime } from '../runtime.ts';
import type { Prompts } from './ask.ts';
import type { Planned } from './results.ts';

export type GlobalOptions = {
  readonly json: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  /** The store's directory, absolute: `--home`, DOCKER_TLS_HOME, or the Docker config directory + `/tls`. */
  readonly home: string;
  /** The address of a shared store, as given with `--store`. */
  readonly store: string | undefined;
  /** Ids of a shared store's settings that this call accepts (domain/store-settings.ts). */
  readonly trustStoreSettings: readonly string[];
  /** The fleet file, absolute, if given. */
  readonly file: string | undefined;
  readonly parallel: number | undefined;
  readonly log: string | undefined;
  readonly verbose: boolean;
  readonly quiet: boolean;
  /** Plans also show the content of new files. */
  readonly diff: boolean;
};

export type ActionContext = {
  readonly global: GlobalOptions;
  readonly runtime: Runtime;
  readonly progress: Progress;
  readonly prompts: Prompts;
  readonly again: Again;
  /** Plans as text, shown before confirmation. */
  readonly renderPlanned: (planned: Planned) => Promise<string>;
};
