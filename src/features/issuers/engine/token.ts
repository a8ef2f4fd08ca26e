/** CA whose key is in a hardware token or a KMS. Certificates are built locally, and the token's signature is checked before use. */

import { randomBytes } from 'node:crypto';
import type { CaToken } from '../../../core/domain/external-ca.ts';
import { authorityOf, type OpenAuthority } from '../../../core/domain/pki/open-authority.ts';
import { parseCertificate } from '../../../core/domain/pki/parse.ts';
import { algorithmFor, isSignature } from '../../../core/domain/pki/signing.ts';
import type { PassphraseSource } from '../../../core/engine/key-protection.ts';
import type { Runtime } from '../../../core/runtime.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

/** Asks for the PIN when it signs. Fails with E_KEY_TYPE; signing fails with E_TOKEN (exit 4), E_CA_KEY. */
export function openToken(
  cert: string,
  token: CaToken,
  passphrase: Pick<PassphraseSource, 'pin'>,
  { signByToken }: Pick<Runtime, 'signByToken'>,
): OpenAuthority {
  const { publicKey } = parseCertificate(cert).x509;
  const { algorithm, hash } = algorithmFor(publicKey);
  if (hash === null)
    throw new DockerTlsError('E_KEY_TYPE', 'unsupported token key: use RSA or a NIST curve (P-256, P-384, P-521)', {
      hints: ['a CA with a P-256 or P-384 key'],
    });
  return authorityOf(cert, {
    algorithm,
    async sign(body) {
      const signature = await signByToken(token, { pin: await passphrase.pin(token), hash, body });
      if (isSignature(hash, body, publicKey, signature)) return signature;
      throw new DockerTlsError('E_CA_KEY', 'the key in the token does not belong to the certificate of the CA', {
        where: token.uri,
        hints: ['p11tool --list-all', 'docker-tls ca show'],
      });
    },
  });
}

/** Checks that the token signs, with the CA's key. Fails as signing does. */
export async function tryToken(...token: Parameters<typeof openToken>): Promise<void> {
  const { signer } = openToken(...token);
  if (!('privateKey' in signer)) await signer.sign(randomBytes(32));
}
