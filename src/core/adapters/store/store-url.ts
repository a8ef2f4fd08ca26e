/** Which store is meant: a directory of this computer, or the address of a shared one. */

import { join, resolve } from 'node:path';
import type { Secret } from '../../domain/secret.ts';
import { textIfThere } from './files.ts';
import { parseObject } from './parse.ts';

export type OpenOptions = {
  readonly home: string;
  /** `--store`; absent: DOCKER_TLS_STORE, or the shared store that the directory was used with before, or the directory itself. */
  readonly url?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** `user@computer`. */
  readonly who: string;
  readonly signal?: AbortSignal | undefined;
  /** Ends before the first child process: takes secrets out of the environment that it would inherit. */
  readonly hideSecrets?: () => Promise<void>;
  /** Only what was fetched before, at once. */
  readonly cached?: boolean;
  now(): Date;
  /** Says what a person should know, such as the age of what is read offline. */
  note(text: string): void;
  /** Asks for the passphrase of an SSH key; absent without a terminal. */
  readonly ask?: ((question: { file: string; again?: boolean }) => Promise<Secret>) | undefined;
};

/** The address of the shared store that is meant; undefined where it is the directory. */
export function storeUrl({ home, url, env }: Pick<OpenOptions, 'home' | 'url' | 'env'>): string | undefined {
  return url || env.DOCKER_TLS_STORE || storeOfHome(resolve(home));
}

/** The shared store that a directory was used with before. */
function storeOfHome(home: string): string | undefined {
  const store = readObject(join(home, 'store.json'))?.store;
  return typeof store === 'string' ? store : undefined;
}

/** Undefined where there is no such file, or something else in it. */
export function readObject(file: string): Record<string, unknown> | undefined {
  const text = textIfThere(file);
  const parsed = text === undefined ? undefined : parseObject(text);
  return parsed?.ok ? parsed.value : undefined;
}
