/**
 * DER encoding and decoding of the ASN.1 values in certificates, requests and key files, with node-forge's ASN.1. The interface uses
 * Buffers; forge's byte strings (latin1) stay internal.
 */

import type { asn1 as ForgeTypes } from 'node-forge';
import forgeAsn1 from 'node-forge/lib/asn1.js';

export type Asn1 = ForgeTypes.Asn1;

const UNIVERSAL = 0x00;
const CONTEXT = 0x80;
export const TAG = {
  boolean: 1,
  integer: 2,
  bitString: 3,
  octetString: 4,
  nothing: 5,
  oid: 6,
  utf8String: 12,
  sequence: 16,
  set: 17,
  printableString: 19,
  teletexString: 20,
  ia5String: 22,
  utcTime: 23,
  generalizedTime: 24,
  universalString: 28,
  bmpString: 30,
} as const;

function primitive(tag: number, bytes: Uint8Array): Asn1 {
  return forgeAsn1.create(UNIVERSAL, tag, false, Buffer.from(bytes).toString('latin1'));
}

/** SEQUENCE; undefined children are omitted, like OPTIONAL fields. */
export function seq(...children: readonly (Asn1 | undefined)[]): Asn1 {
  return forgeAsn1.create(
    UNIVERSAL,
    TAG.sequence,
    true,
    children.filter((child) => child !== undefined),
  );
}

/** SET of one value, or of values already in DER order. */
export function set(...children: readonly Asn1[]): Asn1 {
  return forgeAsn1.create(UNIVERSAL, TAG.set, true, [...children]);
}

export function oid(dotted: string): Asn1 {
  return forgeAsn1.create(UNIVERSAL, TAG.oid, false, forgeAsn1.oidToDer(dotted).getBytes());
}

export function bool(value: boolean): Asn1 {
  return primitive(TAG.boolean, Buffer.from([value ? 0xff : 0x00]));
}

export function nothing(): Asn1 {
  return primitive(TAG.nothing, Buffer.alloc(0));
}

