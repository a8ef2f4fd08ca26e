/** Parsing: from the words after `docker-tls` to a command, its arguments and its options. commander parses; its errors become E_USAGE. */

import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { CommanderError, Command as Parser, Option as ParserOption } from 'commander';
import type { GlobalOptions } from '../core/actions/action-context.ts';
import { nearestNames } from '../core/domain/nearest.ts';
import { optionFlag } from '../core/domain/option-flag.ts';
import { homeDirectory, storeDirectory } from '../core/user.ts';
import type { DockerTlsError } from '../errors/errors.ts';
import { usage } from '../errors/errors.ts';
import type { ArgumentSpecs, Command, CommandPage, OptionSpec, OptionSpecs } from './command.ts';
import { commandOptions, GLOBAL_OPTIONS, listedChoices, MEANS_SOMETHING_FOR } from './global-options.ts';

export type ParsedOptions = {
  readonly args: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly global: GlobalOptions;
};

type Surroundings = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
};

/** The command as a commander object, for parsing its words and for its help. */
export function createParser(command: CommandPage, name: string): Parser {
  const parser = new Parser(name);
  parser
    .exitOverride()
    .helpOption(false)
    .configureOutput({ writeErr: () => {}, outputError: () => {} })
    .showSuggestionAfterError(false)
    .allowExcessArguments(false);
  for (const [key, spec] of Object.entries(commandOptions(command))) parser.addOption(parserOption(key, spec));
  for (const [word, { many, required, summary, choices }] of Object.entries(command.args)) {
    const words = many ? `${word}...` : word;
    parser.argument(required ? `<${words}>` : `[${words}]`, choices ? `${summary}: ${choices.join('|')}` : summary);
  }
  return parser;
}

/** Parses the words after the command's name. Errors: E_USAGE, exit 2, with the nearest valid name if there is one. */
export function parseOptions(command: Command, argv: readonly string[], around: Surroundings): ParsedOptions {
  const specs = commandOptions(command);
  const parser = createParser(command, `docker-tls ${command.name}`);
  try {
    parser.parse([...argv], { from: 'user' });
  } catch (error) {
    throw error instanceof CommanderError ? usageError(command, specs, argv, error) : error;
  }
  const torn = tornList(specs, argv);
  // A second address, or the HOST? Either guess could be wrong.
  if (torn !== undefined && isIP(torn.value) > 0 && isIP(torn.next) > 0)
    throw usage(
      `${torn.next} after ${torn.flag} ${torn.value} may be a second value, or the argument of ${command.name}`,
      [torn.joined, `or, if it is the argument: docker-tls ${command.name} ${torn.next} ${torn.flag} ${torn.value}`],
    );
  const given = parser.opts<Record<string, string | boolean | string[] | undefined>>();
  const values = Object.fromEntries(
    Object.entries(specs).map(([key, spec]) => [key, optionValue(key, spec, given[parserKey(key)], command, around)]),
  );
  return {
    args: argumentValues(command, parser.processedArgs as (string | string[] | undefined)[]),
    options: values,
    global: globalOptions(values, around),
  };
}

/** `90s`, `15m`, `12h`, `30d`, `2w` in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,6})(s|m|h|d|w)$/.exec(text);
  if (!match) return undefined;
  const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }[match[2] as 's'];
  return Number(match[1]) * unitMs;
}

function globalOptions(values: Readonly<Record<string, unknown>>, around: Surroundings): GlobalOptions {
  const path = (value: unknown) => (typeof value === 'string' ? resolve(around.cwd, value) : undefined);
  return {
    json: values.json === true,
    yes: values.yes === true,
    dryRun: values.dryRun === true,
    home: storeDirectory(values.home as string | undefined, around),
    store: values.store as string | undefined,
    trustStoreSettings: (values.trustStoreSettings as readonly string[] | undefined) ?? [],
    // `-f -` reads the fleet from standard input.
    file: values.file === '-' ? '-' : path(values.file),
    parallel: values.parallel as number | undefined,
    log: path(values.log),
    verbose: values.verbose === true,
    quiet: values.quiet === true,
    diff: values.diff === true,
  };
}

/** commander treats `--no-x` as the opposite of `x`: it uses the key `x`, and false means given. */
function parserKey(key: string): string {
  return isNegative(key) ? `${(key[2] as string).toLowerCase()}${key.slice(3)}` : key;
}

function isNegative(key: string): boolean {
  return /^no[A-Z]/.test(key);
}

/** The option may stand alone. */
function takesNoValue(spec: OptionSpec): boolean {
  return spec.kind === 'text' && spec.optional === true;
}

export function parserOption(key: string, spec: OptionSpec): ParserOption {
  const names = `${spec.short ? `-${spec.short}, ` : ''}${optionFlag(key)}`;
  const choices = listedChoices(spec).join('|');
  // A long list would push every summary of the page to the right.
  const long = choices.length > 19;
  const word = spec.value ?? (spec.kind === 'duration' ? 'TIME' : choices === '' || long ? 'VALUE' : choices);
  const option = new ParserOption(
    spec.kind === 'flag' ? names : takesNoValue(spec) ? `${names} [${word}]` : `${names} <${word}>`,
    long ? `${spec.summary}: ${choices.length > 60 ? choices.replaceAll('|', ', ') : choices}` : spec.summary,
  );
  option.helpGroup(`${spec.group ?? 'Options'}:`).hideHelp(spec.hidden === true);
  return spec.kind === 'list' ? option.argParser((value: string, all?: string[]) => [...(all ?? []), value]) : option;
}

