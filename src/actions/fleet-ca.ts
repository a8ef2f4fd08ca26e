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
};

/** Undefined where the file names none. Paths of `ca` are absolute. Fails with E_USAGE, E_FILE, E_SECRET_FILE (exit 2). */
export async function readFleetCa(ca: CaSpec | undefined, cwd: string): Promise<FleetCa | undefined> {
  if (ca?.cert === undefined) return undefined;
  const read = await readCa({ ...ca, cert: ca.cert, profile: ca.profiles }, cwd);
  return { ...read, wholeChain: ca.wholeChain === true, leafOnly: ca.leafOnly === true };
}

/** As it is stored. Fails with what `ca import` refuses. */
export async function fleetCaToStore(
  { cert, chain, wholeChain, leafOnly, external, token }: FleetCa,
  { passphrase, runtime }: Pick<Run, 'passphrase' | 'runtime'>,
  state: StoreState,
  noPassphrase: boolean,
): Promise<StoredCa> {
  const { ca } = await caToStore({
    ...{ cert, chain, wholeChain, state, passphrase, external, token, now: runtime.now() },
    leafOnly: leafOnly || undefined,
    noPassphrase: noPassphrase || undefined,
  });
  return ca;
}
