/** The questions that an action may put to a person; src/cli/prompts.ts asks them. */

import { DockerTlsError } from '../../errors/errors.ts';
import type { Secret } from '../domain/secret.ts';
import type { SshQuestions } from '../runtime.ts';

/** Where else the answer can come from: named in the error where there is no terminal. */
export type AnswerSource = {
  /** The flag, for instance `--address ADDR`. */
  readonly flag: string;
  /** The key in the fleet file, for instance `hosts.build-1.address`. */
  readonly key?: string;
};

export type Choice<T> = {
  readonly value: T;
  readonly name: string;
  /** Shown below the list while the choice is under the cursor. */
  readonly description?: string;
  /** The reason why it cannot be chosen. */
  readonly disabled?: string;
};

type Question = AnswerSource & {
  /** Short: it stays on the screen with its answer. */
  readonly message: string;
  /** What it is about, shown above the question in a line or two; `\n` begins a line that is not joined to the one before. */
  readonly explain?: string;
};

export type Prompts = {
  /** There is someone to ask: a terminal, and no `--yes`. */
  readonly interactive: boolean;
  /** Text for users to read before they answer, such as a plan, after a title; it stays on the screen. */
  show(text: string, title?: string): Promise<void>;
  /** `--yes`: true without a question. */
  confirm(question: Question & { readonly default?: boolean }): Promise<boolean>;
  input(
    question: Question & {
      readonly default?: string;
      readonly validate?: (text: string) => true | string | Promise<true | string>;
    },
  ): Promise<string>;
  /** `confirm`: asked twice until both are the same. An empty answer is refused unless `allowEmpty`. */
  password(
    question: Question & {
      readonly confirm?: boolean;
      readonly allowEmpty?: boolean;
      /** This answer is not asked for twice. */
      readonly unconfirmed?: string;
      readonly validate?: (text: string) => true | string;
    },
  ): Promise<Secret>;
  select<T>(question: Question & { readonly choices: readonly Choice<T>[]; readonly default?: T }): Promise<T>;
  /** For SshOptions.ask; undefined without a terminal. */
  readonly ssh: SshQuestions | undefined;
};

/** One question before something changes; with --yes it is answered. Fails with E_DECLINED (exit 130) when the answer is no. */
export async function agree(prompts: Prompts, message: string): Promise<void> {
  if (!(await prompts.confirm({ message, default: false, flag: '--yes' }))) throw declined();
}

export function declined(): DockerTlsError {
  return new DockerTlsError('E_DECLINED', 'nothing was changed');
}
