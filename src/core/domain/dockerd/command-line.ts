/** The understanding of dockerd's command line: which flags it has, and the same line with other TLS and listening flags. */

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
  /** What is before the flags, as written: `env` with its variables, the binary, and what the prefix `@` makes its name. */
  readonly head: readonly Word[];
  /** The binary, without systemd's prefixes (`-`, `@`, `!` …). */
  readonly program: string;
  /** `NAME=value`, where `env` starts it. */
  readonly environment: readonly string[];
  readonly flags: readonly Flag[];
};

/** Reads flags from words; words that are no flags (`$DOCKER_OPTS`) are kept as flags with an empty name. */
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
 * Reads one word of shorthands as pflag does (parseSingleShortArg), each as a flag with a word of its own: letters of switches may be grouped, and the first
 * letter that takes a value has the rest of the word, or else the next word, whatever that is: `-DHfd://`, `-DH fd://`, `-H=fd://`, `-D=true`.
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

/** The word of shorthands from one of its letters on, as written where that can be told. */
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
 * Reads an ExecStart value; undefined where it does not start dockerd itself (a wrapper script, a shell). `lookUp` gives the values of
 * variables: `${NAME}` is filled in, also inside a word, and stays one word. `$NAME` as a word of its own is left to the caller, since it
 * becomes as many words as its value has.
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
  // Options of env (`-i`, `-S`) would be another matter.
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

/** The variable that a word becomes the words of: `$DOCKER_OPTS`. */
export function variableOf({ name, words }: Flag): string | undefined {
  return name === '' ? /^(["']?)\$([A-Za-z_][A-Za-z0-9_]*)\1$/.exec(words[0]?.raw ?? '')?.[2] : undefined;
}

export function flagValues(flags: readonly Flag[], name: string): string[] {
  return flags
    .filter((flag) => flag.name === name)
    .map((flag) => flag.value ?? (isSwitch(name.slice(2)) ? 'true' : ''));
}

/** The same program with other flags: those that `drop` names are left out, `add` comes last; everything else stays as it was written. */
export function renderCommandLine(line: CommandLine, drop: (flag: Flag) => boolean, add: readonly string[]): string {
  return [
    ...line.head.map(({ raw }) => raw),
    ...line.flags.filter((flag) => !drop(flag)).flatMap((flag) => flag.words.map((word) => word.raw)),
    ...add.map(unitWord),
  ].join(' ');
}

/** A listening address of dockerd (`-H`), read: `fd://`, `unix://PATH`, `tcp://ADDR:PORT` (ports as moby fills them in). */
export type Listener = {
  readonly kind: 'fd' | 'unix' | 'tcp' | 'other';
  readonly text: string;
  readonly address?: string;
  readonly port?: number;
};

/**
 * Reads one `-H` value as moby does (opts.ParseHost): without blanks around it; what has no scheme is TCP; without a port it is 2375, with TLS
 * too (DefaultTCPHost; seen on 20.10 to 28.5).
 */
export function parseListener(text: string): Listener {
  const value = text.trim();
  if (value.startsWith('fd://')) return { kind: 'fd', text };
  if (value.startsWith('unix://') || value.startsWith('/')) return { kind: 'unix', text };
  const tcp = /^(?:tcp:\/\/)?(\[[^\]]*\]|[^:/]*)(?::(\d*))?\/?$/.exec(value);
  if (!tcp) return { kind: 'other', text };
  return { kind: 'tcp', text, address: tcp[1] ?? '', port: Number(tcp[2] || 2375) };
}
