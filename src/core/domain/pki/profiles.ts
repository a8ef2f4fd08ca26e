/** Certificate profiles: extensions, times and names of each kind. Signing is in certificate.ts. */

import { createHash, randomBytes } from 'node:crypto';
import { DockerTlsError } from '../../../errors/errors.ts';
import { offeredCommands } from '../../seams/offered-commands.ts';
import {
  type Asn1,
  bool,
  children,
  content,
  decode,
  encode,
  int,
  namedBits,
  octets,
  oid,
  raw,
  seq,
  set,
  taggedBytes,
  utf8,
} from './der.ts';
import { OID } from './oids.ts';
import { ipBytes, type San } from './san.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Leaf certificates start before their issue time, so that hosts and clients with a slow clock accept them immediately. The common error
 * is exactly one hour (daylight saving), on top of a few minutes of drift.
 */
export const LEAF_BACKDATE_MS = HOUR_MS + 5 * 60_000;
/** Roots start a day earlier, so that the backdating of leaves issued right after them is never cut. */
export const ROOT_BACKDATE_MS = DAY_MS;
/** ub-common-name of RFC 5280, appendix A.1. */
export const MAX_COMMON_NAME = 64;
const MAX_DAYS = 36_500;

export type Validity = {
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** notAfter was limited to the issuer's. */
  readonly clamped: boolean;
};

/**
 * From `now` minus the backdating to `now` plus `days` (may be fractional), in whole seconds, limited to the issuer's validity. Most
 * verifiers do not require nesting, but a certificate that outlives its issuer would break on an unrecorded date.
 * Throws E_DAYS, E_CA_EXPIRED.
 */
export function validity(options: {
  days: number;
  now: Date;
  backdateMs: number;
  issuer?: { readonly notBefore: Date; readonly notAfter: Date };
}): Validity {
  const { days, now, backdateMs, issuer } = options;
  if (!(days > 0 && days <= MAX_DAYS)) {
    throw new DockerTlsError('E_DAYS', `a lifetime of ${days} days is not possible`, {
      hints: [`give more than 0 and at most ${MAX_DAYS} days`],
    });
  }
  if (issuer !== undefined && issuer.notAfter.getTime() <= now.getTime()) {
    throw new DockerTlsError(
      'E_CA_EXPIRED',
      `the CA expired on ${issuer.notAfter.toISOString()}: no verifier accepts what it signs now`,
      { hints: offeredCommands('new CA') },
    );
  }
  const begin = Math.max(now.getTime() - backdateMs, issuer?.notBefore.getTime() ?? 0);
  const wish = now.getTime() + days * DAY_MS;
  const end = Math.min(wish, issuer?.notAfter.getTime() ?? wish);
  return { notBefore: wholeSeconds(begin), notAfter: wholeSeconds(end), clamped: end < wish };
}

function wholeSeconds(timeMs: number): Date {
  return new Date(Math.floor(timeMs / 1000) * 1000);
}

/** 128 random bits that form a positive number without a leading zero byte (RFC 5280 4.1.2.2 allows up to 20 bytes). */
export function randomSerial(): Buffer {
  const serial = randomBytes(16);
  while (serial[0] === 0) serial[0] = randomBytes(1)[0] ?? 0;
  return serial;
}

/** DER of a name with a single common name. Throws E_NAME if the text is empty, too long or has control characters. */
export function commonName(text: string): Buffer {
  if (text.trim() === '' || [...text].length > MAX_COMMON_NAME || /[\u0000-\u001f\u007f-\u009f]/.test(text)) {
    throw new DockerTlsError('E_NAME', `"${text.slice(0, 80)}" cannot be the name in a certificate`, {
      hints: [`give 1 to ${MAX_COMMON_NAME} characters, without control characters`],
    });
  }
  return encode(seq(set(seq(oid(OID.commonName), utf8(text)))));
}

/** A CA's name: the text (shortened if necessary) with a random suffix, so that CAs are not confused. */
export function authorityName(text: string): string {
  const suffix = ` ${randomBytes(4).toString('hex')}`;
  return [...text].slice(0, MAX_COMMON_NAME - suffix.length).join('') + suffix;
}

/** Name of a client's issuing CA. Throws E_NAME. */
export function clientAuthorityName(client: string): string {
  commonName(client); // rejects invalid names before the suffix is appended
  return authorityName(`client ${client}`);
}

