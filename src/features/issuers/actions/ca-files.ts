/** The files of the user's own CA, named by flags or a fleet file. */

import { readIn } from '../../../core/actions/input-output.ts';
import type { Issuers } from '../../../core/seams/issuers.ts';
import { signerOf } from '../adapters/signer.ts';
import type { SignerFlags } from '../domain/external-ca-flags.ts';
import { namedCa } from '../domain/named-ca.ts';
import { caToStore } from '../engine/imported-ca.ts';

export type CaFiles = SignerFlags & {
  readonly cert: string;
  readonly chain?: string | undefined;
  readonly tlsRoot?: string | undefined;
};

/** The certificates (PEM), and the signing method for this machine. Fails with E_FILE (exit 2), and as signerOf does. */
export async function readCa(flags: CaFiles, cwd: string) {
  const text = async (file: string): Promise<string> => (await readIn(file, cwd)).toString('utf8');
  const cert = await text(flags.cert);
  const chain = flags.chain === undefined ? undefined : await text(flags.chain);
  const trust = flags.tlsRoot === undefined ? `${cert}\n${chain ?? ''}` : await text(flags.tlsRoot);
  return { cert, chain, ...signerOf(flags, trust, cwd) };
}

export const ownCa: Issuers['ownCa'] = async (ca, noPassphrase, cwd) => {
  const read = await readCa({ ...ca, profile: ca.profiles }, cwd);
  const given = { ...read, wholeChain: ca.wholeChain === true, leafOnly: ca.leafOnly === true, noPassphrase };
  return {
    ...{ external: read.external, token: read.token },
    async changes(state, { passphrase, runtime }) {
      const ca = await caToStore({ ...given, state, passphrase, now: runtime.now() });
      return (known) => namedCa(known, ca);
    },
  };
};
