/** Secret: a private key, passphrase or password that cannot be printed by accident; and the masking of passwords in addresses. */

import { inspect } from 'node:util';

/** Holds secret bytes. Strings, inspection and JSON show `***`; only `reveal` gives the bytes, where they are written or sent. */
export class Secret {
  readonly #bytes: Uint8Array;

  constructor(value: Uint8Array | string) {
    this.#bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  }

  /** The bytes themselves: call this only in the line that writes, sends or uses them. */
  reveal(): Buffer {
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
  }

  /** The same as UTF-8 text, for PEM and passwords. */
  revealText(): string {
    return this.reveal().toString('utf8');
  }

  get length(): number {
    return this.#bytes.byteLength;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [inspect.custom](): string {
    return '***';
  }
}

/**
 * The text with passwords and tokens in addresses masked (a proxy, a registry, `ADD https://user:password@…`): what hosts and files say is
 * shown on screens and handed on. Its time grows with the text and no faster, since a host may send a megabyte without a blank.
 */
export function maskPasswords(text: string): string {
  return text.replace(
    /(?<=[a-z0-9+.-]:\/\/)(?:([^/\s:@"]*):[^/\s@"]*|[^/\s:@"]{20,})@/gi,
    (_whole, user?: string) => `${user === undefined ? '' : `${user}:`}***@`,
  );
}

/** What is soon guessed by an attacker who has the key file. */
export function weakness(passphrase: string): string | undefined {
  if (passphrase.length < 8) return 'Too short: at least 8 characters.';
  if (new Set(passphrase).size < 4) return 'Too simple: the same few characters over and over.';
  return /^(passw|12345|qwert)/i.test(passphrase) ? 'Too common: such words are tried first.' : undefined;
}
