/** CAs of others that a host accepts: each of their clients gets in, and the store knows none of them by name. */

import type { StoreState } from '../../adapters/store/records.ts';
import type { OtherCa } from '../other-ca.ts';
import { inspectCertificate, splitBundle } from '../pki/inspect.ts';

type Known = Pick<StoreState, 'ca' | 'oldCas' | 'issuers'>;

/** Those in a trust file (PEM) that are not `ours` (ourFingerprints). One that has expired accepts nobody. */
export function otherCas(trust: string, ours: ReadonlySet<string>, now: Date): OtherCa[] {
  return splitBundle(trust)
    .map(inspectCertificate)
    .filter(({ fingerprint, notAfter }) => notAfter > now && !ours.has(fingerprint))
    .map(({ subject, fingerprint, notAfter }) => ({ subject, fingerprint, notAfter }));
}

/** SHA-256 of every CA of the store, and of every issuing CA of its clients: for many hosts it is made once. */
export function ourFingerprints({ ca, oldCas, issuers }: Known): ReadonlySet<string> {
  const bundles = [ca, ...oldCas, ...issuers.values()].flatMap((one) => (one === undefined ? [] : [one.cert]));
  return new Set(bundles.flatMap(splitBundle).map((pem) => inspectCertificate(pem).fingerprint));
}
