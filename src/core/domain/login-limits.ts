/** Limits of a login (ulimit): error texts that they cause, and a hint. */

import { type Login, sshCommand } from './quote.ts';

/**
 * Errors of a shell, a program or the loader without memory, processes or files. The last two are dash's: it needs a descriptor above 9 to
 * redirect.
 */
const LIMITED =
  /Too many open files|: Error 24$|Cannot allocate memory|failed to map segment|cannot fork|Resource temporarily unavailable|memory exhausted|out of memory|failed to reserve|Segmentation fault|: \d+: Invalid argument$|: echo: I\/O error$/im;

/** Whether the error text comes from a limit of the login. */
export function isLimited(words: string): boolean {
  return LIMITED.test(words);
}

/** Hint with the command that shows the limits of a login, and the files that set them. */
export function limitHint(login: Login): string {
  return `see the limits of the login, which come from /etc/security/limits.conf, limits.d or the start-up files of its shell: ${sshCommand(login, 'ulimit', '-a')}`;
}
