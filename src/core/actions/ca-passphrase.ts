/** Sources of the CA key's passphrase, and of the PIN of its token. */

import { resolve } from 'node:path';
import { printable } from '../../errors/errors.ts';
import { readSecretFile } from '../adapters/files/secret-file.ts';
import { Secret, weakness } from '../domain/secret.ts';
import { noPassphrase } from '../domain/trust/ca-refusals.ts';
import type { PassphraseSource } from '../engine/key-protection.ts';
import { keepFromChildren } from '../environment.ts';
import type { Runtime } from '../runtime.ts';
import { offeredCommands } from '../seams/offered-commands.ts';
import type { ActionContext } from './action-context.ts';
import type { Prompts } from './ask.ts';
import { readSecret, type SecretOptions } from './given-secrets.ts';

/** Asked twice: a typing error would lock the key under an unknown passphrase. */
const NEW_CA = {
  message: 'New passphrase of the CA:',
  confirm: true,
  validate: (text: string) => weakness(text) ?? true,
} as const;

/** The source of the CA's passphrase: a file, the environment, or a question; for a new CA the user may decline one. */
export function passphraseSource(
  options: SecretOptions,
  runtime: Runtime,
  prompts: Prompts,
  reference?: string,
): PassphraseSource {
  // Before the first child process, although the key may be opened much later.
  if (reference?.startsWith('env:')) keepFromChildren(reference.slice(4));
  async function given(question: Parameters<typeof readSecret>[4]): Promise<Secret | undefined> {
    if (options.caPassphraseFile !== undefined)
      return readSecretFile(resolve(runtime.cwd, options.caPassphraseFile), '--ca-passphrase-file');
    const fromEnvironment = runtime.env.DOCKER_TLS_CA_PASSPHRASE;
    if (fromEnvironment) return new Secret(fromEnvironment);
    return reference === undefined || reference === 'none'
      ? undefined
      : readSecret(reference, 'ca.passphrase', runtime, prompts, question);
  }
  return {
    async forNewCa() {
      const secret = await given(NEW_CA);
      const weak = secret === undefined ? undefined : weakness(secret.reveal().toString('utf8'));
      if (weak !== undefined) await prompts.show(`warning: the passphrase given for the new CA is weak. ${weak}\n`);
      if (secret !== undefined || options.noCaPassphrase || reference === 'none') return secret;
      if (!prompts.interactive) throw noPassphrase(options.noCaPassphrase !== undefined);
      const typed = await prompts.password({
        ...NEW_CA,
        explain:
          'Anyone with the CA key can grant access. A passphrase makes a stolen key file useless; docker-tls asks for it whenever it issues a certificate. Enter: none.',
        allowEmpty: true,
        validate: (text) => text === '' || NEW_CA.validate(text),
        flag: '--ca-passphrase-file FILE, or --no-ca-passphrase',
        key: 'ca.passphrase',
      });
      if (typed.reveal().length > 0) return typed;
      await prompts.show('The key of the CA has no passphrase: keep the store as you keep a private SSH key.\n');
      return undefined;
    },
    async forExistingCa(opens, { name, replaced } = { name: undefined }) {
      const message = `Passphrase of the ${replaced ? 'present CA' : 'CA'}${name === undefined ? '' : ` ${printable(name, 64)}`}:`;
      const secret = await given({ message });
      if (secret !== undefined) return secret;
      const question = { message, flag: '--ca-passphrase-file FILE', key: 'ca.passphrase' };
      const explain = replaced ? 'The key of the new CA gets the same passphrase.' : undefined;
      let typed = await prompts.password({ ...question, explain });
      // Repeats until the key opens, or Ctrl-C, so that earlier answers are not lost.
      for (let tries = 1; !(await opens(typed)); tries += 1) {
        const lost = tries < 3 ? [] : offeredCommands('new CA', '--lost-passphrase');
        const ways = lost.map((one) => ` If it is lost: Ctrl-C, then ${one}`).join('');
        typed = await prompts.password({ ...question, explain: `The key does not open with that one.${ways}` });
      }
      return typed;
    },
    async pin({ uri, pinFile }) {
      if (pinFile !== undefined) return readSecretFile(pinFile, '--pin-file');
      const explain = 'The key of the CA is in a token; a few wrong PINs lock it.';
      return prompts.password({ message: `PIN of ${uri}:`, explain, flag: '--pin-file FILE of docker-tls ca import' });
    },
  };
}

/** A run may open the store's keys several times, but asks only once. It already knows the passphrase of a CA that it has made. */
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
    async forExistingCa(opens, about) {
      const words = await fresh;
      if (words !== undefined && (await opens(words))) return words;
      existing ??= source.forExistingCa(opens, about);
      return existing;
    },
  };
}

/** The passphrase that replaces the one of the CA `name`: from a file, or asked for twice. */
export async function nextPassphrase(
  file: string | undefined,
  name: string,
  { runtime, prompts }: Pick<ActionContext, 'runtime' | 'prompts'>,
): Promise<Secret> {
  if (file === undefined)
    return prompts.password({
      ...NEW_CA,
      message: `New passphrase of the CA ${printable(name, 64)}:`,
      flag: '--new-passphrase-file FILE, or --no-ca-passphrase',
    });
  const secret = await readSecretFile(resolve(runtime.cwd, file), '--new-passphrase-file');
  const weak = weakness(secret.reveal().toString('utf8'));
  if (weak !== undefined) await prompts.show(`warning: the new passphrase is weak. ${weak}\n`);
  return secret;
}
