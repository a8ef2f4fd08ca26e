/** The user's own CA, named by flags or a fleet file: reading its files, and its form in the store. */

import type { StoredCa, StoreState } from '../adapters/store/records.ts';
import type { SignerFlags } from '../domain/external-ca.ts';
import type { CaSpec } from '../domain/settings.ts';
import { type CaToImport, caToStore } from '../engine/imported-ca.ts';
import type { Run } from '../engine/intent.ts';
import { ISSUERS } from '../seams/issuers.ts';
import { readIn } from './input-output.ts';

export type CaFiles = SignerFlags & {
  readonly cert: string;
  readonly chain?: string | undefined;
  readonly tlsRoot?: string | undefined;
};

/** The certificates (PEM), and the signing method for this machine. Fails with E_FILE (exit 2), and as Issuers.signerOf does. */
export async function readCa(flags: CaFiles, cwd: string) {
  const text = async (file: string): Promise<string> => (await readIn(file, cwd)).toString('utf8');
  const cert = await text(flags.cert);
  const chain = flags.chain === undefined ? undefined : await text(flags.chain);
  const trust = flags.tlsRoot === undefined ? `${cert}\n${chain ?? ''}` : await text(flags.tlsRoot);
  const signer = await (await ISSUERS.all[0]?.load())?.signerOf(flags, trust, cwd);
  return { cert, chain, external: signer?.external, token: signer?.token };
}

/** Undefined if the file names no CA. Paths of `ca` are absolute. Fails with E_USAGE, E_FILE, E_SECRET_FILE (exit 2). */
export async function readFleetCa(
  ca: CaSpec | undefined,
  noPassphrase: boolean,
  cwd: string,
): Promise<CaToImport | undefined> {
  if (ca?.cert === undefined) return undefined;
  const read = await readCa({ ...ca, cert: ca.cert, profile: ca.profiles }, cwd);
  return { ...read, wholeChain: ca.wholeChain === true, leafOnly: ca.leafOnly === true, noPassphrase };
}

/** The CA in its stored form; undefined for a run without one. Fails with the checks of `ca import`. */
export async function fleetCaToStore(
  { signer, passphrase, runtime }: Pick<Run, 'passphrase' | 'runtime'> & { readonly signer?: CaToImport | undefined },
  state: StoreState,
): Promise<StoredCa | undefined> {
  if (signer === undefined) return undefined;
  return caToStore({ ...signer, state, passphrase, now: runtime.now() });
}
