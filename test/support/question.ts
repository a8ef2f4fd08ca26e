/** Real prompts in a real terminal: programs that print the outcome of their questions. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { openTerminal, type TerminalProgram } from './terminal.ts';

const root = new URL('../..', import.meta.url).pathname;

export const KINDS = ['input', 'password', 'confirm', 'select'] as const;

/** Asks one question, of the kind named by its argument. */
const ONE_QUESTION = `
import { createPrompts } from './src/cli/prompts.ts';
const io = { out() {}, err: (text) => process.stderr.write(text), outIsTerminal: true, errIsTerminal: true, inIsTerminal: true, columns: 80, colour: false };
const prompts = createPrompts({ io, yes: false, signal: new AbortController().signal, suspend: (work) => work(), interrupt() {}, hasChanged: () => false });
const choices = [{ value: 1, name: 'one' }, { value: 2, name: 'two' }];
const busy = setInterval(() => {}, 1000); // like a connection: keeps the program alive without other work
prompts[process.argv[2]]({ message: 'Question:', flag: '--flag', choices }).then(
  () => 'answered',
  (error) => error.code + ' ' + error.exit,
).then((ending) => {
  process.stderr.write('\\n' + ending + '\\n');
  clearInterval(busy);
});
`;

/** Builds a program that asks, once; `ask` starts it in a terminal, and then `then`, a line of shell. */
export async function buildQuestions(
  program = ONE_QUESTION,
): Promise<{ ask(argument: string, then?: string): TerminalProgram; remove(): void }> {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-question-'));
  const outfile = join(directory, 'question.mjs');
  await build({
    stdin: { contents: program, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    define: { DOCKER_TLS_VERSION: '"0.0.0-test"' },
    target: 'node20',
    mainFields: ['module', 'main'],
    loader: { '.sh': 'text', '.html': 'text' },
    external: ['cpu-features', '*.node'],
    logLevel: 'error',
  });
  return {
    ask: (argument, then = '') =>
      openTerminal('/bin/sh', ['-c', `trap : INT; "$@"; ${then}`, 'sh', process.execPath, outfile, argument]),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
