/** Caching of passphrases and PINs for a run. Separate from key-protection.ts, so that a run starts without reading keys. */

import type { Secret } from '../domain/secret.ts';
import type { PassphraseSource } from './key-protection.ts';

/** A run may open the store's keys several times, but asks only once. It already knows the passphrase of a CA that it has made. */
export function requestedOnce(source: PassphraseSource): PassphraseSource {
  let fresh: ReturnType<PassphraseSource['forNewCa']> | undefined;
  let existing: ReturnType<PassphraseSource['forExistingCa']> | undefined;
  const pins = new Map<string, Promise<Secret>>();
  return {
    pin(token) {
      const known = pins.get(token.uri) ?? source.pin(token);
      pins.set(token.uri, known);
      return known;
    },
    forNewCa: () => {
      fresh ??= source.forNewCa();
      return fresh;
    },
    async forExistingCa(opens, about) {
      const words = await fresh;
      if (words !== undefined && (await opens(words))) return words;
      existing ??= source.forExistingCa(opens, about);
      return existing;
    },
  };
}
