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
