/** OpenSSL contexts for probes. */

import { createHash } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { createSecureContext } from 'node:tls';
import type { ProbeRequest } from '../../runtime.ts';

/** OpenSSL takes up to a millisecond to make a context. Probes of a fleet share a few, so the last ones are cached. */
const contexts = new Map<string, SecureContext>();
/** Each host adds one with its certificate: 20 concurrent ones must not evict those shared by all. */
const MOST_CONTEXTS = 32;

/** The trust and credentials of a connection, for OpenSSL. Fails as OpenSSL does if certificate and key do not match. */
export async function contextFor({ ca, credentials, maxVersion }: ProbeRequest): Promise<SecureContext> {
  const key = credentials?.key.reveal().toString();
  // A hash and not the key itself, which would stay in memory as text.
  const id = createHash('sha256')
    .update(JSON.stringify([ca, credentials?.cert, key, maxVersion]))
    .digest('hex');
  const old = maxVersion === 'TLSv1.1';
  const context =
    contexts.get(id) ??
    createSecureContext({
      ca: ca === '' ? [] : [ca],
      // A trusted intermediate or cross-signed CA is an anchor, as in Go (Node 20.18 and later).
      ...({ allowPartialTrustChain: true } as object),
      cert: credentials?.cert,
      key,
      maxVersion,
      // OpenSSL 3 allows TLS 1.1 only at security level 0.
      minVersion: old ? 'TLSv1.1' : undefined,
      ciphers: old ? 'DEFAULT@SECLEVEL=0' : undefined,
    });
  contexts.delete(id);
  contexts.set(id, context);
  const [oldest] = contexts.keys();
  if (contexts.size > MOST_CONTEXTS && oldest !== undefined) contexts.delete(oldest);
  return context;
}
