/**
 * The shape of a command: what it takes (data, from which the parser, the help and the completion are made),
 * what it is given, and what it returns. A command prints nothing itself.
 */

import type { ActionContext } from '../core/actions/action-context.ts';
import type { Group } from '../core/domain/settings.ts';
import type { ExitStatus } from '../errors/catalogue.ts';
import type { DockerTlsError, Hint } from '../errors/errors.ts';

/** What the shell may offer for a value. */
export type Completes = 'host' | 'client' | 'file' | 'directory';

type OptionBase = {
  /** One line for the help. */
  readonly summary: string;
  /** One letter, without the hyphen. */
  readonly short?: string;
  /** The word for the value in the help, for instance `FILE`. */
  readonly value?: string;
  /** The heading of the help that it is under. */
  readonly group?: Group;
  /** Left out of the help and of completion. */
  readonly hidden?: boolean;
  readonly completes?: Completes;
};

/** One option; its key is the name in camel case (`caDays` is `--ca-days`, `noUse` is `--no-use`). */
export type OptionSpec = OptionBase &
  (
    | { readonly kind: 'flag' }
    | { readonly kind: 'text' }
    /** May be repeated; commas separate as well. */
    | { readonly kind: 'list' }
    | { readonly kind: 'number'; readonly min?: number; readonly max?: number }
    | { readonly kind: 'choice'; readonly choices: readonly string[] }
    /** `90s`, `15m`, `12h`, `30d`, `2w`; the command gets milliseconds. */
    | { readonly kind: 'duration' }
  );

/**
 * `fleet`: it reads a fleet file; `hosts`, `host`: it reaches several, or one; `changes`: it changes something, here or there, or asks;
 * `plans`: it shows plans of hosts; `store`: it opens the store.
 */
export type Scope = 'fleet' | 'hosts' | 'host' | 'changes' | 'plans' | 'store';

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** One argument, in the order of the keys; `many` only for the last. */
export type ArgumentSpec = {
  readonly summary: string;
  readonly required?: boolean;
  readonly many?: boolean;
  readonly completes?: Completes;
  /** The words that are allowed, where there is a fixed set. */
  readonly choices?: readonly string[];
};

export type ArgumentSpecs = Readonly<Record<string, ArgumentSpec>>;

type OptionValue<S extends OptionSpec> = S extends { kind: 'flag' }
  ? boolean
  : S extends { kind: 'list' }
    ? readonly string[]
    : S extends { kind: 'number' | 'duration' }
      ? number | undefined
      : S extends { kind: 'choice'; choices: readonly (infer C)[] }
        ? C | undefined
        : string | undefined;

type ArgumentValue<S extends ArgumentSpec> = S extends { many: true }
  ? readonly string[]
  : S extends { required: true; choices: readonly (infer C)[] }
    ? C
    : S extends { required: true }
      ? string
      : string | undefined;

/** Flags that were not given are false, lists empty, everything else undefined: defaults belong to the actions. */
export type OptionValues<O extends OptionSpecs> = { readonly [K in keyof O]: OptionValue<O[K]> };
export type ArgumentValues<A extends ArgumentSpecs> = { readonly [K in keyof A]: ArgumentValue<A[K]> };

export type CommandContext<A, O> = ActionContext & { readonly args: A; readonly options: O };

export type CommandResult = {
  readonly exit: ExitStatus;
  /** Goes into the JSON document as it is; secrets show as `***`. */
  readonly result: object;
  /** For users, on stdout; an empty text prints nothing. Text from hosts must be clean (`printable`, `table`). */
  readonly text: string;
  /** What --quiet still shows of it where all went well; undefined: the text itself is what was asked for. */
  readonly attention?: string;
  /** The text is read by a program, such as a shell: its lines are never broken. */
  readonly verbatim?: boolean;
  /** Commands to go on with, `docker-tls …` or others, perhaps behind some words: after the text, as this person has to type them. */
  readonly next?: readonly Hint[];
  /** Failures of single hosts beside a result, the gravest last: printed after the text, and `error` in JSON. */
  readonly errors?: readonly DockerTlsError[];
};

export type Command = {
  readonly name: string;
  readonly summary: string;
  /** What it works on: a common option that means nothing there is refused rather than ignored. */
  readonly scope: readonly Scope[];
  /** One or two paragraphs for `--help`, after the usage line. */
  readonly about?: string;
  /** Lines to paste, shown at the end of `--help`. */
  readonly examples?: readonly string[];
  readonly args: ArgumentSpecs;
  readonly options: OptionSpecs;
  run(context: CommandContext<unknown, unknown>): Promise<CommandResult>;
};

/** A command but for its name and summary, which are in the list (commands.ts). */
export type CommandFile = Omit<Command, 'name' | 'summary'>;

/** A command in the list: its code is imported when it is called. */
export type CommandEntry = {
  /** One word, or two for a command in a group. */
  readonly name: string;
  readonly summary: string;
  /** The same, as docker calls it. */
  readonly alias?: string | undefined;
  load(): Promise<Command>;
};

/** `file` imports the command. */
export function listCommand(
  about: Omit<CommandEntry, 'load'>,
  file: () => Promise<{ readonly command: CommandFile }>,
): CommandEntry {
  const { name, summary } = about;
  return { ...about, load: async () => ({ name, summary, ...(await file()).command }) };
}

type TypedCommand<A extends ArgumentSpecs, O extends OptionSpecs> = Omit<CommandFile, 'args' | 'options' | 'run'> & {
  readonly args: A;
  readonly options: O;
  run(context: CommandContext<ArgumentValues<A>, OptionValues<O>>): Promise<CommandResult>;
};

/** Gives `run` the types that follow from the data in `args` and `options`. */
export function defineCommand<const A extends ArgumentSpecs, const O extends OptionSpecs>(
  command: TypedCommand<A, O>,
): CommandFile {
  // The parser makes exactly the values that ArgumentValues and OptionValues describe: the one place where that is asserted.
  return command as unknown as CommandFile;
}
