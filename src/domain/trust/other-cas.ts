/** CAs of others that a host accepts: each of their clients gets in, and the store knows none of them by name. */

import type { StoreState } from '../../adapters/store/records.ts';
import type { OtherCa } from '../other-ca.ts';
import { inspectCertificate, splitBundle } from '../pki/inspect.ts';

type Known = Pick<StoreState, 'ca' | 'oldCas' | 'issuers'>;

/** Those in a trust file (PEM) that are neither CAs of the store nor issuing CAs of its clients. One that has expired accepts nobody. */
export function otherCas(trust: string, known: Known, now: Date): OtherCa[] {
  const ours = ourFingerprints(known);
  return splitBundle(trust)
    .map(inspectCertificate)
    .filter(({ fingerprint, notAfter }) => notAfter > now && !ours.has(fingerprint))
    .map(({ subject, fingerprint, notAfter }) => ({ subject, fingerprint, notAfter }));
}

/** SHA-256 of every CA of the store. */
export function ourFingerprints({ ca, oldCas, issuers }: Known): ReadonlySet<string> {
  const bundles = [ca, ...oldCas, ...issuers.values()].flatMap((one) => (one === undefined ? [] : [one.cert]));
  return new Set(bundles.flatMap(splitBundle).map((pem) => inspectCertificate(pem).fingerprint));
}
