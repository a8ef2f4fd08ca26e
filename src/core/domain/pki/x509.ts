/** Cache of certificates parsed by OpenSSL. Parsing takes half a millisecond, and both the store and `status` parse the same ones. */

import { X509Certificate } from 'node:crypto';

/** The most recently parsed ones, by PEM. */
const certificates = new Map<string, X509Certificate>();
const MOST = 1000;

/** Parses one PEM certificate, cached. Throws as node:crypto does. */
export function readX509(pem: string): X509Certificate {
  const text = pem.trimEnd();
  const certificate = certificates.get(text) ?? new X509Certificate(text);
  certificates.set(text, certificate);
  const [oldest] = certificates.keys();
  if (certificates.size > MOST && oldest !== undefined) certificates.delete(oldest);
  return certificate;
}