function optionValue(
  key: string,
  spec: OptionSpec,
  given: string | boolean | string[] | undefined,
  { name }: Command,
  { env }: Surroundings,
) {
  const refuse = (message: string, hints: readonly string[] = []) =>
    usage(`${optionFlag(key)}: ${message}`, [...hints, `docker-tls ${name} --help`]);
  const isPath = spec.completes === 'file' || spec.completes === 'directory';
  // The shell does not expand the tilde in `--log=~/x` or in a quoted one.
  const text = (typed: string) => (isPath && typed.startsWith('~/') ? join(homeDirectory(env), typed.slice(2)) : typed);
  switch (spec.kind) {
    case 'flag':
      return isNegative(key) ? given === false : given === true;
    case 'list': {
      const values = (given as string[] | undefined) ?? [];
      // File names may contain commas; names and addresses do not. An unset variable in a script yields an empty value: --listen would then
      // mean every address, and --limit every host.
      if (values.some((value) => /^,*$/.test(value))) throw refuse('the value is empty');
      return (isPath ? values.map(text) : values.flatMap((value) => value.split(','))).filter((item) => item !== '');
    }
    default:
  }
  if (given === true && takesNoValue(spec)) return '';
  if (typeof given !== 'string') return undefined;
  if (given === '') throw refuse('the value is empty');
  if (spec.kind === 'number') return wholeNumber(given, spec.min ?? 0, spec.max ?? 1e9, refuse);
  if (spec.kind === 'choice' && !spec.choices.includes(given)) {
    const near = nearestNames(given, spec.choices).map((name) => `did you mean ${name}?`);
    throw refuse(`"${given}" is not one of ${spec.choices.join(', ')}`, near);
  }
  if (spec.kind === 'duration') {
    const ms = parseDuration(given);
    if (ms === undefined) throw refuse(`"${given}" is not a duration; write 90s, 15m, 12h, 30d or 2w`);
    return ms;
  }
  return text(given);
}

function wholeNumber(given: string, min: number, max: number, refuse: (message: string) => DockerTlsError): number {
  const value = Number(given);
  if (!/^\d+$/.test(given) || value < min || value > max) {
    throw refuse(`"${given}" is not a whole number from ${min} to ${max}`);
  }
  return value;
}

function argumentValues(command: Command, given: readonly (string | string[] | undefined)[]): ParsedOptions['args'] {
  const specs: ArgumentSpecs = command.args;
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec], index) => {
      const value = spec.many ? (given[index] ?? []) : given[index];
      const wrong = [value ?? []].flat().find((word) => spec.choices && !spec.choices.includes(word));
      if (wrong !== undefined) {
        const near = nearestNames(wrong, spec.choices ?? []).map((word) => `docker-tls ${command.name} ${word}`);
        throw usage(`"${wrong}" is not one of ${spec.choices?.join(', ')}`, near);
      }
      return [name, value];
    }),
  );
}

/** The first list option whose value is followed by another word that is not its second value. */
function tornList(specs: OptionSpecs, argv: readonly string[]) {
  const words = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const lists = Object.entries(specs).filter(([, spec]) => spec.kind === 'list');
  for (const [index, flag] of words.entries()) {
    const [value, next] = words.slice(index + 1);
    const list = lists.find(([key, { short }]) => flag === optionFlag(key) || flag === `-${short}`)?.[1];
    if (list !== undefined && value !== undefined && next !== undefined && !next.startsWith('-'))
      return {
        ...{ flag, value, next },
        joined:
          list.completes === 'file'
            ? `the option again for each file: ${flag} ${value} ${flag} ${next}`
            : `several values are one word: ${flag} ${value},${next}`,
      };
  }
  return undefined;
}

/** Whether commander's message is about this common option. */
function isNamed(key: string, message: string): boolean {
  // Undefined: of a feature that is not here.
  const { short } = (GLOBAL_OPTIONS as Partial<OptionSpecs>)[key] ?? {};
  const flags = [optionFlag(key), ...(short === undefined ? [] : [`-${short}`])];
  return flags.some((flag) => message.includes(`'${flag}'`) || message.includes(`'${flag}=`));
}

function usageError(command: Command, specs: OptionSpecs, argv: readonly string[], error: CommanderError) {
  const message = error.message.replace(/^error: /, '');
  const hints = [`docker-tls ${command.name} --help`];
  const refused = Object.entries(MEANS_SOMETHING_FOR).find(([key]) => !(key in specs) && isNamed(key, message));
  if (refused !== undefined) {
    const [key, { otherwise }] = refused;
    return usage(`${command.name} ${otherwise}, so it takes no ${optionFlag(key)}`, hints);
  }
  const torn = error.code === 'commander.excessArguments' ? tornList(specs, argv) : undefined;
  if (torn !== undefined) hints.unshift(torn.joined);
  if (error.code === 'commander.unknownOption') {
    const known = Object.entries(specs).flatMap(([key, spec]) => (spec.hidden ? [] : [optionFlag(key)]));
    const typed = argv.map((word) => word.split('=')[0] as string).find((word) => message.includes(`'${word}'`)) ?? '';
    const unknown = typed || (/'([^'=]+)/.exec(message)?.[1] ?? '');
    hints.unshift(...nearestNames(unknown, known).map((flag) => `did you mean ${flag}?`));
  }
  return usage(message, hints);
}
