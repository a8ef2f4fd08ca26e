/** SSH's wire format of keys (RFC 4251), and their fingerprints. */

import { createHash } from 'node:crypto';

/** `SHA256:…`, as ssh-keygen -l prints it. `publicKey`: the wire form of the key (RFC 4253, 6.6). */
export function fingerprintOf(publicKey: Buffer): string {
  return `SHA256:${createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')}`;
}

/** A string in SSH's wire format. */
export function wireString(value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
