/** The program that ssh starts for a question: it passes the question on to the run that started ssh, and prints the answer. */

import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { isSea } from 'node:sea';

type Ask = (connectTo: typeof connect, socketFile: string, words: readonly string[]) => Promise<number>;

/** Resolves to the exit status. Its text is also a program of its own, so it uses nothing from outside. */
const ask: Ask = (connectTo, socketFile, words) =>
  new Promise((resolve) => {
    const socket = connectTo(socketFile);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => resolve(1));
    socket.on('end', () => {
      const { ok, text } = JSON.parse(answer || '{}');
      if (ok) process.stdout.write(text);
      resolve(ok ? 0 : 1);
    });
    socket.write(`${JSON.stringify({ words, prompt: process.env.SSH_ASKPASS_PROMPT ?? '' })}\n`);
  });

/** The start of its command line. The single executable is that program itself; for Node it becomes a file in `directory`. */
export async function answerCommand(directory: string): Promise<readonly string[]> {
  if (isSea()) return [process.execPath, '__answer', directory];
  const file = join(directory, 'answer.mjs');
  const program = `import { connect } from 'node:net';
process.exitCode = await (${ask})(connect, new URL('q', import.meta.url).pathname, process.argv.slice(2));\n`;
  await writeFile(file, program, { mode: 0o600 });
  return [process.execPath, file];
}

/** `docker-tls __answer DIRECTORY WORD…`, in the single executable. */
export function answerSsh([directory = '', ...words]: readonly string[]): Promise<number> {
  return ask(connect, join(directory, 'q'), words);
}
