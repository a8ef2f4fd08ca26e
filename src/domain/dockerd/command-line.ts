/** Owns the understanding of dockerd's command line: which flags it has, and the same line with other TLS and listening flags. */

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
    const long = /^--([a-z0-9][a-z0-9-]*)(?:=([\s\S]*))?$/.exec(word.text);
    const short = /^-([A-Za-z])(=?)([\s\S]*)$/.exec(word.text);
    const name = long?.[1] ?? longName(short?.[1] ?? '') ?? short?.[1];
    ended ||= word.text === '--';
    if (name === undefined || ended) {
      flags.push({ name: '', value: word.text, words: [word] });
      continue;
    }
    // What follows a switch's letter is another letter, unless there is a `=`.
    const attached = short && (short[2] === '=' || !isSwitch(name)) ? short[3] || undefined : undefined;
    const value = long ? long[2] : attached;
    if (value === undefined && takesWord(name, next?.text)) {
      flags.push({ name: `--${name}`, value: next?.text, words: [word, next as Word] });
      index += 1;
    } else flags.push({ name: `--${name}`, value, words: [word] });
  }
  return flags;
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
