/** The quoting of values for a shell: the only way a value gets into shell text, a command to paste included; and the splitting of such text. */

import { split } from 'shlex';

/**
 * One word for a POSIX shell, whatever it holds: inside single quotes nothing is special, and a single quote itself
 * leaves them for a moment (POSIX.1-2017, XCU 2.2.2). Also safe as a word for fish and csh login shells, except for
 * `!` and newlines in csh. Throws a TypeError on NUL, which no shell word can hold.
 */
export function shellQuote(value: string): string {
  if (value.includes('\0')) throw new TypeError('a NUL byte cannot be part of a shell word');
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

/** Words as a POSIX shell splits them, without expansion; undefined where a quotation mark or a last backslash is left open. */
export function shellWords(text: string): string[] | undefined {
  try {
    return split(text);
  } catch {
    return undefined;
  }
}

/** How a user logs in to a host; `local` is this one. */
export type Login = {
  readonly destination: string;
  readonly user?: string;
  readonly port?: number;
  readonly identities?: readonly string[];
  readonly configFile?: string;
  readonly jump?: readonly string[];
  /** Its commands never need root: the daemon is the user's own. */
  readonly rootless?: true;
  /** The command wants a terminal: an editor, a password. */
  readonly terminal?: boolean;
};

/**
 * A command to paste that runs on a host: plain words stay as they are, anything else is quoted once for the host's shell and once for
 * the shell that it is pasted into, since the words may come from the host itself.
 */
export function sshCommand(login: Login, ...words: readonly string[]): string {
  const remote = words.map(shellQuote).join(' ');
  if (login.destination === 'local') return remote;
  return `${sshWords(login)} ${remote === words.join(' ') ? remote : shellQuote(remote)}`;
}

/** The same, as root. For sudo there is a terminal: it may want a password. */
export function rootCommand(login: Login, ...words: readonly string[]): string {
  return sudoCommand({ ...login, rootless: undefined }, ...words);
}

/** The same, as the user that the daemon belongs to: root as a rule. */
export function sudoCommand(login: Login, ...words: readonly string[]): string {
  return login.user === 'root' || login.rootless
    ? sshCommand(login, ...words)
    : sshCommand({ ...login, terminal: true }, 'sudo', ...words);
}

/** Sets a host's clock by this computer's: works without a time service there, which `timedatectl set-ntp true` needs. */
export function clockCommand(login: Login): string {
  return `${rootCommand(login, 'date', '-u', '-s')} @$(date +%s)`;
}

/** `ssh` with all that leads to the host, without the command. */
function sshWords(login: Login): string {
  return ['ssh', ...sshArguments(login)].map(shellQuote).join(' ');
}

/** The same for a program to start: what follows `ssh`, unquoted. */
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

/** A newline or another control character, which files and scripts of other tools have no form for. */
export function hasControls(value: string): boolean {
  return /[\u0000-\u001f\u007f\u0085\u2028\u2029]/.test(value);
}
