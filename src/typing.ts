/**
 * Owns whether the terminal shows what is typed. Between two questions no question reads the keys, and the terminal would show them:
 * the passphrase of a user who types ahead. Node sets the terminal back as it found it when the process ends, whatever ends it.
 */

import { spawnSync } from 'node:child_process';

/** The terminal's settings before the first question, in the words of `stty -g`. */
let before: string | undefined;

/** From now on, what is typed is not shown. Every question renders its own answer. */
export function hideTyping(): void {
  if (process.stdin.isTTY !== true || process.platform === 'win32') return;
  before ??= stty('-g').trim();
  stty('-echo');
}

/** For a program that gets the terminal. */
export function showTyping(): void {
  if (before) stty(before);
}

/** Without stty, the terminal stays as it is. */
function stty(words: string): string {
  return spawnSync('stty', [words], { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' }).stdout ?? '';
}
