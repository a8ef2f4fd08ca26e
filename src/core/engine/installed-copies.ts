/** Files of docker on this computer that are a client's own: after a renewal they get its new credentials. */

import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import { splitBundle } from '../domain/pki/inspect.ts';
import type { CopiesOutcome, Runtime } from '../runtime.ts';

const NONE: CopiesOutcome = { contexts: [], directory: false, updated: [], missing: [], problems: [] };

/**
 * Brings the copies that the record of `client` names up to date. `state`: as it was before the renewal, or after it. A client whose key
 * is on another machine has no copies here.
 */
export async function refreshCopies(
  { record, ca, cert, key }: StoredClient,
  state: StoreState,
  runtime: Pick<Runtime, 'refreshCopies'>,
): Promise<CopiesOutcome> {
  if (key === undefined || !record.copies?.length) return NONE;
  // The issuing CAs (during a rotation there are several) tell our own files also where a run died between the store and the copies.
  const issuers = [...state.issuers.values()].flatMap((one) => splitBundle(one.cert));
  const known = [...[...state.clients.values()].map((one) => one.cert), ...issuers];
  return runtime.refreshCopies({ copies: record.copies, files: { ca, cert, key }, known });
}
