/** The contexts of OpenSSL that probes connect with. */

import { createHash } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { createSecureContext } from 'node:tls';
import type { ProbeRequest } from '../../runtime.ts';

/** OpenSSL takes up to a millisecond to make one. The hosts of a fleet are probed with the same few, the last of which are kept. */
const contexts = new Map<string, SecureContext>();
/** Of each host there is one of its own, that with its certificate: 20 at once must not drive out those of all. */
const MOST_CONTEXTS = 32;

/** What a connection trusts and shows, for OpenSSL. Fails as OpenSSL does where certificate and key do not belong together. */
export async function contextFor({ ca, credentials, maxVersion }: ProbeRequest): Promise<SecureContext> {
  const key = credentials?.key.reveal().toString();
  // Not the key itself, which would stay in memory as text.
  const id = createHash('sha256')
    .update(JSON.stringify([ca, credentials?.cert, key, maxVersion]))
    .digest('hex');
  const old = maxVersion === 'TLSv1.1';
  const context =
    contexts.get(id) ??
    createSecureContext({
      ca: ca === '' ? [] : [ca],
      // An intermediate or cross-signed CA that the caller trusts is an anchor, as it is to Go (Node 20.18 and later).
      ...({ allowPartialTrustChain: true } as object),
      cert: credentials?.cert,
      key,
      maxVersion,
      // OpenSSL 3 allows TLS 1.1 at security level 0 only.
      minVersion: old ? 'TLSv1.1' : undefined,
      ciphers: old ? 'DEFAULT@SECLEVEL=0' : undefined,
    });
  contexts.delete(id);
  contexts.set(id, context);
  const [oldest] = contexts.keys();
  if (contexts.size > MOST_CONTEXTS && oldest !== undefined) contexts.delete(oldest);
  return context;
}
