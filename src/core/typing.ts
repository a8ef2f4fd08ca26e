/**
 * Input typed while no question is open, such as a passphrase typed ahead: the terminal does not echo it, and it answers no question. Node
 * restores the terminal settings when the process ends, however it ends.
 */

import { spawnSync } from 'node:child_process';
import type { Readable } from 'node:stream';
import { ReadStream } from 'node:tty';

/** The terminal's settings before the first question, in `stty -g` format. */
let before: string | undefined;

/** Turns echo off from now on. Every question renders its own answer. */
export function hideTyping(): void {
  if (process.stdin.isTTY !== true || process.platform === 'win32') return;
  before ||= stty('-g').trim();
  stty('-echo');
}

const CTRL_C = 3;

/**
 * Drops input typed before a question. A visible question would show a waiting passphrase, and a waiting Enter would confirm unread text.
 * Ctrl-C still counts.
 */
export async function dropTypedAhead(input: Readable, interrupted: () => void): Promise<void> {
  if (!(input instanceof ReadStream)) return;
  const drop = (bytes: Buffer) => {
    if (bytes.includes(CTRL_C)) interrupted();
  };
  // In line mode the terminal holds back an unfinished line.
  input.setRawMode(true).on('data', drop).resume();
  // Waiting input arrives by the second turn of the event loop; the first may already have read.
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
  input.off('data', drop).pause().setRawMode(false);
}

/** Turns echo on again, for a program that takes over the terminal. */
export function showTyping(): void {
  if (before) stty(before);
}

/**
 * In the foreground only: in the background, as under `timeout` in a script, the echo is that of another program, and its change would stop
 * the whole run (SIGTTOU). Without ps, it is the foreground; without stty, the terminal stays unchanged.
 */
const IN_FOREGROUND = `trap '' TTOU; case $(ps -o stat= -p $$ 2>/dev/null || echo +) in *+*) exec stty "$1" ;; esac`;

function stty(words: string): string {
  return (
    spawnSync('sh', ['-c', IN_FOREGROUND, 'sh', words], { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' })
      .stdout ?? ''
  );
}
