/** Owns the understanding of dockerd's command line: which flags it has, and the same line with other TLS and listening flags. */

import { splitWords, unitWord, type Word } from './unit.ts';

/** dockerd's flags that stand alone (cmd/dockerd/config*.go): a following word is not their value. */
const SWITCHES = new Set([
  '-D',
  '--debug',
  '-v',
  '--version',
  '--help',
  '--validate',
  '--tls',
  '--tlsverify',
  '--live-restore',
  '--icc',
  '--iptables',
  '--ip6tables',
  '--ip-forward',
  '--ip-masq',
  '--ipv6',
  '--experimental',
  '--init',
  '--no-new-privileges',
  '--raw-logs',
  '--rootless',
  '--selinux-enabled',
  '--userland-proxy',
  '--firewalld-backend',
  '--bridge-accept-fwmark',
  '--ip-forward-no-drop',
]);

export type Flag = {
  /** Long name with dashes; `-H` is `--host`. */
  readonly name: string;
  /** Undefined for a switch without a value. */
  readonly value: string | undefined;
  readonly words: readonly Word[];
};

export type CommandLine = {
  /** The binary as written, systemd's prefixes (`-`, `@`, `!` …) included. */
  readonly program: Word;
  readonly flags: readonly Flag[];
};

const SHORT: Readonly<Record<string, string>> = {
  H: '--host',
  G: '--group',
  b: '--bridge',
  g: '--data-root',
  l: '--log-level',
  p: '--pidfile',
  s: '--storage-driver',
};

/** Reads flags from words; words that are no flags (`$DOCKER_OPTS`) are kept as flags with an empty name. */
export function parseFlags(words: readonly Word[]): Flag[] {
  const flags: Flag[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as Word;
    const next = words[index + 1];
    const long = /^(--[a-z0-9][a-z0-9-]*)(?:=([\s\S]*))?$/.exec(word.text);
    if (long) {
      const name = long[1] as string;
      if (long[2] !== undefined || SWITCHES.has(name) || next === undefined)
        flags.push({ name, value: long[2], words: [word] });
      else {
        flags.push({ name, value: next.text, words: [word, next] });
        index += 1;
      }
      continue;
    }
    const short = /^-([A-Za-z])(=?)([\s\S]*)$/.exec(word.text);
    if (short && word.text !== '-') {
      const name = SHORT[short[1] as string] ?? `-${short[1]}`;
      if (SHORT[short[1] as string] === undefined)
        flags.push({ name: name === '-D' ? '--debug' : name, value: undefined, words: [word] });
      else if (short[3] !== '' || next === undefined) flags.push({ name, value: short[3], words: [word] });
      else {
        flags.push({ name, value: next.text, words: [word, next] });
        index += 1;
      }
      continue;
    }
    flags.push({ name: '', value: word.text, words: [word] });
  }
  return flags;
}

/** Reads an ExecStart value; undefined where it does not start dockerd itself (a wrapper script, a shell). */
export function parseCommandLine(execStart: string): CommandLine | undefined {
  const [program, ...rest] = splitWords(execStart);
  if (program === undefined || !/(^|\/)dockerd(-[a-z0-9.]+)?$/.test(program.text.replace(/^[-@:+!|]+/, '')))
    return undefined;
  return { program, flags: parseFlags(rest) };
}

/** The value of each occurrence of a flag. */
export function flagValues(flags: readonly Flag[], name: string): string[] {
  return flags.filter((flag) => flag.name === name).map((flag) => flag.value ?? 'true');
}

/** The same program with other flags: those that `drop` names are left out, `add` comes last; everything else stays as it was written. */
export function renderCommandLine(line: CommandLine, drop: (flag: Flag) => boolean, add: readonly string[]): string {
  return [
    line.program.raw,
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

/** Reads one `-H` value. Without a port moby takes 2375, or 2376 with TLS. */
export function parseListener(text: string, tls: boolean): Listener {
  if (text.startsWith('fd://')) return { kind: 'fd', text };
  if (text.startsWith('unix://') || text.startsWith('/')) return { kind: 'unix', text };
  const tcp = /^(?:tcp:\/\/)?(\[[^\]]*\]|[^:/]*)(?::(\d+))?\/?$/.exec(text);
  if (!tcp || (text !== '' && !text.startsWith('tcp://') && !/:\d+$/.test(text))) return { kind: 'other', text };
  return {
    kind: 'tcp',
    text,
    address: tcp[1] ?? '',
    port: tcp[2] === undefined ? (tls ? 2376 : 2375) : Number(tcp[2]),
  };
}

/** The assignment of a variable in an EnvironmentFile (systemd.exec(5)); the last one wins. */
export function environmentValue(text: string, name: string): { value: string; line: number } | undefined {
  let found: { value: string; line: number } | undefined;
  text.split('\n').forEach((line, index) => {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (match && match[1] === name) found = { value: splitQuoted(match[2] ?? ''), line: index + 1 };
  });
  return found;
}

function splitQuoted(value: string): string {
  const trimmed = value.trim();
  const quoted = /^(["'])([\s\S]*)\1$/.exec(trimmed);
  return quoted ? (quoted[2] ?? '') : trimmed;
}
