/**
 * Fast path for plain `env` calls, for bin/docker-tls.js: shells run `env` at every start, so main and its imports are not loaded. Words
 * that commander might read differently, and all failures, are left to main (undefined).
 */

import { environmentAtOnce } from '../core/actions/env-at-once.ts';
import { detectShell, isShell } from '../core/domain/environment.ts';
import type { Runtime } from '../core/runtime.ts';
import { writerTo } from '../core/stdout.ts';
import { storeDirectory, workingDirectory } from '../core/user.ts';
import { readCall } from './plugin-call.ts';

type Words = {
  readonly host: string | undefined;
  readonly unset: boolean;
  readonly client?: string;
  readonly format?: string;
  readonly shell?: string;
  readonly home?: string;
};

/** Prints the output of `docker-tls ARGV`; false to leave it to main. */
export function printAtOnce(argv: readonly string[]): boolean {
  const text = envAtOnce(argv, { env: process.env, cwd: workingDirectory() });
  if (text === undefined) return false;
  writerTo(process.stdout)(text);
  return true;
}

/** The output of `docker-tls ARGV`, if it is `env` for a shell and certain to succeed. */
export function envAtOnce(argv: readonly string[], around: Pick<Runtime, 'env' | 'cwd'>): string | undefined {
  try {
    const { words, env, program } = readCall(argv, around.env);
    const given = words[0] === 'env' ? plainWords(words.slice(1)) : undefined;
    if (given === undefined || (given.format !== undefined && given.shell !== undefined)) return undefined;
    const shell = given.format ?? given.shell ?? detectShell(env);
    if (!isShell(shell)) return undefined;
    const runtime = { env, cwd: around.cwd, program };
    return environmentAtOnce(
      { host: given.host, client: given.client, shell, unset: given.unset },
      { runtime, global: { home: storeDirectory(given.home, runtime) } },
    );
  } catch {
    return undefined;
  }
}

/** `[HOST] [--OPTION VALUE | --OPTION=VALUE]… [--unset]`, each at most once, with a value that cannot be anything else. */
export function plainWords(words: readonly string[]): Words | undefined {
  const found: Record<string, string> = {};
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as string;
    const [, option, joined] = /^--(client|format|shell|home|unset)(?:=(.*))?$/s.exec(word) ?? [];
    if (option === undefined && !/^[A-Za-z0-9]/.test(word)) return undefined;
    if (option !== undefined && option !== 'unset' && joined === undefined) index += 1;
    const key = option ?? 'host';
    const value = option === undefined ? word : option === 'unset' ? 'unset' : (joined ?? words[index] ?? '');
    if (key in found || value === '' || /^[-~]/.test(value) || (option === 'unset' && joined !== undefined))
      return undefined;
    found[key] = value;
  }
  const { host, unset, ...options } = found;
  return { host, unset: unset !== undefined, ...options };
}
