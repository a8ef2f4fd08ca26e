/** Passphrase of a store: the one under which the keys of its CAs and issuing CAs are stored. */

import type { StoreChange, StoreState } from '../adapters/store/records.ts';
import type { CaToken } from '../domain/external-ca.ts';
import { decryptKey, encryptKey, isEncrypted, tryPassphrase } from '../domain/pki/keys.ts';
import type { Secret } from '../domain/secret.ts';

/** The CA of a question. `replaced`: another one takes its place, and gets the same passphrase. */
type AskedCa = { readonly name: string | undefined; readonly replaced?: boolean };

/** Source of the CA's passphrase. `opens` checks it; the person who types it may try again. */
export type PassphraseSource = {
  /** For a new CA; undefined if the user explicitly declined one. */
  forNewCa(): Promise<Secret | undefined>;
  forExistingCa(opens: (words: Secret) => Promise<boolean>, about?: AskedCa): Promise<Secret>;
  /** The PIN of the token that holds the CA's key. */
  pin(token: CaToken): Promise<Secret>;
};

type KeyProtection = {
  /** A key in its stored form. */
  protect(key: Secret): Promise<Secret>;
  /** The key itself. */
  open(stored: Secret): Promise<Secret>;
  /** Asks for the passphrase, if the keys have one. `replaced`: a new CA gets it as well. */
  unlock(replaced?: boolean): Promise<void>;
  /** The passphrase of this store's keys is lost: new keys get a new one. */
  beginAnew(): Promise<void>;
};

/** Existing keys show whether there is a passphrase; it is chosen with the first key. Asks for it when needed, at most once. */
export function protectKeys(
  { ca, oldCas, issuers }: Pick<StoreState, 'ca' | 'oldCas' | 'issuers'>,
  source: PassphraseSource,
): KeyProtection {
  /** Keys that this run has encrypted or decrypted: both are slow. */
  const known = new WeakMap<Secret, Secret>();
  let words: Promise<Secret | undefined> | undefined;
  /** A stored key that has to open with the passphrase before a new key comes under it. */
  let unproven: Secret | undefined;

  function passphrase(replaced = false): Promise<Secret | undefined> {
    words ??= ask(replaced);
    return words;
  }

  async function ask(replaced: boolean): Promise<Secret | undefined> {
    // With an external CA, the issuing CAs of clients have the only keys.
    const keys = [ca, ...oldCas, ...issuers.values()].map((one) => one?.keyPem).filter((key) => key !== undefined);
    const locked = keys.find(isEncrypted);
    unproven = locked;
    if (locked !== undefined)
      return source.forExistingCa((typed) => opens(locked, typed), { name: ca?.record.name, replaced });
    return keys.length > 0 || ca?.record.noPassphrase ? undefined : source.forNewCa();
  }

  /** Whether a passphrase that was typed opens the key, which then needs no second decryption. */
  async function opens(locked: Secret, typed: Secret): Promise<boolean> {
    const key = await tryPassphrase(locked, typed);
    if (key !== undefined) keep(locked, key);
    return key !== undefined;
  }

  function keep(stored: Secret, key: Secret): Secret {
    known.set(stored, key);
    unproven = undefined;
    return key;
  }

  async function open(stored: Secret): Promise<Secret> {
    const found = known.get(stored);
    if (found !== undefined || !isEncrypted(stored)) return found ?? stored;
    return keep(stored, await decryptKey(stored, await passphrase()));
  }

  return {
    async protect(key) {
      const under = await passphrase();
      if (under === undefined) return key;
      // One from a file or the environment was not tried. No new key may come under another passphrase than the stored ones.
      if (unproven !== undefined) await open(unproven);
      const stored = await encryptKey(key, under);
      known.set(stored, key);
      return stored;
    },
    open,
    async unlock(replaced) {
      await passphrase(replaced);
    },
    async beginAnew() {
      words = source.forNewCa();
      unproven = undefined;
      await words;
    },
  };
}

/** Keys of a store under a passphrase. */
export function storedKeys({ ca, oldCas, issuers }: Pick<StoreState, 'ca' | 'oldCas' | 'issuers'>): Secret[] {
  const keys = [ca, ...oldCas].map((one) => one?.keyPem);
  return [...keys, ...[...issuers.values()].flatMap((one) => [one.keyPem, one.oldKeyPem])].filter(
    (key) => key !== undefined,
  );
}

/**
 * Puts every key of a store under another passphrase; undefined: under none. Keys that it has had before are not encrypted again: a first
 * call needs no lock, which it would hold for a tenth of a second a key. Fails with E_KEY_PASSPHRASE (exit 2).
 */
export function protectAnew(
  source: PassphraseSource,
  passphrase: Secret | undefined,
): (state: StoreState) => Promise<StoreChange> {
  const done = new Map<string, Secret>();
  return async ({ ca, oldCas, issuers }) => {
    const { open } = protectKeys({ ca, oldCas, issuers }, source);
    async function anew(stored: Secret | undefined): Promise<Secret | undefined> {
      if (stored === undefined) return undefined;
      const known = done.get(stored.revealText());
      if (known !== undefined) return known;
      const key = await open(stored);
      const kept = passphrase === undefined ? key : await encryptKey(key, passphrase);
      done.set(stored.revealText(), kept);
      return kept;
    }
    const keyPem = await anew(ca?.keyPem);
    const noPassphrase = (keyPem === undefined && passphrase === undefined) || undefined;
    return {
      ca: ca && { ...ca, keyPem, record: { ...ca.record, noPassphrase } },
      oldCas: await Promise.all(oldCas.map(async (old) => ({ ...old, keyPem: await anew(old.keyPem) }))),
      issuers: Object.fromEntries(
        await Promise.all(
          [...issuers].map(async ([name, { cert, ...keys }]) => [
            name,
            { cert, keyPem: await anew(keys.keyPem), oldKeyPem: await anew(keys.oldKeyPem) },
          ]),
        ),
      ),
    };
  };
}
