/**
 * External CA feature: keys on another machine or in a token (step-ca, cfssl, Vault, a command, PKCS#11), and its additions to the core.
 */

import { FEATURE_SETTINGS } from '../../core/seams/feature-settings.ts';
import { ISSUERS } from '../../core/seams/issuers.ts';

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
);
ISSUERS.add({
  async load() {
    const [{ sign }, { signByToken }, { signerOf }] = await Promise.all([
      import('./adapters/sign.ts'),
      import('./adapters/pkcs11-token.ts'),
      import('./adapters/signer.ts'),
    ]);
    return { sign, signByToken, signerOf };
  },
});
