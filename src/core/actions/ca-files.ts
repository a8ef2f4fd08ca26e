/** The CA of one's own that flags or a fleet file name: read from its files, and as the store is to have it. */

import type { StoredCa, StoreState } from '../adapters/store/records.ts';
import type { SignerFlags } from '../domain/external-ca.ts';
import type { CaSpec } from '../domain/settings.ts';
import { type CaToImport, caToStore } from '../engine/imported-ca.ts';
import type { Run } from '../engine/intent.ts';
import { ISSUERS } from '../seams/issuers.ts';
import { readIn } from './files.ts';

export type CaFiles = SignerFlags & {
  readonly cert: string;
  readonly chain?: string | undefined;
  readonly tlsRoot?: string | undefined;
};

/** The certificates (PEM), and how it signs from here. Fails with E_FILE (exit 2), and as Issuers.signerOf does. */
export async function readCa(flags: CaFiles, cwd: string) {
  const text = async (file: string): Promise<string> => (await readIn(file, cwd)).toString('utf8');
  const cert = await text(flags.cert);
  const chain = flags.chain === undefined ? undefined : await text(flags.chain);
  const trust = flags.tlsRoot === undefined ? `${cert}\n${chain ?? ''}` : await text(flags.tlsRoot);
  const signer = await (await ISSUERS.all[0]?.load())?.signerOf(flags, trust, cwd);
  return { cert, chain, external: signer?.external, token: signer?.token };
}

/** Undefined where the file names none. Paths of `ca` are absolute. Fails with E_USAGE, E_FILE, E_SECRET_FILE (exit 2). */
export async function readFleetCa(
  ca: CaSpec | undefined,
  noPassphrase: boolean,
  cwd: string,
): Promise<CaToImport | undefined> {
  if (ca?.cert === undefined) return undefined;
  const read = await readCa({ ...ca, cert: ca.cert, profile: ca.profiles }, cwd);
  return { ...read, wholeChain: ca.wholeChain === true, leafOnly: ca.leafOnly === true, noPassphrase };
}

/** As it is stored; undefined where the run has none. Fails with what `ca import` refuses. */
export async function fleetCaToStore(
  { signer, passphrase, runtime }: Pick<Run, 'passphrase' | 'runtime'> & { readonly signer?: CaToImport | undefined },
  state: StoreState,
): Promise<StoredCa | undefined> {
  if (signer === undefined) return undefined;
  return caToStore({ ...signer, state, passphrase, now: runtime.now() });
}
