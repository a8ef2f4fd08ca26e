/** Prompts available to an action; src/cli/prompts.ts implements them. */

import { DockerTlsError, printable } from '../../errors/errors.ts';
import type { Secret } from '../domain/secret.ts';
import type { Io, SshQuestions } from '../runtime.ts';
import { orIn } from '../seams/setting-places.ts';

/** Another source of the answer, named in the error without a terminal. */
export type AnswerSource = {
  /** The flag, for instance `--address ADDR`. */
  readonly flag: string;
  /** The key in the fleet file, for instance `hosts.build-1.address`. */
  readonly key?: string;
};

export type PromptChoice<T> = {
  readonly value: T;
  readonly name: string;
  /** Shown below the list for the choice under the cursor. */
  readonly description?: string;
  /** The reason why it is unavailable. */
  readonly disabled?: string;
  readonly typedAs?: readonly string[];
};

type Question = AnswerSource & {
  /** Short: it stays on the screen with its answer. */
  readonly message: string;
  /**
   * An explanation above the question, one or two lines; `
   * ` starts a new line.
   */
  readonly explain?: string;
};

/** What gives the same answer on the command line, for a hint that repeats the command. Never for a secret. */
type TypedAs<T> = { readonly typedAs?: (answer: T) => readonly string[] };

export type Prompts = {
  /** The user can answer: a terminal, and no `--yes`. */
  readonly interactive: boolean;
  /** Shows a text after a title, such as a plan, for the user to read before the question; it stays on the screen. */
  show(text: string, title?: string): Promise<void>;
  /** `--yes`: true without a question. */
  confirm(question: Question & TypedAs<true> & { readonly default?: boolean }): Promise<boolean>;
  input(
    question: Question &
      TypedAs<string> & {
        /** An answer that is the default is not repeated: without it, the question has the same default again. */
        readonly default?: string;
        readonly validate?: (text: string) => true | string | Promise<true | string>;
      },
  ): Promise<string>;
  /** `confirm`: asks twice until both answers match. Rejects an empty answer unless `allowEmpty`. */
  password(
    question: Question & {
      readonly confirm?: boolean;
      readonly allowEmpty?: boolean;
      readonly validate?: (text: string) => true | string;
    },
  ): Promise<Secret>;
  select<T>(question: Question & { readonly choices: readonly PromptChoice<T>[]; readonly default?: T }): Promise<T>;
  /** For SshOptions.ask; undefined without a terminal. */
  readonly ssh: SshQuestions | undefined;
};

/** One confirmation before a change; --yes answers it. Fails with E_DECLINED (exit 130) if the answer is no. */
export async function agree(prompts: Prompts, message: string): Promise<void> {
  if (!(await prompts.confirm({ message, default: false, flag: '--yes' }))) throw declined();
}

export function declined(): DockerTlsError {
  return new DockerTlsError('E_DECLINED', 'nothing was changed on a host or in the store');
}

/** The error of a missing answer; it names the flag that gives it. */
export function noAnswer(message: string, { flag, key }: AnswerSource, io: Io, yes: boolean): DockerTlsError {
  const question = printable(message).replace(/[?:]\s*$/, '');
  const ways = key === undefined ? flag : `${flag}${orIn(key)}`;
  const terminal = io.inIsTerminal && io.errIsTerminal;
  const why = terminal ? (yes ? ', and --yes asks nothing' : '') : ', and there is no terminal to ask for it';
  return new DockerTlsError('E_NO_TERMINAL', `an answer is missing${why}: ${question}`, { hints: [`give ${ways}`] });
}
