/** Owns which passphrases of a CA's key are too weak. */

/** What is soon guessed by an attacker who has the key file. */
export function weakness(passphrase: string): string | undefined {
  if (passphrase.length < 8) return 'Too short: at least 8 characters.';
  if (new Set(passphrase).size < 4) return 'Too simple: the same few characters over and over.';
  return /^(passw|12345|qwert)/i.test(passphrase) ? 'Too common: such words are tried first.' : undefined;
}
