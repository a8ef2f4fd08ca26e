/** Passphrase of a store: the one under which the keys of its CAs and issuing CAs are stored. */

import type { StoreState } from '../adapters/store/records.ts';
import type { CaToken } from '../domain/external-ca.ts';
import { decryptKey, encryptKey, isEncrypted, keyOpens } from '../domain/pki/keys.ts';
import type { Secret } from '../domain/secret.ts';

/** Source of the CA's passphrase. `opens` checks it; the person who types it may try again. */
export type PassphraseSource = {
  /** For a new CA; undefined if the user explicitly declined one. */
  forNewCa(): Promise<Secret | undefined>;
  forExistingCa(opens: (words: Secret) => Promise<boolean>): Promise<Secret>;
  /** The PIN of the token that holds the CA's key. */
  pin(token: CaToken): Promise<Secret>;
};

type KeyProtection = {
  /** A key in its stored form. */
  protect(key: Secret): Promise<Secret>;
  /** The key itself. */
  open(stored: Secret): Promise<Secret>;
  /** Asks for the passphrase, if the keys have one. */
  unlock(): Promise<void>;
  /** The passphrase of this store's keys is lost: new keys get a new one. */
  beginAnew(): Promise<void>;
};

/** Existing keys show whether there is a passphrase; it is chosen with the first key. Asks for it when needed, at most once. */
export function protectKeys(
  { ca, oldCas, issuers }: Pick<StoreState, 'ca' | 'oldCas' | 'issuers'>,
  source: PassphraseSource,
): KeyProtection {
  /** Keys that this run has encrypted: decryption is slow. */
  const known = new WeakMap<Secret, Secret>();
  let secret: Promise<Secret | undefined> | undefined;

  function passphrase(): Promise<Secret | undefined> {
    // With an external CA, the issuing CAs of clients have the only keys.
    const keys = [ca, ...oldCas, ...issuers.values()].map((one) => one?.keyPem).filter((key) => key !== undefined);
    const locked = keys.find(isEncrypted);
    secret ??= locked
      ? source.forExistingCa((words) => keyOpens(locked, words))
      : keys.length > 0 || ca?.record.noPassphrase
        ? Promise.resolve(undefined)
        : source.forNewCa();
    return secret;
  }

  return {
    async protect(key) {
      const words = await passphrase();
      if (words === undefined) return key;
      const stored = await encryptKey(key, words);
      known.set(stored, key);
      return stored;
    },
    async open(stored) {
      return known.get(stored) ?? (isEncrypted(stored) ? decryptKey(stored, await passphrase()) : stored);
    },
    async unlock() {
      await passphrase();
    },
    async beginAnew() {
      secret = source.forNewCa();
      await secret;
    },
  };
}
