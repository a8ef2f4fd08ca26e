/** IDs of CAs in plans: fingerprints, comparable without parsing certificates. */

import { createHash } from 'node:crypto';
import { certificateTexts, derOf } from '../pki/pem.ts';

/** A CA: the SHA-256 fingerprint of its certificate (`AA:BB:…`), or a placeholder for a planned one. */
export type CaId = string | { readonly new: string };

export const NEW_CA: CaId = { new: 'CA' };

export function newIssuerId(client: string): CaId {
  return { new: `client ${client}` };
}

/** Fingerprints of the certificates in a PEM text, in order. Parses no certificate, so the text may come from a host. */
export function certificateIds(pem: string): string[] {
  return certificateTexts(pem).map((block) => {
    return (createHash('sha256').update(derOf(block)).digest('hex').toUpperCase().match(/../g) ?? []).join(':');
  });
}

/** Whether two lists name the same CAs, in any order: the order in a trust file has no meaning. */
export function sameIds(one: readonly CaId[], other: readonly CaId[]): boolean {
  const sorted = (ids: readonly CaId[]) => [...new Set(ids.map((id) => JSON.stringify(id)))].sort().join();
  return sorted(one) === sorted(other);
}
