/** Every CA and client that a host accepts, by its trust file. */

import type { StoreState } from '../../adapters/store/records.ts';
import type { OtherCa } from '../other-ca.ts';
import { inspectCertificate, splitBundle } from '../pki/inspect.ts';
import type { Accepted, AcceptedCa } from '../status-row.ts';
import { trusting } from './client-hosts.ts';
import { otherCas, ourFingerprints } from './other-cas.ts';
import { FULL_ROLE } from './view.ts';

export type Acceptance = Accepted & { readonly otherCas: readonly OtherCa[] };

/** What each trust file (PEM) accepts. Computed once for equal files: most hosts have the same. */
export function acceptance(state: StoreState, now: Date): (trust: string) => Acceptance {
  const known = new Map<string, Acceptance>();
  const ours = ourFingerprints(state);
  const isIn = (certs: readonly string[]) => {
    const fingerprints = new Set(certs.flatMap(splitBundle).map((pem) => inspectCertificate(pem).fingerprint));
    return (fingerprint: string) => fingerprints.has(fingerprint);
  };
  const isCurrent = isIn([state.ca?.cert ?? '']);
  const isOld = isIn(state.oldCas.map(({ cert }) => cert));
  const clients = [...state.clients.values()]
    .filter(({ record }) => record.reaches === undefined)
    .map((client) => {
      const info = inspectCertificate(client.cert);
      return { client, info, accepts: trusting(client, info) };
    });
  const roleOf = (fingerprint: string): AcceptedCa['role'] => {
    if (isCurrent(fingerprint)) return 'ca';
    if (isOld(fingerprint)) return 'old-ca';
    return ours.has(fingerprint) ? 'issuer' : 'other';
  };
  return (trust) => {
    const found = known.get(trust) ?? {
      cas: splitBundle(trust)
        .map(inspectCertificate)
        .filter(({ notAfter }) => notAfter > now)
        .map(({ subject, fingerprint, notAfter }) => ({ subject, fingerprint, notAfter, role: roleOf(fingerprint) })),
      clients: clients
        .filter(({ accepts, info }) => info.notAfter > now && accepts(trust))
        .map(({ client: { record }, info }) => ({
          name: record.name,
          notAfter: info.notAfter,
          own: record.own === true,
          revoked: record.revokedAt !== undefined,
          role: record.role ?? FULL_ROLE,
        })),
      otherCas: otherCas(trust, ours, now),
    };
    known.set(trust, found);
    return found;
  };
}
