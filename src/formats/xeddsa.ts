/** Signatures by the X25519 keys of age (XEdDSA, https://signal.org/docs/specifications/xeddsa). They verify as those of an Ed25519 key. */

import { createHash, randomBytes } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { wireString } from '../core/domain/pki/ssh-wire.ts';

/** `ssh-ed25519`'s wire form of the key that verifies what this recipient's identity signs; undefined for a recipient of another kind. */
export function ed25519Of(recipient: string): Buffer | undefined {
  const montgomery = /^age1[02-9ac-hj-np-z]{58}$/.test(recipient) ? bech32Data(recipient) : undefined;
  if (montgomery === undefined) return undefined;
  const { Fp } = ed25519.Point;
  const u = fromLittleEndian(montgomery);
  const key = Fp.toBytes(Fp.div(Fp.sub(u, Fp.ONE), Fp.add(u, Fp.ONE)));
  return Buffer.concat(['ssh-ed25519', key].map(wireString));
}

/** The same of an identity, `AGE-SECRET-KEY-1…`; undefined for one that is not whole or of another kind. */
export function ed25519OfIdentity(identity: string): Buffer | undefined {
  if (!/^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/.test(identity) || checksumOf(identity.toLowerCase()) !== 1)
    return undefined;
  const key = ed25519.Point.BASE.multiply(scalarOf(identity)).toBytes();
  key[31] = (key[31] as number) & 127;
  return Buffer.concat(['ssh-ed25519', key].map(wireString));
}

/** Signs with an identity. Verified like Ed25519, by the public key whose sign bit is 0. */
export function signX25519(identity: string, message: Uint8Array): Uint8Array {
  const { BASE, Fn } = ed25519.Point;
  const scalar = scalarOf(identity);
  const negative = ((BASE.multiply(scalar).toBytes()[31] as number) & 128) !== 0;
  const a = negative ? Fn.neg(scalar) : scalar;
  const number = (...parts: Uint8Array[]) =>
    Fn.create(fromLittleEndian(createHash('sha512').update(Buffer.concat(parts)).digest()));
  const prefix = Buffer.alloc(32, 255);
  prefix[0] = 254;
  const r = number(prefix, Fn.toBytes(a), message, randomBytes(64));
  const point = BASE.multiply(r).toBytes();
  const h = number(point, BASE.multiply(a).toBytes(), message);
  return Buffer.concat([point, Fn.toBytes(Fn.add(r, Fn.mul(h, a)))]);
}

/** The clamped number of an identity (RFC 7748, 5). */
function scalarOf(identity: string): bigint {
  const clamped = bech32Data(identity.toLowerCase());
  clamped[0] = (clamped[0] as number) & 248;
  clamped[31] = ((clamped[31] as number) & 127) | 64;
  return ed25519.Point.Fn.create(fromLittleEndian(clamped));
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const CHECKSUM = 6;

/** The 32 bytes of a recipient or identity of age, whose checksum has been verified. */
function bech32Data(text: string): Uint8Array {
  const digits = [...text.slice(text.lastIndexOf('1') + 1, -CHECKSUM)].map((one) => BECH32.indexOf(one));
  const bits = digits.map((digit) => digit.toString(2).padStart(5, '0')).join('');
  return Uint8Array.from({ length: 32 }, (_, at) => Number.parseInt(bits.slice(8 * at, 8 * at + 8), 2));
}

/** 1 for a text whose checksum is right (BIP 173). */
function checksumOf(text: string): number {
  const cut = text.lastIndexOf('1');
  const name = [...text.slice(0, cut)].map((one) => one.charCodeAt(0));
  const digits = [...text.slice(cut + 1)].map((one) => BECH32.indexOf(one));
  const values = [...name.map((code) => code >> 5), 0, ...name.map((code) => code & 31), ...digits];
  return values.reduce((sum, value) => {
    const top = sum >> 25;
    const next = ((sum & 0x1ffffff) << 5) ^ value;
    return GENERATORS.reduce((found, generator, bit) => ((top >> bit) & 1 ? found ^ generator : found), next);
  }, 1);
}

const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
