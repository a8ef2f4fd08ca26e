/** CAs of other issuers that a host accepts: all of their clients have access, and the store does not know them. */

import type { StoreState } from '../../adapters/store/records.ts';
import type { OtherCa } from '../other-ca.ts';
import { inspectCertificate, splitBundle } from '../pki/inspect.ts';

type Known = Pick<StoreState, 'ca' | 'oldCas' | 'issuers'>;

/** CAs in a trust file (PEM) that are not `ours` (ourFingerprints). Skips expired ones: they accept no client. */
export function otherCas(trust: string, ours: ReadonlySet<string>, now: Date): OtherCa[] {
  return splitBundle(trust)
    .map(inspectCertificate)
    .filter(({ fingerprint, notAfter }) => notAfter > now && !ours.has(fingerprint))
    .map(({ subject, fingerprint, notAfter }) => ({ subject, fingerprint, notAfter }));
}

/** SHA-256 of every CA of the store, and of every client's issuing CAs. Compute it once for many hosts. */
export function ourFingerprints({ ca, oldCas, issuers }: Known): ReadonlySet<string> {
  const bundles = [ca, ...oldCas, ...issuers.values()].flatMap((one) => (one === undefined ? [] : [one.cert]));
  return new Set(bundles.flatMap(splitBundle).map((pem) => inspectCertificate(pem).fingerprint));
}
