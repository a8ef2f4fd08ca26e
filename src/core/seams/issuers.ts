/** CAs whose key is on another machine or in a token. adapters/runtime.ts calls them, actions/ca-files.ts reads their options. */

import type { StoredCa } from '../adapters/store/records.ts';
import type { CaToken, ExternalCa, SignerFlags } from '../domain/external-ca.ts';
import type { Runtime } from '../runtime.ts';
import { seam } from './seam.ts';

export type Issuers = {
  /** Same as in Runtime. */
  sign(ca: ExternalCa, request: Parameters<Runtime['sign']>[1], signal: AbortSignal): ReturnType<Runtime['sign']>;
  signByToken(
    token: CaToken,
    request: Parameters<Runtime['signByToken']>[1],
    signal: AbortSignal,
  ): ReturnType<Runtime['signByToken']>;
  /** The signer that the flags describe. `trust`: PEM of the CAs that certify its API. Fails with E_USAGE, E_SECRET_FILE (exit 2). */
  signerOf(
    flags: SignerFlags,
    trust: string,
    cwd: string,
  ): { readonly external: ExternalCa | undefined; readonly token: CaToken | undefined };
  /**
   * The CA with the files in these flags, and those named before in place of the others. Undefined if none is named. Fails with E_NO_CA,
   * E_USAGE, E_SECRET_FILE (exit 2).
   */
  withNamedFiles(ca: StoredCa | undefined, flags: SignerFlags, cwd: string): StoredCa | undefined;
};

/** Help pages of `ca import` about the options of such a CA, by their names. */
export type IssuerTopics = Readonly<Record<string, { readonly about: string; readonly examples: readonly string[] }>>;

export const ISSUERS = seam<{ readonly topics: IssuerTopics; load(): Promise<Issuers> }>();