/** Key identifier: the first 160 bits of the SHA-256 of the public key's bits (RFC 7093, method 1). */
export function keyIdentifier(spki: Uint8Array): Buffer {
  const publicKeyBits = content(children(decode(spki))[1]).subarray(1);
  return createHash('sha256').update(publicKeyBits).digest().subarray(0, 20);
}

function extension(id: string, critical: boolean, value: Asn1): Asn1 {
  return seq(oid(id), critical ? bool(true) : undefined, octets(value));
}

/** Bit numbers of RFC 5280 4.2.1.3. */
const KEY_USAGE = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, crlSign: 6 } as const;

function usage(...names: readonly (keyof typeof KEY_USAGE)[]): Asn1 {
  return extension(OID.keyUsage, true, namedBits(names.map((name) => KEY_USAGE[name])));
}

// Constant extensions of each kind, encoded once.
const NOT_A_CA = encode(extension(OID.basicConstraints, true, seq()));
const SIGNS_CERTIFICATES = encode(usage('keyCertSign', 'crlSign'));
const SIGNS = encode(usage('digitalSignature'));
const SIGNS_AND_ENCIPHERS = encode(usage('digitalSignature', 'keyEncipherment'));
const FOR_SERVERS = encode(extension(OID.extKeyUsage, false, seq(oid(OID.serverAuth))));
const FOR_CLIENTS = encode(extension(OID.extKeyUsage, false, seq(oid(OID.clientAuth))));

/** Key identifiers of the certificate's key and of the issuer's. */
type KeyIds = { readonly own: Uint8Array; readonly issuer: Uint8Array };

function keyIds({ own, issuer }: KeyIds): Asn1[] {
  return [
    extension(OID.subjectKeyIdentifier, false, octets(own)),
    extension(OID.authorityKeyIdentifier, false, seq(taggedBytes(0, issuer))),
  ];
}

/** Extensions in a request for a client's issuing CA: authorityExtensions without key identifiers (the issuer adds them). */
export function issuerWishes(): Asn1[] {
  const basics = extension(OID.basicConstraints, true, seq(bool(true), int(0)));
  return [basics, raw(SIGNS_CERTIFICATES), raw(FOR_CLIENTS)];
}

/** `clientsOnly` prevents a client's issuing CA from issuing certificates that our clients would accept as a host's. */
export function authorityExtensions(ids: KeyIds, options: { pathLen?: number; clientsOnly?: boolean }): Asn1[] {
  const { pathLen, clientsOnly } = options;
  return [
    extension(OID.basicConstraints, true, seq(bool(true), pathLen === undefined ? undefined : int(pathLen))),
    raw(SIGNS_CERTIFICATES),
    ...(clientsOnly ? [raw(FOR_CLIENTS)] : []),
    ...keyIds(ids),
  ];
}

/** TLS 1.2 may use an RSA key to encipher keys, hence the bit; other key types do not need it. */
export function serverExtensions(ids: KeyIds, sans: readonly San[], keyType: string): Asn1[] {
  const usages = keyType.startsWith('rsa') ? SIGNS_AND_ENCIPHERS : SIGNS;
  return [raw(NOT_A_CA), raw(usages), raw(FOR_SERVERS), sanExtension(sans), ...keyIds(ids)];
}

/**
 * Repeats the name as a URI, since some verifiers reject a certificate without a subjectAltName (Python's cryptography). A DNS name would
 * be rejected under a CA with name constraints.
 */
export function clientExtensions(ids: KeyIds, name: string): Asn1[] {
  const names = extension(OID.subjectAltName, false, seq(taggedBytes(6, Buffer.from(clientUri(name), 'latin1'))));
  return [raw(NOT_A_CA), raw(SIGNS), raw(FOR_CLIENTS), names, ...keyIds(ids)];
}

export function clientUri(name: string): string {
  return `urn:docker-tls:client:${encodeURIComponent(name)}`;
}

/** GeneralNames: dNSName is [2], iPAddress [7], uniformResourceIdentifier [6]. */
export function sanExtension(sans: readonly San[]): Asn1 {
  const names = sans.map(({ kind, value }) =>
    kind === 'dns' ? taggedBytes(2, Buffer.from(value, 'latin1')) : taggedBytes(7, ipBytes(value)),
  );
  return extension(OID.subjectAltName, false, seq(...names));
}
