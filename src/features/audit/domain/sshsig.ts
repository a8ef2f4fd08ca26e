/** Detached signatures of OpenSSH (PROTOCOL.sshsig), as `ssh-keygen -Y sign` and `-Y verify` have them. */

import { createHash, createPublicKey, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto';

/** What a signature is for: one made for another purpose does not count here, nor ours there. */
export const NAMESPACE = 'docker-tls-audit';

const MAGIC = Buffer.from('SSHSIG');
const CURVES: Readonly<Record<string, { readonly curve: string; readonly crv: string; readonly hash: string }>> = {
  'ecdsa-sha2-nistp256': { curve: 'nistp256', crv: 'P-256', hash: 'sha256' },
  'ecdsa-sha2-nistp384': { curve: 'nistp384', crv: 'P-384', hash: 'sha384' },
  'ecdsa-sha2-nistp521': { curve: 'nistp521', crv: 'P-521', hash: 'sha512' },
};

/** `SHA256:…`, as ssh-keygen -l prints it. */
export function fingerprintOf(publicKey: Buffer): string {
  return `SHA256:${createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')}`;
}

function string(bytes: Buffer | string): Buffer {
  const content = Buffer.from(bytes as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

/** A positive number of any length (RFC 4251, mpint). */
function mpint(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const short = bytes.subarray(first < 0 ? bytes.length : first);
  return string((short[0] ?? 0) > 127 ? Buffer.concat([Buffer.alloc(1), short]) : short);
}

/** Reads strings one after the other. Throws RangeError at the end of the bytes. */
function reader(bytes: Buffer) {
  let at = 0;
  return {
    number(): number {
      at += 4;
      return bytes.readUInt32BE(at - 4);
    },
    string(): Buffer {
      const length = this.number();
      if (at + length > bytes.length) throw new RangeError('cut off');
      at += length;
      return bytes.subarray(at - length, at);
    },
    atEnd: () => at === bytes.length,
  };
}

/** The bytes that a key signs. */
function signedBytes(message: Buffer, hash: string): Buffer {
  const digest = createHash(hash).update(message).digest();
  return Buffer.concat([MAGIC, string(NAMESPACE), string(''), string(hash), string(digest)]);
}

/** Signs a message. `publicKey`: the wire form of the key (RFC 4253, 6.6). Undefined for a type of key that cannot sign. */
export function signDetached(message: Buffer, key: KeyObject, publicKey: Buffer): string | undefined {
  const type = reader(publicKey).string().toString('latin1');
  const signature = signatureOf(signedBytes(message, 'sha512'), key, type);
  if (signature === undefined) return undefined;
  const version = Buffer.from([0, 0, 0, 1]);
  const fields = [string(publicKey), string(NAMESPACE), string(''), string('sha512'), string(signature)];
  const body = Buffer.concat([MAGIC, version, ...fields]).toString('base64');
  return `-----BEGIN SSH SIGNATURE-----\n${body.match(/.{1,70}/g)?.join('\n')}\n-----END SSH SIGNATURE-----\n`;
}

function signatureOf(bytes: Buffer, key: KeyObject, type: string): Buffer | undefined {
  if (type === 'ssh-ed25519') return Buffer.concat([string(type), string(sign(null, bytes, key))]);
  if (type === 'ssh-rsa') return Buffer.concat([string('rsa-sha2-512'), string(sign('sha512', bytes, key))]);
  const curve = CURVES[type];
  if (curve === undefined) return undefined;
  const both = sign(curve.hash, bytes, { key, dsaEncoding: 'ieee-p1363' });
  const numbers = [both.subarray(0, both.length / 2), both.subarray(both.length / 2)].map(mpint);
  return Buffer.concat([string(type), string(Buffer.concat(numbers))]);
}

export type Checked = { readonly publicKey: Buffer } | { readonly problem: string };

/** Checks a detached signature, and returns the key that made it: whether that one may sign is the caller's to decide. */
export function checkDetached(message: Buffer, armored: string): Checked {
  const body = /^-----BEGIN SSH SIGNATURE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END SSH SIGNATURE-----\s*$/.exec(armored);
  if (body === null) return { problem: 'it is not a signature of ssh-keygen' };
  try {
    return checkBody(message, Buffer.from(body[1] ?? '', 'base64'));
  } catch {
    return { problem: 'it cannot be read' };
  }
}

function checkBody(message: Buffer, body: Buffer): Checked {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) return { problem: 'it is not a signature of ssh-keygen' };
  const read = reader(body.subarray(MAGIC.length));
  if (read.number() !== 1) return { problem: 'it has another version than 1' };
  const publicKey = read.string();
  const namespace = read.string().toString('latin1');
  if (namespace !== NAMESPACE) return { problem: `it is for ${JSON.stringify(namespace)}, not for ${NAMESPACE}` };
  read.string();
  const hash = read.string().toString('latin1');
  if (hash !== 'sha512' && hash !== 'sha256') return { problem: 'it has another hash than sha512 and sha256' };
  const signature = reader(read.string());
  if (!read.atEnd()) return { problem: 'it cannot be read' };
  const algorithm = signature.string().toString('latin1');
  const bytes = signedBytes(message, hash);
  const right = holds(bytes, publicKey, algorithm, signature.string());
  if (right === undefined) return { problem: 'its type of key is not known here; ssh-keygen -Y verify may know it' };
  return right ? { publicKey } : { problem: 'the file is not the one that was signed' };
}

function holds(bytes: Buffer, publicKey: Buffer, algorithm: string, signature: Buffer): boolean | undefined {
  const read = reader(publicKey);
  const type = read.string().toString('latin1');
  if (type === 'ssh-ed25519' && algorithm === type) {
    const key = imported({ kty: 'OKP', crv: 'Ed25519', x: read.string().toString('base64url') });
    return verify(null, bytes, key, signature);
  }
  // Never ssh-rsa as an algorithm: that is SHA-1.
  const rsaHash = { 'rsa-sha2-512': 'sha512', 'rsa-sha2-256': 'sha256' }[algorithm];
  if (type === 'ssh-rsa' && rsaHash !== undefined) {
    const [e, n] = [read.string(), read.string()].map((number) => number.toString('base64url'));
    return verify(rsaHash, bytes, imported({ kty: 'RSA', e, n } as JsonWebKey), signature);
  }
  const curve = CURVES[type];
  if (curve === undefined || algorithm !== type) return undefined;
  read.string();
  const point = read.string();
  const size = (point.length - 1) / 2;
  const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)].map((half) => half.toString('base64url'));
  const parts = reader(signature);
  const both = Buffer.concat([parts.string(), parts.string()].map((number) => padded(number, size)));
  const key = imported({ kty: 'EC', crv: curve.crv, x, y } as JsonWebKey);
  return verify(curve.hash, bytes, { key, dsaEncoding: 'ieee-p1363' }, both);
}

