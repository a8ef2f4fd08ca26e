/** One question of each kind, asked by the real prompts in a real terminal: a program that prints how the question ended. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { openTerminal, type TerminalProgram } from './terminal.ts';

const root = new URL('../..', import.meta.url).pathname;

export const KINDS = ['input', 'password', 'confirm', 'select', 'checkbox'] as const;
export type Kind = (typeof KINDS)[number];

const PROGRAM = `
import { createPrompts } from './src/cli/prompts.ts';
const io = { out() {}, err: (text) => process.stderr.write(text), outIsTerminal: true, errIsTerminal: true, inIsTerminal: true, columns: 80, colour: false };
const prompts = createPrompts({ io, yes: false, signal: new AbortController().signal, suspend: (work) => work() });
const choices = [{ value: 1, name: 'one' }, { value: 2, name: 'two' }];
const busy = setInterval(() => {}, 1000); // as a connection would be: the program does not end for want of work
prompts[process.argv[2]]({ message: 'Question:', flag: '--flag', choices }).then(
  () => 'answered',
  (error) => error.code + ' ' + error.exit,
).then((ending) => {
  process.stderr.write('\\n' + ending + '\\n');
  clearInterval(busy);
});
`;

/** The program, built once; `ask` starts it in a terminal. */
export async function buildQuestions(): Promise<{ ask(kind: Kind): TerminalProgram; remove(): void }> {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-question-'));
  const outfile = join(directory, 'question.mjs');
  await build({
    stdin: { contents: PROGRAM, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return {
    ask: (kind) => openTerminal(process.execPath, [outfile, kind]),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
