/** CAs that docker-tls did not create: imported ones, those on another machine, and those with their key in a token. */

import { DockerTlsError } from '../../errors/errors.ts';
import type { StoredCa, StoreState } from '../adapters/store/records.ts';
import type { CaSigner, CaToken, ExternalCa } from '../domain/external-ca.ts';
import type { OpenAuthority } from '../domain/pki/open-authority.ts';
import type { CaSpec } from '../domain/settings.ts';
import type { CredentialChange } from '../domain/trust/changes.ts';
import type { PassphraseSource } from '../engine/key-protection.ts';
import type { Runtime } from '../runtime.ts';
import { seam } from './seam.ts';

/** A run that may ask such a CA to sign. */
export type SignerRun = {
  readonly passphrase: PassphraseSource;
  readonly runtime: Pick<Runtime, 'sign' | 'signByToken'>;
  /** Called before anything signs with settings of the store. Fails if the person declines. */
  approve(signer: CaSigner): Promise<void>;
  /** The CA's signer from the fleet file; its files are on this machine. */
  readonly signer?: CaSigner | undefined;
  /** Reports what a person should know about a signature. */
  note?(text: string): void;
};

/** Signs for a run, after approval. */
export type RunSigner = {
  /** Fails like `Runtime.sign`. */
  sign: Runtime['sign'];
  /** The CA `cert` with its key in a token. Asks for the PIN when it signs. Fails with E_KEY_TYPE; signing with E_TOKEN (exit 4), E_CA_KEY. */
  open(cert: string, token: CaToken): Promise<OpenAuthority>;
  /** Asks for the PIN. */
  unlock(token: CaToken): Promise<void>;
};

/** The user's own CA, as a fleet file names it. */
export type OwnCa = CaSigner & {
  /** What imports it, or updates how it signs. Fails with the checks of an import. */
  changes(
    state: StoreState,
    run: Pick<SignerRun, 'passphrase'> & { readonly runtime: Pick<Runtime, 'now'> },
  ): Promise<(known: StoredCa | undefined) => readonly CredentialChange[]>;
};

export type Issuers = {
  /** Same as in Runtime. */
  sign(ca: ExternalCa, request: Parameters<Runtime['sign']>[1], signal: AbortSignal): ReturnType<Runtime['sign']>;
  signByToken(
    token: CaToken,
    request: Parameters<Runtime['signByToken']>[1],
    signal: AbortSignal,
  ): ReturnType<Runtime['signByToken']>;
  signerFor(run: SignerRun): RunSigner;
  /** Reads the files of the CA. Paths are absolute. Fails with E_USAGE, E_FILE, E_SECRET_FILE (exit 2). */
  ownCa(ca: Partial<CaSpec> & { readonly cert: string }, noPassphrase: boolean, cwd: string): Promise<OwnCa>;
};

export const ISSUERS = seam<{ load(): Promise<Issuers> }>();

/** Fails with E_CA_KEY_EXTERNAL (exit 2) if no feature supports such CAs. */
export async function loadIssuers(): Promise<Issuers> {
  const [first] = ISSUERS.all;
  if (first !== undefined) return first.load();
  throw new DockerTlsError('E_CA_KEY_EXTERNAL', 'this build of docker-tls does not support external CAs', {
    hints: ['docker-tls version'],
  });
}
