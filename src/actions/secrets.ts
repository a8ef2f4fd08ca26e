/** Owns where secrets come from: the CA's passphrase and the password for sudo, from a file, the environment, or a question. */

import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { shellQuote } from '../domain/quote.ts';
import { Secret } from '../domain/secret.ts';
import type { PassphraseSource } from '../engine/key-protection.ts';
import { keepFromChildren } from '../environment.ts';
import { DockerTlsError } from '../errors/errors.ts';
import type { Runtime } from '../runtime.ts';
import type { ActionContext } from './action-context.ts';
import type { Prompts } from './prompts.ts';

/** The flags about secrets; absent: not given. */
export type SecretOptions = {
  readonly askSudoPassword?: boolean;
  readonly sudoPasswordFile?: string | undefined;
  readonly caPassphraseFile?: string | undefined;
  readonly noCaPassphrase?: boolean;
};

/** What is typed for a new CA without a passphrase. */
const NONE = 'none';
const OLD_CA = { message: 'Passphrase of the CA:' };
/** A typing error would lock the key under an unknown passphrase. */
const NEW_CA = {
  message: 'New passphrase of the CA:',
  confirm: true,
  validate: (text: string) => weakness(text) ?? true,
} as const;

/** What is soon guessed by an attacker who has the key file. */
function weakness(passphrase: string): string | undefined {
  if (passphrase.length < 8) return 'Too short: at least 8 characters.';
  if (new Set(passphrase).size < 4) return 'Too simple: the same few characters over and over.';
  return /^(passw|12345|qwert)/i.test(passphrase) ? 'Too common: such words are tried first.' : undefined;
}

/** Where the CA's passphrase comes from: a file, the environment, or a question; for a new CA it may be declined. */
export function passphraseSource(
  options: SecretOptions,
  runtime: Runtime,
  prompts: Prompts,
  reference?: string,
): PassphraseSource {
  // Before the first child process, though the key may be opened long after it.
  if (reference?.startsWith('env:')) keepFromChildren(reference.slice(4));
  async function given(fresh: boolean): Promise<Secret | undefined> {
    if (options.caPassphraseFile !== undefined)
      return readSecretFile(resolve(runtime.cwd, options.caPassphraseFile), '--ca-passphrase-file');
    const fromEnvironment = runtime.env.DOCKER_TLS_CA_PASSPHRASE;
    if (fromEnvironment) return new Secret(fromEnvironment);
    return reference === undefined || reference === 'none'
      ? undefined
      : readSecret(reference, 'ca.passphrase', runtime, prompts, fresh ? NEW_CA : OLD_CA);
  }
  return {
    async forNewCa() {
      const secret = await given(true);
      const weak = secret === undefined ? undefined : weakness(secret.reveal().toString('utf8'));
      if (weak !== undefined) await prompts.show(`warning: the passphrase given for the new CA is weak. ${weak}\n`);
      if (secret !== undefined || options.noCaPassphrase || reference === 'none') return secret;
      if (!prompts.interactive) {
        throw noPassphrase(options.noCaPassphrase !== undefined);
      }
      const typed = await prompts.password({
        ...NEW_CA,
        explain:
          'Anyone with the CA key can grant access. A passphrase makes a stolen key file useless; docker-tls asks for it whenever it issues a certificate. To do without: none.',
        validate: (text) => text === NONE || NEW_CA.validate(text),
        unconfirmed: NONE,
        flag: '--ca-passphrase-file FILE, or --no-ca-passphrase',
        key: 'ca.passphrase',
      });
      return typed.reveal().toString('utf8') === NONE ? undefined : typed;
    },
    async forExistingCa(opens) {
      const secret = await given(false);
      if (secret !== undefined) return secret;
      const question = { ...OLD_CA, flag: '--ca-passphrase-file FILE', key: 'ca.passphrase' };
      let typed = await prompts.password(question);
      // Until it opens, or Ctrl-C: what else was answered is not lost.
      for (let tries = 1; !(await opens(typed)); tries += 1) {
        const lost = tries < 3 ? '' : ' If it is lost: Ctrl-C, then docker-tls rotate ca --lost-passphrase';
        typed = await prompts.password({ ...question, explain: `The key does not open with that one.${lost}` });
      }
      return typed;
    },
    async pin({ uri, pinFile }) {
      if (pinFile !== undefined) return readSecretFile(pinFile, '--pin-file');
      const explain = 'The key of the CA is in a token; a few wrong PINs lock it.';
      return prompts.password({ message: `PIN of ${uri}:`, explain, flag: 'docker-tls ca import … --pin-file FILE' });
    },
  };
}

