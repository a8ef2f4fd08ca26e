/** Owns the CA of one's own that a fleet file names: read from its files, and as the store is to have it. */

import type { StoredCa, StoreState } from '../adapters/store/records.ts';
import type { Signer } from '../domain/external-ca.ts';
import type { CaSpec } from '../domain/settings.ts';
import type { Run } from '../engine/intent.ts';
import { caToStore } from './ca-import.ts';
import { readCa } from './external-ca.ts';

/** A CA of one's own, and how it signs from here. */
export type FleetCa = Signer & {
  readonly cert: string;
  readonly chain: string | undefined;
  readonly wholeChain: boolean;
  readonly leafOnly: boolean;
  /** The keys of clients' issuing CAs are stored without a passphrase. */
  readonly noPassphrase: boolean;
};

/** Undefined where the file names none. Paths of `ca` are absolute. Fails with E_USAGE, E_FILE, E_SECRET_FILE (exit 2). */
export async function readFleetCa(
  ca: CaSpec | undefined,
  noPassphrase: boolean,
  cwd: string,
): Promise<FleetCa | undefined> {
  if (ca?.cert === undefined) return undefined;
  const read = await readCa({ ...ca, cert: ca.cert, profile: ca.profiles }, cwd);
  return { ...read, wholeChain: ca.wholeChain === true, leafOnly: ca.leafOnly === true, noPassphrase };
}

/** As it is stored; undefined where the run has none. Fails with what `ca import` refuses. */
export async function fleetCaToStore(
  { signer, passphrase, runtime }: Pick<Run, 'passphrase' | 'runtime'> & { readonly signer?: FleetCa | undefined },
  state: StoreState,
): Promise<StoredCa | undefined> {
  if (signer === undefined) return undefined;
  return (await caToStore({ ...signer, state, passphrase, now: runtime.now() })).ca;
}
