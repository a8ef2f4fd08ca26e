/**
 * Text that is typed when no question is up, such as the passphrase of a user who types ahead: the terminal does not show it, and it answers
 * nothing. Node sets the terminal back as it found it when the process ends, whatever ends it.
 */

import { spawnSync } from 'node:child_process';
import type { Readable } from 'node:stream';
import { ReadStream } from 'node:tty';

/** The terminal's settings before the first question, in the words of `stty -g`. */
let before: string | undefined;

/** From now on, what is typed is not shown. Every question renders its own answer. */
export function hideTyping(): void {
  if (process.stdin.isTTY !== true || process.platform === 'win32') return;
  before ??= stty('-g').trim();
  stty('-echo');
}

const CTRL_C = 3;

/**
 * Whatever was typed before a question answers none: a passphrase that waits there would be shown by a question whose answer is not secret, and an
 * Enter would agree to what was not read yet. Ctrl-C counts.
 */
export async function dropTypedAhead(input: Readable, interrupted: () => void): Promise<void> {
  if (!(input instanceof ReadStream)) return;
  const drop = (bytes: Buffer) => {
    if (bytes.includes(CTRL_C)) interrupted();
  };
  // By line, the terminal holds back the one that has no end yet.
  input.setRawMode(true).on('data', drop).resume();
  // What waits comes with the second turn of the event loop at the latest: the first may have read already.
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
  input.off('data', drop).pause().setRawMode(false);
}

/** For a program that gets the terminal. */
export function showTyping(): void {
  if (before) stty(before);
}

/** Without stty, the terminal stays as it is. */
function stty(words: string): string {
  return spawnSync('stty', [words], { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' }).stdout ?? '';
}