/** `declinable`: the command has --no-ca-passphrase; with others, the CA is made first. */
function noPassphrase(declinable: boolean): DockerTlsError {
  const none = declinable ? '--no-ca-passphrase' : 'docker-tls ca create --no-ca-passphrase';
  return new DockerTlsError(
    'E_CA_PASSPHRASE',
    `no passphrase given for the new CA key; pass --ca-passphrase-file or ${declinable ? none : `run ${none} first`}`,
    {
      hints: [
        '--ca-passphrase-file FILE (or DOCKER_TLS_CA_PASSPHRASE)',
        `${none}; with an external CA: docker-tls ca import --cert FILE … --no-ca-passphrase`,
      ],
    },
  );
}

/** The passphrase of a file that is exported: from a file, or asked for twice. */
export function exportPassphrase(
  file: string | undefined,
  message: string,
  { runtime, prompts }: Pick<ActionContext, 'runtime' | 'prompts'>,
): Promise<Secret> {
  return file === undefined
    ? prompts.password({ message, confirm: true, flag: '--passphrase-file FILE' })
    : readSecretFile(resolve(runtime.cwd, file), '--passphrase-file');
}

/** The password for sudo, when the options promise one. */
export async function sudoPassword(
  options: SecretOptions,
  runtime: Runtime,
  prompts: Prompts,
): Promise<Secret | undefined> {
  if (options.sudoPasswordFile !== undefined)
    return readSecretFile(resolve(runtime.cwd, options.sudoPasswordFile), '--sudo-password-file');
  if (!options.askSudoPassword) return undefined;
  return prompts.password({
    message: 'Password for sudo:',
    flag: '--sudo-password-file FILE',
    key: 'sudo-password',
  });
}

/** The first line of a file; E_SECRET_FILE (exit 2) when it is not there, empty, or readable by every local user. */
export async function readSecretFile(path: string, flag: string): Promise<Secret> {
  let text: string;
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw noFile(path, flag, 'is a directory');
    if (process.platform !== 'win32' && (found.mode & 0o007) !== 0)
      throw found.isFile() || found.isFIFO() ? openToAll(path, flag) : noFile(path, flag, 'is a device, no file');
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof DockerTlsError) throw cause;
    throw new DockerTlsError('E_SECRET_FILE', `${flag}: ${path} cannot be read`, {
      hints: [`ls -l ${shellQuote(path)}`],
      cause,
    });
  }
  const line = text.split(/\r?\n/)[0] ?? '';
  if (line === '') throw new DockerTlsError('E_SECRET_FILE', `${flag}: ${path} is empty`);
  return new Secret(line);
}

/** No hint to change its mode: /tmp and /dev/null are open to all users on purpose. */
function noFile(path: string, flag: string, what: string): DockerTlsError {
  return new DockerTlsError('E_SECRET_FILE', `${flag}: ${path} ${what}`);
}

function openToAll(path: string, flag: string): DockerTlsError {
  return new DockerTlsError('E_SECRET_FILE', `${flag}: every local user can read ${path}`, {
    hints: [`chmod 600 ${shellQuote(path)}`],
  });
}

/** A secret that the fleet file names: `env:NAME`, `file:PATH` or `prompt`. Fails with E_SECRET_ENV, E_SECRET_FILE (exit 2). */
export async function readSecret(
  reference: string,
  key: string,
  runtime: Runtime,
  prompts: Prompts,
  question: {
    readonly message: string;
    readonly confirm?: boolean;
    readonly validate?: (text: string) => true | string;
  },
): Promise<Secret> {
  if (reference.startsWith('file:')) return readSecretFile(resolve(runtime.cwd, reference.slice(5)), key);
  if (reference.startsWith('env:')) {
    const value = runtime.env[reference.slice(4)];
    keepFromChildren(reference.slice(4));
    if (value) return new Secret(value);
    throw new DockerTlsError('E_SECRET_ENV', `${key}: the environment variable ${reference.slice(4)} is not set`, {
      hints: [`read -rs ${reference.slice(4)}; export ${reference.slice(4)}`],
    });
  }
  return prompts.password({ ...question, flag: `${key}: env:NAME or file:PATH in the fleet file` });
}

/** A run may open the store's keys more than once; and asks only once. The passphrase of a CA that was just made is known. */
export function requestedOnce(source: PassphraseSource): PassphraseSource {
  let fresh: ReturnType<PassphraseSource['forNewCa']> | undefined;
  let existing: ReturnType<PassphraseSource['forExistingCa']> | undefined;
  const pins = new Map<string, Promise<Secret>>();
  return {
    pin(token) {
      const known = pins.get(token.uri) ?? source.pin(token);
      pins.set(token.uri, known);
      return known;
    },
    forNewCa: () => {
      fresh ??= source.forNewCa();
      return fresh;
    },
    async forExistingCa(opens) {
      const words = await fresh;
      if (words !== undefined && (await opens(words))) return words;
      existing ??= source.forExistingCa(opens);
      return existing;
    },
  };
}
