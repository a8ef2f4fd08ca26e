/** Shell quoting, the only way a value gets into shell text (including commands to paste), and splitting of such text. */

import { split } from 'shlex';

/**
 * One word for a POSIX shell, with any content: single quotes make every character literal, and a single quote is escaped between two
 * quoted parts (POSIX.1-2017, XCU 2.2.2). Also safe as a word for fish and csh login shells, except for `!` and newlines in csh. Throws a
 * TypeError for NUL: shell words cannot contain it.
 */
export function shellQuote(value: string): string {
  if (value.includes('\0')) throw new TypeError('a NUL byte cannot be part of a shell word');
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

/** Words as a POSIX shell splits them, without expansion; undefined for an open quotation mark or a trailing backslash. */
export function shellWords(text: string): string[] | undefined {
  try {
    return split(text);
  } catch {
    return undefined;
  }
}

/** Login of a user to a host. */
export type Login = {
  /** The name or address to dial, an alias of the ssh config, or `local` for this machine. */
  readonly destination: string;
  readonly user?: string;
  readonly port?: number;
  readonly identities?: readonly string[];
  readonly configFile?: string;
  /** Jump hosts, nearest first, each `[user@]name[:port]`. */
  readonly jump?: readonly string[];
  /** Commands run as the login user, who owns the daemon, and never need root: the daemon is the user's rootless one. */
  readonly rootless?: true;
  /** The command needs a terminal, for an editor or a password. */
  readonly terminal?: boolean;
};

/**
 * A command to paste that runs on a host. Plain words stay unquoted; others are quoted twice, for the host's shell and for the local one,
 * since the words may come from the host.
 */
export function sshCommand(login: Login, ...words: readonly string[]): string {
  const remote = words.map(shellQuote).join(' ');
  if (login.destination === 'local') return remote;
  return `${sshWords(login)} ${remote === words.join(' ') ? remote : shellQuote(remote)}`;
}

/** The same, as root. It allocates a terminal, since sudo may ask for a password. */
export function rootCommand(login: Login, ...words: readonly string[]): string {
  return sudoCommand({ ...login, rootless: undefined }, ...words);
}

/** The same, as the daemon's user: usually root. */
export function sudoCommand(login: Login, ...words: readonly string[]): string {
  return login.user === 'root' || login.rootless
    ? sshCommand(login, ...words)
    : sshCommand({ ...login, terminal: true }, 'sudo', ...words);
}

/** Sets a host's clock from this computer's; works without a time service, unlike `timedatectl set-ntp true`. */
export function clockCommand(login: Login): string {
  return `${rootCommand(login, 'date', '-u', '-s')} @$(date +%s)`;
}

/** `ssh` with all options for the host, without a command. */
function sshWords(login: Login): string {
  return ['ssh', ...sshArguments(login)].map(shellQuote).join(' ');
}

/** Arguments of `ssh` for a program, unquoted. */
export function sshArguments({ destination, user, port, identities, configFile, jump, terminal }: Login): string[] {
  return [
    ...(terminal ? ['-t'] : []),
    ...(configFile === undefined ? [] : ['-F', configFile]),
    ...(identities ?? []).flatMap((file) => ['-i', file]),
    ...(jump === undefined || jump.length === 0 ? [] : ['-J', jump.join(',')]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    user === undefined ? destination : `${user}@${destination}`,
  ];
}

/** A newline or another control character: other tools' files and scripts cannot express these. */
export function hasControls(value: string): boolean {
  return /[\u0000-\u001f\u007f\u0085\u2028\u2029]/.test(value);
}

/** Variables for a script, an assignment in each line. Names are ours. */
export function shellAssignments(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${shellQuote(value)}`)
    .join('\n');
}
