/** Secret: a private key, passphrase or password that is safe from accidental printing; and masking of passwords in URLs. */

import { inspect } from 'node:util';

/** Holds secret bytes. Strings, inspection and JSON show `***`; only `reveal` returns the bytes. */
export class Secret {
  readonly #bytes: Uint8Array;

  constructor(value: Uint8Array | string) {
    this.#bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  }

  /** The raw bytes: call this only in the line that writes, sends or uses them. */
  reveal(): Buffer {
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
  }

  /** The bytes as UTF-8 text, for PEM and passwords. */
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
 * Masks passwords and tokens in URLs (a proxy, a registry, `ADD https://user:password@…`), since text from hosts and files is displayed and
 * shared. Runs in linear time, since a host may send a megabyte without a blank.
 */
export function maskPasswords(text: string): string {
  return text.replace(
    /(?<=[a-z0-9+.-]:\/\/)(?:([^/\s:@"]*):[^/\s@"]*|[^/\s:@"]{20,})@/gi,
    (_whole, user?: string) => `${user === undefined ? '' : `${user}:`}***@`,
  );
}

/** Weakness of a passphrase against an attacker who has the key file; undefined: none found. */
export function weakness(passphrase: string): string | undefined {
  if (passphrase.length < 8) return 'Too short: at least 8 characters.';
  if (new Set(passphrase).size < 4) return 'Too simple: the same few characters over and over.';
  return /^(passw|12345|qwert)/i.test(passphrase) ? 'Too common: such words are tried first.' : undefined;
}
