/** Owns the quoting of values for a shell: the only way a value gets into shell text. */

/**
 * One word for a POSIX shell, whatever it holds: inside single quotes nothing is special, and a single quote itself
 * leaves them for a moment (POSIX.1-2017, XCU 2.2.2). Also safe as a word for fish and csh login shells, except for
 * `!` and newlines in csh. Throws a TypeError on NUL, which no shell word can hold.
 */
export function shellQuote(value: string): string {
  if (value.includes('\0')) throw new TypeError('a NUL byte cannot be part of a shell word');
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

/**
 * A command to paste that runs on a host: plain words stay as they are, anything else is quoted once for the host's shell and once for
 * the shell that it is pasted into, since the words may come from the host itself.
 */
export function sshCommand(host: string, ...words: readonly string[]): string {
  const remote = words.map(shellQuote).join(' ');
  return `ssh ${shellQuote(host)} ${remote === words.join(' ') ? remote : shellQuote(remote)}`;
}
