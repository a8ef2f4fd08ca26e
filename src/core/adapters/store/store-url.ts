/** The choice of the store: a directory of this machine, or the address of a shared store. */

import { join, resolve } from 'node:path';
import type { Secret } from '../../domain/secret.ts';
import { parseObject } from './parse-records.ts';
import { textIfThere } from './store-files.ts';

export type OpenOptions = {
  readonly home: string;
  /** `--store`; default: DOCKER_TLS_STORE, else the shared store last used with the directory, else the directory itself. */
  readonly url?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** `user@computer`. */
  readonly who: string;
  readonly signal?: AbortSignal | undefined;
  /** Call before the first child process: removes secrets from the environment that it would inherit. */
  readonly hideSecrets?: () => Promise<void>;
  /** Only data fetched earlier, without waiting. */
  readonly cached?: boolean;
  now(): Date;
  /** Prints a note for the user, such as the age of data read offline. */
  note(text: string): void;
  /** Asks for the passphrase of an SSH key; absent without a terminal. */
  readonly ask?: ((question: { file: string; again?: boolean }) => Promise<Secret>) | undefined;
};

/** The address of the selected shared store; undefined if the store is the directory. */
export function storeUrl({ home, url, env }: Pick<OpenOptions, 'home' | 'url' | 'env'>): string | undefined {
  return url || env.DOCKER_TLS_STORE || storeOfHome(resolve(home));
}

/** The shared store last used with a directory. */
function storeOfHome(home: string): string | undefined {
  const store = readObject(join(home, 'store.json'))?.store;
  return typeof store === 'string' ? store : undefined;
}

/** Undefined if the file is missing or not a JSON object. */
export function readObject(file: string): Record<string, unknown> | undefined {
  const text = textIfThere(file);
  const parsed = text === undefined ? undefined : parseObject(text);
  return parsed?.ok ? parsed.value : undefined;
}