function imported(key: JsonWebKey): KeyObject {
  return createPublicKey({ key, format: 'jwk' });
}

/** A number in as many bytes as its curve has. */
function padded(number: Buffer, size: number): Buffer {
  const short = number.subarray(number.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.alloc(Math.max(0, size - short.length)), short]);
}

const LINE =
  /^(?<who>"[^"]*"|\S+)\s+(?:(?<options>(?:[^\s"]|"[^"]*")+)\s+)?(?<type>(?:ssh|ecdsa)-\S+)\s+(?<key>[A-Za-z0-9+/=]+)/;

/**
 * The principals of a file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS) for a key, at a time; undefined if the file does not allow
 * it. Lines of certificate authorities do not count.
 */
export function allowedSigner(file: string, publicKey: Buffer, now: Date): string | undefined {
  for (const line of file.split('\n').map((whole) => whole.trim())) {
    const { who = '', options = '', key = '' } = line.startsWith('#') ? {} : (LINE.exec(line)?.groups ?? {});
    if (who === '' || !Buffer.from(key, 'base64').equals(publicKey)) continue;
    if (optionsAllow(options, now)) return who.replaceAll('"', '');
  }
  return undefined;
}

function optionsAllow(options: string, now: Date): boolean {
  return (options.match(/(?:[^,"]|"[^"]*")+/g) ?? []).every((option) => {
    const [, name = '', value = ''] = /^([\w-]+)="?([^"]*)"?$/.exec(option) ?? [];
    switch (name.toLowerCase()) {
      case 'namespaces':
        return value.split(',').includes(NAMESPACE);
      case 'valid-after':
        return timeOf(value) <= now.getTime();
      case 'valid-before':
        return now.getTime() < timeOf(value);
      default:
        // Also cert-authority: this key would sign certificates, not files.
        return false;
    }
  });
}

/** `20261130`, with hours, minutes and seconds, in local time or with a Z. NaN, which compares as false, for anything else. */
function timeOf(text: string): number {
  const [, year, month, day, hour = '0', minute = '0', second = '0', utc] =
    /^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?(Z)?$/.exec(text) ?? [];
  const parts = [Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)] as const;
  // A day or an hour that does not exist would be taken for a later one.
  const date = new Date(Date.UTC(...parts));
  const days = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const told = [...days, date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
  if (told.some((part, index) => part !== parts[index])) return Number.NaN;
  return utc === undefined ? new Date(...parts).getTime() : Date.UTC(...parts);
}
