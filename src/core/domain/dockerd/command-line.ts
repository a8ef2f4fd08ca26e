/** Parser and renderer of dockerd's command line. */

import { isSwitch, longName, takesWord } from './flags.ts';
import { splitWords, unitWord, type Word } from './unit.ts';

export type Flag = {
  /** Long name with dashes; `-H` is `--host`. */
  readonly name: string;
  /** Undefined for a switch without a value. */
  readonly value: string | undefined;
  readonly words: readonly Word[];
};

export type CommandLine = {
  /** Words before the flags, as written: `env` with its variables, the binary, and the argv[0] that the prefix `@` sets. */
  readonly head: readonly Word[];
  /** The binary, without systemd's prefixes (`-`, `@`, `!` …). */
  readonly program: string;
  /** `NAME=value` words of `env`. */
  readonly environment: readonly string[];
  readonly flags: readonly Flag[];
};

/** Parses flags from words; other words (`$DOCKER_OPTS`) become flags with an empty name. */
export function parseFlags(words: readonly Word[]): Flag[] {
  const flags: Flag[] = [];
  let ended = false;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as Word;
    const next = words[index + 1];
    ended ||= word.text === '--';
    const long = /^--([a-z0-9][a-z0-9-]*)(?:=([\s\S]*))?$/.exec(word.text);
    if (!ended && /^-[A-Za-z]/.test(word.text)) {
      const short = parseShorthands(word, next);
      flags.push(...short);
      if (short.at(-1)?.words.length === 2) index += 1;
    } else if (ended || long === null) {
      flags.push({ name: '', value: word.text, words: [word] });
    } else if (long[2] === undefined && takesWord(long[1] ?? '', next?.text)) {
      flags.push({ name: `--${long[1]}`, value: next?.text, words: [word, next as Word] });
      index += 1;
    } else flags.push({ name: `--${long[1]}`, value: long[2], words: [word] });
  }
  return flags;
}

/**
 * Parses a word of shorthands as pflag does (parseSingleShortArg); each becomes a flag with a separate word. Switch letters may be grouped.
 * The first letter that takes a value gets the rest of the word, or else the next word, whatever it is: `-DHfd://`, `-DH fd://`,
 * `-H=fd://`, `-D=true`.
 */
function parseShorthands(word: Word, next: Word | undefined): Flag[] {
  const flags: Flag[] = [];
  for (let at = 1; at < word.text.length; at += 1) {
    const letter = word.text.charAt(at);
    const rest = word.text.slice(at + 1);
    const known = longName(letter);
    const name = `--${known ?? letter}`;
    const own = wordFrom(word, at);
    const given = /^=[\s\S]/.test(rest) ? rest.slice(1) : undefined;
    if (given === undefined && known !== undefined && isSwitch(known)) {
      flags.push({ name, value: undefined, words: [rest === '' ? own : { raw: `-${letter}`, text: `-${letter}` }] });
      continue;
    }
    const value = given ?? (rest === '' ? undefined : rest);
    const takes = value === undefined && next !== undefined && (known !== undefined || takesWord(letter, next.text));
    flags.push(takes ? { name, value: next.text, words: [own, next] } : { name, value, words: [own] });
    break;
  }
  return flags;
}

/** The word of shorthands from one of its letters on, with the original quoting if possible. */
function wordFrom(word: Word, at: number): Word {
  if (at === 1) return word;
  const text = `-${word.text.slice(at)}`;
  const letters = word.text.slice(0, at + 1);
  return {
    raw: word.raw.includes(letters) ? word.raw.replace(letters, () => text.slice(0, 2)) : unitWord(text),
    text,
  };
}

/**
 * Parses an ExecStart value; undefined if it does not start dockerd directly (a wrapper script, a shell). `lookUp` returns values of
 * variables: `${NAME}` is expanded, even inside a word, and stays one word. The caller expands a separate word `$NAME`, since its value may
 * be several words.
 */
export function parseCommandLine(
  execStart: string,
  lookUp: (name: string) => string | undefined,
): CommandLine | undefined {
  const words = splitWords(execStart);
  const [, prefix = '', path = ''] = /^([-@:+!|]*)([\s\S]*)$/.exec(words[0]?.text ?? '') ?? [];
  const filled = words.map((word, index) => ({
    ...word,
    text: index === 0 ? path : prefix.includes(':') ? word.text : fillIn(word.text, lookUp),
  }));
  // Options of env (`-i`, `-S`) are not supported.
  const byEnv = /(^|\/)env$/.test(path) && !prefix.includes('@');
  const at = byEnv ? filled.findIndex(({ text }, index) => index > 0 && !/^[A-Za-z_][A-Za-z0-9_]*=/.test(text)) : 0;
  const program = filled[at]?.text ?? '';
  if (!/(^|\/)dockerd(-[a-z0-9.]+)?$/.test(program)) return undefined;
  const flags = at + (prefix.includes('@') ? 2 : 1);
  return {
    head: filled.slice(0, flags),
    program,
    environment: filled.slice(1, Math.max(at, 1)).map(({ text }) => text),
    flags: parseFlags(filled.slice(flags)),
  };
}

function fillIn(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replace(/\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)\})/g, (all, name?: string) =>
    name === undefined ? all.slice(1) : (lookUp(name) ?? ''),
  );
}

/** The variable that a word expands to: `$DOCKER_OPTS`. */
export function variableOf({ name, words }: Flag): string | undefined {
  return name === '' ? /^(["']?)\$([A-Za-z_][A-Za-z0-9_]*)\1$/.exec(words[0]?.raw ?? '')?.[2] : undefined;
}

export function flagValues(flags: readonly Flag[], name: string): string[] {
  return flags
    .filter((flag) => flag.name === name)
    .map((flag) => flag.value ?? (isSwitch(name.slice(2)) ? 'true' : ''));
}

/** The same program with other flags: without those that `drop` selects, and with `add` at the end; everything else stays as written. */
export function renderCommandLine(line: CommandLine, drop: (flag: Flag) => boolean, add: readonly string[]): string {
  return [
    ...line.head.map(({ raw }) => raw),
    ...line.flags.filter((flag) => !drop(flag)).flatMap((flag) => flag.words.map((word) => word.raw)),
    ...add.map(unitWord),
  ].join(' ');
}

/** A parsed listen address of dockerd (`-H`): `fd://`, `unix://PATH`, `tcp://ADDR:PORT` (with moby's default ports). */
export type Listener = {
  readonly kind: 'fd' | 'unix' | 'tcp' | 'other';
  readonly text: string;
  readonly address?: string;
  readonly port?: number;
};

/**
 * Parses one `-H` value as moby does (opts.ParseHost): trimmed; TCP if it has no scheme; the default port is 2375, even with TLS
 * (DefaultTCPHost; seen on 20.10 to 28.5).
 */
export function parseListener(text: string): Listener {
  const value = text.trim();
  if (value.startsWith('fd://')) return { kind: 'fd', text };
  if (value.startsWith('unix://') || value.startsWith('/')) return { kind: 'unix', text };
  const tcp = /^(?:tcp:\/\/)?(\[[^\]]*\]|[^:/]*)(?::(\d*))?\/?$/.exec(value);
  if (!tcp) return { kind: 'other', text };
  return { kind: 'tcp', text, address: tcp[1] ?? '', port: Number(tcp[2] || 2375) };
}
