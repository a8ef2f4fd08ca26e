/**
 * Feature for CAs that docker-tls did not create (`ca import`), also with a key on another machine or in a token (step-ca, cfssl, Vault, a
 * command, PKCS#11): its additions to the core.
 */

import { type CommandGroup, listCommand } from '../../cli/command.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';
import { FEATURE_SETTINGS } from '../../core/seams/feature-settings.ts';
import { ISSUERS } from '../../core/seams/issuers.ts';
import { OFFERED_COMMANDS } from '../../core/seams/offered-commands.ts';

/** The core's group, with this command in it. */
const CA: CommandGroup = { name: 'ca', summary: 'The CA of this store: create, show, export, import, passphrase' };

COMMAND_SEAM.add(
  listCommand(
    { name: 'ca import', summary: 'Use your own CA, even if its key stays on another machine', group: CA },
    () => import('./commands/ca-import.ts'),
  ),
);
OFFERED_COMMANDS.add({ purpose: 'own-ca', command: 'docker-tls ca import' });
FEATURE_SETTINGS.add(
  'cert',
  'stepCa',
  'cfssl',
  'vault',
  'signCommand',
  'pkcs11',
  'pinFile',
  'credentialFile',
  'passphraseFile',
  'profiles',
  'tlsRoot',
  'chain',
  'wholeChain',
  'leafOnly',
);
ISSUERS.add({
  async load() {
    const [{ sign }, { signByToken }, { signerFor }, { ownCa }] = await Promise.all([
      import('./adapters/sign.ts'),
      import('./adapters/pkcs11-token.ts'),
      import('./engine/approved-signer.ts'),
      import('./actions/ca-files.ts'),
    ]);
    return { sign, signByToken, signerFor, ownCa };
  },
});