/** INTEGER of a whole number ≥ 0, or of unsigned big-endian bytes: minimal, and never negative (X.690 8.3). */
export function int(value: number | Uint8Array): Asn1 {
  let bytes = typeof value === 'number' ? Buffer.from(evenHex(value), 'hex') : Buffer.from(value);
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  bytes = bytes.subarray(start);
  return primitive(TAG.integer, (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

function evenHex(value: number): string {
  const hex = value.toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}

/** OCTET STRING of bytes, or of a value's DER. */
export function octets(content: Uint8Array | Asn1): Asn1 {
  return primitive(TAG.octetString, content instanceof Uint8Array ? content : encode(content));
}

/** BIT STRING of whole bytes. */
export function bits(bytes: Uint8Array): Asn1 {
  return primitive(TAG.bitString, Buffer.concat([Buffer.of(0), bytes]));
}

/** BIT STRING of a named bit list, from the numbers of the set bits; without trailing zeros, as DER requires (X.690 11.2.2). */
export function namedBits(numbers: readonly number[]): Asn1 {
  const last = Math.max(...numbers);
  const bytes = Buffer.alloc(Math.floor(last / 8) + 1);
  for (const number of numbers) {
    const index = Math.floor(number / 8);
    bytes[index] = (bytes[index] ?? 0) | (0x80 >> (number % 8));
  }
  return primitive(TAG.bitString, Buffer.concat([Buffer.of(7 - (last % 8)), bytes]));
}

export function utf8(text: string): Asn1 {
  return primitive(TAG.utf8String, Buffer.from(text, 'utf8'));
}

/** BMPString (UTF-16, big-endian), required for names in PKCS#12. */
export function bmp(text: string): Asn1 {
  return forgeAsn1.create(UNIVERSAL, TAG.bmpString, false, text);
}

/** `[number] EXPLICIT`, or a constructed IMPLICIT field. */
export function tagged(number: number, ...children: readonly Asn1[]): Asn1 {
  return forgeAsn1.create(CONTEXT, number, true, [...children]);
}

/** `[number] IMPLICIT` of a string-like type; the bytes are the content. */
export function taggedBytes(number: number, bytes: Uint8Array): Asn1 {
  return forgeAsn1.create(CONTEXT, number, false, Buffer.from(bytes).toString('latin1'));
}

/** Time by RFC 5280 4.1.2.5: UTCTime up to 2049, GeneralizedTime from 2050; at most the end of year 9999. */
export function time(date: Date): Asn1 {
  const iso = new Date(Math.min(date.getTime(), END_OF_TIME)).toISOString();
  const digits = `${iso.slice(0, 19).replace(/[-:T]/g, '')}Z`;
  return date.getUTCFullYear() < 2050
    ? primitive(TAG.utcTime, Buffer.from(digits.slice(2)))
    : primitive(TAG.generalizedTime, Buffer.from(digits));
}

const END_OF_TIME = Date.UTC(9999, 11, 31, 23, 59, 59);

/**
 * A value with existing DER (a name, a public key, constant extensions), inserted byte for byte. forge keeps a string value unchanged, so
 * the tag byte with its constructed bit and the content suffice.
 */
export function raw(der: Uint8Array): Asn1 {
  const tag = der[0] ?? 0;
  const length = der[1] ?? 0;
  const header = length < 0x80 ? 2 : 2 + (length & 0x7f);
  return forgeAsn1.create(tag & 0xc0, tag & 0x3f, false, Buffer.from(der.subarray(header)).toString('latin1'));
}

export function encode(value: Asn1): Buffer {
  return Buffer.from(forgeAsn1.toDer(value).getBytes(), 'latin1');
}

/**
 * Decodes one DER value that fills `der`. Throws an Error for damaged DER. Bit strings are not decoded: forge would parse about 1 in 256 EC
 * points as nested ASN.1.
 */
export function decode(der: Uint8Array): Asn1 {
  return forgeAsn1.fromDer(Buffer.from(der).toString('latin1'), {
    strict: true,
    parseAllBytes: true,
    decodeBitStrings: false,
    maxDepth: 32,
  });
}

/** Exact bytes of the first child of a constructed value: the signed part. Throws an Error for truncated DER. */
export function firstChildBytes(der: Buffer): Buffer {
  const outer = headerOf(der, 0);
  const inner = headerOf(der, outer.header);
  return der.subarray(outer.header, outer.header + inner.header + inner.length);
}

function headerOf(der: Buffer, at: number): { header: number; length: number } {
  const first = der.readUInt8(at + 1);
  if (first < 0x80) return { header: 2, length: first };
  const size = first & 0x7f;
  return { header: 2 + size, length: der.readUIntBE(at + 2, size) };
}

/** Children of a constructed value. Throws an Error for a primitive one (a damaged file). */
export function children(value: Asn1 | undefined): readonly Asn1[] {
  if (value === undefined || !Array.isArray(value.value)) throw new Error('ASN.1: a constructed value was expected');
  return value.value;
}

/** Content of a primitive value (of a BIT STRING: with its first byte). Throws an Error for a constructed one. */
export function content(value: Asn1 | undefined): Buffer {
  if (value === undefined || Array.isArray(value.value)) throw new Error('ASN.1: a primitive value was expected');
  return Buffer.from(value.value, 'latin1');
}

export function oidText(value: Asn1 | undefined): string {
  return forgeAsn1.derToOid(content(value).toString('latin1'));
}

/** Whether the value has this universal type. */
export function isType(value: Asn1 | undefined, tag: number): value is Asn1 {
  return value !== undefined && value.tagClass === UNIVERSAL && value.type === tag;
}

/** Number of a context tag; undefined for another class. */
export function contextNumber(value: Asn1 | undefined): number | undefined {
  return value !== undefined && value.tagClass === CONTEXT ? value.type : undefined;
}

/** Text of any string type that names use. */
export function asn1Text(value: Asn1): string {
  if (isType(value, TAG.bmpString)) return value.value as string;
  if (isType(value, TAG.universalString)) {
    const bytes = content(value);
    let text = '';
    for (let at = 0; at + 4 <= bytes.length; at += 4) text += String.fromCodePoint(bytes.readUInt32BE(at) % 0x110000);
    return text;
  }
  return content(value).toString(isType(value, TAG.teletexString) ? 'latin1' : 'utf8');
}

/** UTCTime or GeneralizedTime in the forms of RFC 5280 (seconds, Z). Throws an Error for anything else. */
export function dateOf(value: Asn1 | undefined): Date {
  const text = content(value).toString('latin1');
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (!match?.[1]) throw new Error('ASN.1: not a time of RFC 5280');
  const short = Number(match[1]);
  const year = match[1].length === 4 ? short : short < 50 ? 2000 + short : 1900 + short;
  const date = new Date(
    `${String(year).padStart(4, '0')}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`,
  );
  if (Number.isNaN(date.getTime())) throw new Error('ASN.1: no such time');
  return date;
}
