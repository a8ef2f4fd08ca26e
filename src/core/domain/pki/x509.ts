/** Certificates as OpenSSL reads them, which takes half a millisecond each: the store looks at what it reads, and a row of status again. */

import { X509Certificate } from 'node:crypto';

/** The last that were read, by their PEM. */
const certificates = new Map<string, X509Certificate>();
const MOST = 1000;

/** Reads one certificate in PEM, once. Throws as node:crypto does. */
export function readX509(pem: string): X509Certificate {
  const text = pem.trimEnd();
  const certificate = certificates.get(text) ?? new X509Certificate(text);
  certificates.set(text, certificate);
  const [oldest] = certificates.keys();
  if (certificates.size > MOST && oldest !== undefined) certificates.delete(oldest);
  return certificate;
}
