/** Limits of a login (ulimit): the words of what they stop, and where to look. */

import { type Login, sshCommand } from './quote.ts';

/** Of a shell, a program or the loader that gets no memory, process or file: the last two are dash's, which needs a file above 9 to redirect. */
const LIMITED =
  /Too many open files|: Error 24$|Cannot allocate memory|failed to map segment|cannot fork|Resource temporarily unavailable|memory exhausted|out of memory|failed to reserve|Segmentation fault|: \d+: Invalid argument$|: echo: I\/O error$/im;

/** Whether the words are those of a command that a limit of the login kept from its work. */
export function isLimited(words: string): boolean {
  return LIMITED.test(words);
}

/** How to see the limits of a login, and where they come from. */
export function limitHint(login: Login): string {
  return `see the limits of the login, which come from /etc/security/limits.conf, limits.d or the start-up files of its shell: ${sshCommand(login, 'ulimit', '-a')}`;
}
