/** Copies of a client's files for docker on this machine; a renewal updates them. */

import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import { splitBundle } from '../domain/pki/inspect.ts';
import type { CopiesOutcome, Runtime } from '../runtime.ts';

const NONE: CopiesOutcome = { contexts: [], directory: false, updated: [], missing: [], problems: [] };

/**
 * Updates the copies listed in the record of `client`. `state`: from before or after the renewal. A client whose key is on another machine
 * has no copies on this one.
 */
export async function refreshCopies(
  { record, ca, cert, key }: StoredClient,
  state: StoreState,
  runtime: Pick<Runtime, 'refreshCopies'>,
): Promise<CopiesOutcome> {
  if (key === undefined || !record.copies?.length) return NONE;
  // The issuing CAs (several during a rotation) identify our files even if a run died between the store and the copies.
  const issuers = [...state.issuers.values()].flatMap((one) => splitBundle(one.cert));
  const known = [...[...state.clients.values()].map((one) => one.cert), ...issuers];
  return runtime.refreshCopies({ copies: record.copies, files: { ca, cert, key }, known });
}
