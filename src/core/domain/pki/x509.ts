/** Certificates parsed by OpenSSL. */

import { X509Certificate } from 'node:crypto';
import { memoize } from './memoize.ts';

const parse = memoize(4000, (pem) => new X509Certificate(pem));

/** Parses one PEM certificate, cached: it takes half a millisecond, and the store and `status` parse the same ones. Throws as node:crypto does. */
export function readX509(pem: string): X509Certificate {
  return parse(pem.trimEnd());
}
