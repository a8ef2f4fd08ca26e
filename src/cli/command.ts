/**
 * The shape of a command: its options and arguments as data (the source of parser, help and completion), its context and its result. A
 * command prints nothing itself.
 */

import type { ActionContext } from '../core/actions/action-context.ts';
import type { Group } from '../core/domain/setting.ts';
import type { ExitStatus } from '../errors/catalogue.ts';
import type { DockerTlsError, Hint } from '../errors/errors.ts';

/** The values that the shell completes. */
export type Completes = 'host' | 'client' | 'file' | 'directory';

type OptionBase = {
  /** One line for the help. */
  readonly summary: string;
  /** One letter, without the hyphen. */
  readonly short?: string;
  /** The placeholder of the value in the help, for instance `FILE`. */
  readonly value?: string;
  /** The option's heading in the help. */
  readonly group?: Group;
  /** Hidden from the help and from completion. */
  readonly hidden?: boolean;
  /** Only on the help pages of these topics. */
  readonly topics?: readonly string[];
  readonly completes?: Completes;
};

/** One option; its key is the name in camel case (`caDays` is `--ca-days`, `noUse` is `--no-use`). */
export type OptionSpec = OptionBase &
  (
    | { readonly kind: 'flag' }
    /** `optional`: '' if the option stands alone, at the end or before another one. */
    | { readonly kind: 'text'; readonly optional?: boolean }
    /** May be repeated; commas separate as well. */
    | { readonly kind: 'list' }
    | { readonly kind: 'number'; readonly min?: number; readonly max?: number }
    /** `unlisted`: choices that neither help nor completion offers. */
    | { readonly kind: 'choice'; readonly choices: readonly string[]; readonly unlisted?: readonly string[] }
    /** `90s`, `15m`, `12h`, `30d`, `2w`; the command gets milliseconds. */
    | { readonly kind: 'duration' }
  );

/**
 * `fleet`: reads a fleet file; `hosts`, `host`: connects to several, or to one; `changes`: changes something on this machine or on hosts,
 * or prompts; `plans`: shows plans of hosts; `store`: opens the store.
 */
export type Scope = 'fleet' | 'hosts' | 'host' | 'changes' | 'plans' | 'store';

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** One argument, in the order of the keys; `many` only for the last. */
export type ArgumentSpec = {
  readonly summary: string;
  readonly required?: boolean;
  readonly many?: boolean;
  readonly completes?: Completes;
  /** The allowed values, if the set is fixed. */
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
type ArgumentValues<A extends ArgumentSpecs> = { readonly [K in keyof A]: ArgumentValue<A[K]> };

export type CommandContext<A, O> = ActionContext & { readonly args: A; readonly options: O };

export type CommandResult<Document extends object | undefined = object | undefined> = {
  readonly exit: ExitStatus;
  /**
   * The result of the JSON document, of the type that schema/ is made from: NameDocument for the command `name`. Undefined for commands
   * that refuse --json. Secrets show as `***`.
   */
  readonly result: Document;
  /** For users, on stdout; an empty text prints nothing. Text from hosts must be clean (`printable`, `table`). */
  readonly text: string;
  /** The part that --quiet still shows of a success; undefined: the text itself is the requested output. */
  readonly attention?: string;
  /** A program, such as a shell, reads the text: lines are never wrapped. */
  readonly verbatim?: boolean;
  /**
   * Commands to run next, `docker-tls …` or others, optionally after some words; printed after the text in the form that the user types.
   */
  readonly next?: readonly Hint[];
  /** Failures of single hosts, in addition to a result, the most severe last: printed after the text, and `error` in JSON. */
  readonly errors?: readonly DockerTlsError[];
};

type HelpTopic = { readonly about: string; readonly examples: readonly string[] };

export type Command = {
  readonly name: string;
  readonly summary: string;
  /** The command's scope: common options outside it are refused and not ignored. */
  readonly scope: readonly Scope[];
  /** One or two paragraphs for `--help`, after the usage line. */
  readonly about?: string;
  /** Lines to paste, shown at the end of `--help`. */
  readonly examples?: readonly string[];
  /** Pages about some of its options: `docker-tls COMMAND --help TOPIC`. */
  readonly topics?: Readonly<Record<string, HelpTopic>>;
  readonly args: ArgumentSpecs;
  readonly options: OptionSpecs;
  run(context: CommandContext<unknown, unknown>): Promise<CommandResult>;
};

/** A command without its code. */
export type CommandPage = Omit<Command, 'run'>;

/** A command without its name and summary; commands.ts has those. */
type CommandFile = Omit<Command, 'name' | 'summary'>;

/** A line of the first page: `docker-tls help NAME` lists its commands. */
export type CommandGroup = {
  /** In lower case. */
  readonly name: string;
  readonly summary: string;
  /** For users of a shared store: the first page of others does not name its commands. */
  readonly shared?: true;
};

/** A listed command; its code is imported when it is called. */
export type CommandEntry = {
  /** One word, or two for a command in a group. */
  readonly name: string;
  readonly summary: string;
  /** The name that docker uses for the same command. */
  readonly alias?: string | undefined;
  /** Other words that users try. */
  readonly triedAs?: readonly string[] | undefined;
  /** Undefined: one of the first commands, or of the last group. */
  readonly group?: CommandGroup | undefined;
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

/** Derives the types of `run` from the data in `args` and `options`. */
export function defineCommand<const A extends ArgumentSpecs, const O extends OptionSpecs>(
  command: TypedCommand<A, O>,
): CommandFile {
  // The only assertion that the parser's values match ArgumentValues and OptionValues.
  return command as unknown as CommandFile;
}
