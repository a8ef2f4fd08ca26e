/** Sources of secrets: a file, the environment, or a question. */

import { resolve } from 'node:path';
import { DockerTlsError } from '../../errors/errors.ts';
import { readSecretFile } from '../adapters/files/secret-file.ts';
import { Secret } from '../domain/secret.ts';
import { keepFromChildren } from '../environment.ts';
import type { Runtime } from '../runtime.ts';
import type { ActionContext } from './action-context.ts';
import type { Prompts } from './ask.ts';

/** The flags for secrets; absent: not given. */
export type SecretOptions = {
  readonly askSudoPassword?: boolean;
  readonly sudoPasswordFile?: string | undefined;
  readonly caPassphraseFile?: string | undefined;
  readonly noCaPassphrase?: boolean;
};

/** The passphrase of an exported file: from a file, or asked for twice. */
export function exportPassphrase(
  file: string | undefined,
  message: string,
  { runtime, prompts }: Pick<ActionContext, 'runtime' | 'prompts'>,
): Promise<Secret> {
  return file === undefined
    ? prompts.password({ message, confirm: true, flag: '--passphrase-file FILE' })
    : readSecretFile(resolve(runtime.cwd, file), '--passphrase-file');
}

/** The sudo password, if the options promise one. */
export async function sudoPassword(
  options: SecretOptions,
  runtime: Runtime,
  prompts: Prompts,
): Promise<Secret | undefined> {
  if (options.sudoPasswordFile !== undefined)
    return readSecretFile(resolve(runtime.cwd, options.sudoPasswordFile), '--sudo-password-file');
  if (!options.askSudoPassword) return undefined;
  return prompts.password({ message: 'Password for sudo:', flag: '--sudo-password-file FILE', key: 'sudo-password' });
}

/** A secret named by the fleet file: `env:NAME`, `file:PATH` or `prompt`. Fails with E_SECRET_ENV, E_SECRET_FILE (exit 2). */
export async function readSecret(
  reference: string,
  key: string,
  runtime: Runtime,
  prompts: Prompts,
  question: Pick<Parameters<Prompts['password']>[0], 'message' | 'confirm' | 'validate'>,
): Promise<Secret> {
  const place = reference.slice(reference.indexOf(':') + 1);
  if (reference.startsWith('file:')) return readSecretFile(resolve(runtime.cwd, place), key);
  if (reference.startsWith('env:')) {
    keepFromChildren(place);
    const value = runtime.env[place];
    if (value) return new Secret(value);
    const hints = [`read -rs ${place}; export ${place}`];
    throw new DockerTlsError('E_SECRET_ENV', `${key}: the environment variable ${place} is not set`, { hints });
  }
  return prompts.password({ ...question, flag: `${key}: env:NAME or file:PATH in the fleet file` });
}
