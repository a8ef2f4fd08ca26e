/** Owns Secret: a private key, passphrase or password that cannot be printed by accident. */

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
