/** Authorities ready to sign: a CA certificate with its key, or with a token that holds the key. */

import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import type { Secret } from '../secret.ts';
import { openKey } from './keys.ts';
import { parseCertificate } from './parse.ts';
import { splitBundle } from './pem.ts';
import { keyIdentifier } from './profiles.ts';
import { type Signer, signerFor, type TokenSigner } from './signing.ts';

/** `cert`: PEM, the CA certificate first, then its chain. `key`: unencrypted PEM of its private key. */
export type Authority = { readonly cert: string; readonly key: Secret };

/** An authority ready to sign. Secrets in it are not printable; `key`: absent if a token holds it. */
export type OpenAuthority = {
  readonly cert: string;
  readonly key?: Secret;
  readonly subject: Buffer;
  readonly keyId: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Maximum number of CAs below it; undefined: unlimited. */
  readonly pathLen: number | undefined;
  readonly signer: Signer | TokenSigner;
  /** Chain after a leaf that it signs: the CA and its issuers, without self-signed certificates. */
  readonly chain: string;
};

/** Has its key in memory. */
export type KeyedAuthority = OpenAuthority & Authority & { readonly signer: Signer };

/**
 * Prepares an authority for signing. Throws E_KEY_… (unreadable, still encrypted), E_CERT_DAMAGED, E_CA_KEY (the key does not match the
 * certificate), E_CA_NOT_CA (the certificate may not sign certificates), E_KEY_TYPE.
 */
export function openAuthority(authority: Authority): KeyedAuthority;
export function openAuthority(authority: Authority | OpenAuthority): OpenAuthority;
export function openAuthority(authority: Authority | OpenAuthority): OpenAuthority {
  if ('signer' in authority) return authority;
  const own = parseCertificate(authority.cert);
  const privateKey = openKey(authority.key);
  if (!own.x509.checkPrivateKey(privateKey)) {
    throw caError('E_CA_KEY', "the CA's key does not belong to its certificate", [
      'openssl x509 -noout -pubkey -in CA-CERT; openssl pkey -pubout -in CA-KEY',
    ]);
  }
  return { ...authorityOf(authority.cert, signerFor(privateKey)), key: authority.key };
}

/** An authority with its key in a token. Throws E_CERT_DAMAGED, E_CA_NOT_CA. */
export function authorityOf<T extends Signer | TokenSigner>(
  cert: string,
  signer: T,
): OpenAuthority & { readonly signer: T } {
  const own = parseCertificate(cert);
  const { isCa, keyUsage, pathLen, ski } = own.extensions;
  if (!isCa || (keyUsage !== undefined && !keyUsage.includes('keyCertSign'))) {
    throw caError('E_CA_NOT_CA', `the certificate of "${own.subject.text}" may not sign other certificates`, [
      'docker-tls ca create',
    ]);
  }
  return {
    cert,
    subject: own.subject.der,
    keyId: ski ?? keyIdentifier(own.x509.publicKey.export({ type: 'spki', format: 'der' })),
    notBefore: own.notBefore,
    notAfter: own.notAfter,
    pathLen,
    signer,
    chain: splitBundle(cert)
      .map(parseCertificate)
      .flatMap(({ subject, issuer, pem }) => (subject.der.equals(issuer.der) ? [] : [pem]))
      .join(''),
  };
}

export function caError(code: ErrorCode, message: string, hints: readonly string[]): DockerTlsError {
  return new DockerTlsError(code, message, { hints });
}
