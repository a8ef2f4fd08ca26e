/** CAs whose key is on another machine or in a token (step-ca, cfssl, Vault, a command, PKCS#11): what they add to the core. */

import { ISSUERS } from '../../seams/issuers.ts';

ISSUERS.add({
  async load() {
    const [{ sign }, { signByToken }, { signerOf }] = await Promise.all([
      import('../../adapters/issuer/sign.ts'),
      import('../../adapters/issuer/token.ts'),
      import('../../adapters/issuer/signer.ts'),
    ]);
    return { sign, signByToken, signerOf };
  },
});
