/**
 * External CA feature: keys on another machine or in a token (step-ca, cfssl, Vault, a command, PKCS#11), and its additions to the core.
 */

import { FEATURE_SETTINGS } from '../../core/seams/feature-settings.ts';
import { ISSUERS } from '../../core/seams/issuers.ts';
import { ISSUER_TOPICS } from './help-topics.ts';

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
  topics: ISSUER_TOPICS,
  async load() {
    const [{ sign }, { signByToken }, { signerOf }, { withNamedFiles }] = await Promise.all([
      import('./adapters/sign.ts'),
      import('./adapters/pkcs11-token.ts'),
      import('./adapters/signer.ts'),
      import('./adapters/named-files.ts'),
    ]);
    return { sign, signByToken, signerOf, withNamedFiles };
  },
});
