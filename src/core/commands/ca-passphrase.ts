/** `ca passphrase`: the keys of the store under another passphrase. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { FILE, PASSPHRASE_OPTIONS } from '../../cli/host-options.ts';
import { DockerTlsError, usage } from '../../errors/errors.ts';
import { agree } from '../actions/ask.ts';
import { nextPassphrase } from '../actions/ca-passphrase.ts';
import { storeOf } from '../actions/open-store.ts';
import { keyPassphrase } from '../actions/run.ts';
import { isEncrypted } from '../domain/pki/keys.ts';
import { noCa } from '../domain/trust/ca-refusals.ts';
import { plural } from '../domain/words.ts';
import { protectAnew, protectKeys, storedKeys } from '../engine/key-protection.ts';
import { offeredCommands } from '../seams/offered-commands.ts';
import { offeredWords } from '../seams/seam.ts';
import { SETTING_PLACES } from '../seams/setting-places.ts';

export type CaPassphraseDocument = {
  /** The name of the CA. */
  readonly ca: string;
  /** The keys under the new passphrase: those of the CA, of old CAs, and of clients' issuing CAs. */
  readonly keys: number;
  /** They have a passphrase now. */
  readonly passphrase: boolean;
  readonly dryRun?: true;
};

export const command = defineCommand({
  scope: ['fleet', 'changes', 'store'],
  about: `Asks for the present passphrase, then twice for the new one. Existing copies of the store still open with the present one${offeredCommands(
    'new CA',
  )
    .map((one) => `: if someone who must not have access knows it, run ${one} next`)
    .join('')}. With --no-ca-passphrase the keys have none from now on.`,
  examples: ['docker-tls ca passphrase', 'docker-tls ca passphrase --ca-passphrase-file old --new-passphrase-file new'],
  args: {},
  options: {
    caPassphraseFile: {
      ...PASSPHRASE_OPTIONS.caPassphraseFile,
      summary: 'the present passphrase (or DOCKER_TLS_CA_PASSPHRASE)',
    },
    newPassphraseFile: { ...FILE, group: 'Secrets', summary: 'the new passphrase (default: a prompt)' },
    noCaPassphrase: { ...PASSPHRASE_OPTIONS.noCaPassphrase, summary: 'store the keys without a passphrase' },
  },
  /** Fails with E_NO_CA, E_CA_KEY_EXTERNAL, E_KEY_PASSPHRASE (exit 2). */
  async run(context): Promise<CommandResult<CaPassphraseDocument>> {
    const { options, global, prompts, progress } = context;
    const { noCaPassphrase, newPassphraseFile } = options;
    const { dryRun } = global;
    if (noCaPassphrase && newPassphraseFile !== undefined)
      throw usage('--new-passphrase-file and --no-ca-passphrase exclude each other', [
        'docker-tls ca passphrase --new-passphrase-file FILE',
      ]);
    const store = storeOf(context);
    const state = await store.read();
    if (state.ca === undefined) throw noCa();
    // An operator without the CA sees none of its keys: the reason comes first.
    await store.requireWritable();
    // --no-ca-passphrase is about the new passphrase; the present one is asked for all the same.
    const { caPassphraseFile } = options;
    const passphrase = await keyPassphrase(context, { caPassphraseFile }, state);
    const { name } = state.ca.record;
    const keys = storedKeys(state);
    if (keys.length === 0) throw noKeys();
    const result = { ca: name, keys: keys.length, passphrase: !noCaPassphrase, dryRun: dryRun || undefined };
    const what = `${plural(keys.length, 'key')} of the CA ${name} and of its clients`;
    const under = noCaPassphrase ? 'without a passphrase' : 'under the new passphrase';
    if (noCaPassphrase && !keys.some(isEncrypted))
      return { exit: 0, result: { ...result, keys: 0 }, text: `The keys of the CA ${name} have no passphrase.` };
    if (dryRun) return { exit: 0, result, text: `would store ${what} ${under}` };
    if (noCaPassphrase) await agree(prompts, `Store ${what} without a passphrase?`);
    const locked = keys.find(isEncrypted);
    // A wrong one in a file is an error before the new one is typed.
    if (locked !== undefined) await protectKeys(state, passphrase).open(locked);
    const next = noCaPassphrase ? undefined : await nextPassphrase(newPassphraseFile, name, context);
    const anew = protectAnew(passphrase, next);
    if (keys.length > 50) progress.note(`encrypting ${plural(keys.length, 'key')} …`);
    await anew(state);
    await store.withLock('docker-tls ca passphrase', async () => store.write(await anew(await store.read())));
    const others = store.shared
      ? '\nThe other operators need it from now on, and so does the secret of each job that issues.'
      : `\nA schedule${offeredWords(SETTING_PLACES, ', a job or a fleet file') || ' or a job'} that names the passphrase needs the new one.`;
    return { exit: 0, result, text: `${what}: stored ${under}${noCaPassphrase ? '' : others}` };
  },
});

function noKeys(): DockerTlsError {
  return new DockerTlsError('E_CA_KEY_EXTERNAL', 'this store has no key to protect: that of its CA is elsewhere', {
    hints: ['docker-tls ca show'],
  });
}
