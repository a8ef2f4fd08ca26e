/** The public key of a private key, in the form that an issuer receives. */

import { createPublicKey } from 'node:crypto';
import { openKey } from '../../src/core/domain/pki/keys.ts';
import type { Secret } from '../../src/core/domain/secret.ts';

/** As `PUBLIC KEY` PEM (SPKI). */
export function publicKeyOf(key: Secret): string {
  return createPublicKey(openKey(key)).export({ type: 'spki', format: 'pem' }).toString();
}
