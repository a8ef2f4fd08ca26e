/** The store in child processes: killed ones, ones with another umask or another user, and ones that contend for the lock. */

import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { CHILD_BUNDLE } from './child-bundle.ts';
import { removeLater } from './store.ts';

/** Bundles the store with the samples for child processes; returns the file to import. removeHomes deletes it. */
export function bundleStore(): string {
  const directory = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'store-test');
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o755);
  const outfile = join(directory, `${process.pid}-${Date.now()}.mjs`);
  buildSync({
    stdin: {
      contents: `export * from './src/core/adapters/store/store.ts'; export * from './test/support/store.ts';`,
      resolveDir: join(import.meta.dirname, '..', '..'),
      loader: 'ts',
    },
    outfile,
    ...CHILD_BUNDLE,
  });
  removeLater(outfile);
  return outfile;
}

/** Runs a module text in a child; `bundle` is its first argument in process.argv[1…]. */
export function runChild(script: string, args: readonly string[], options: { uid?: number; umask?: number } = {}) {
  const umask = options.umask === undefined ? '' : `process.umask(${options.umask});\n`;
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', umask + script, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: '/',
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>((done) => {
    child.on('close', (code, signal) => done({ code, signal, stdout, stderr }));
  });
  /** Waits for a word on standard output. */
  async function says(word: string): Promise<void> {
    while (!stdout.includes(word)) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the child ended: ${stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  return { child, ended, says, output: () => stdout };
}
