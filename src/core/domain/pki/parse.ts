/** Certificate parser: fields and extensions with forge's ASN.1, key and signature with node:crypto. */

import type { X509Certificate } from 'node:crypto';
import { type NameConstraints, parseNameConstraints } from './constraints.ts';
import {
  type Asn1,
  asn1Text,
  children,
  content,
  contextNumber,
  dateOf,
  decode,
  encode,
  isType,
  oidText,
  TAG,
} from './der.ts';
import { memoize } from './memoize.ts';
import { OID, shortName } from './oids.ts';
import { certDamaged, splitBundle } from './pem.ts';
import { ipText, type San } from './san.ts';
import { readX509 } from './x509.ts';

export type ParsedCertificate = {
  readonly x509: X509Certificate;
  /** Normalized PEM of this certificate alone. */
  readonly pem: string;
  readonly subject: Name;
  readonly issuer: Name;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly signatureOid: string;
  readonly extensions: Extensions;
};

/** `der`: the exact bytes, for comparison; `text`: the common name, or the whole name if it has no common name. */
type Name = { readonly der: Buffer; readonly text: string };

type Extensions = {
  readonly isCa: boolean;
  readonly pathLen: number | undefined;
  /** Names of RFC 5280 4.2.1.3; undefined: unrestricted. */
  readonly keyUsage: readonly string[] | undefined;
  /** Object identifiers; undefined: unrestricted. */
  readonly extKeyUsage: readonly string[] | undefined;
  readonly sans: readonly San[];
  /** Alternative names of other kinds: mail and URI as text, others as the number of their kind (RFC 5280 4.2.1.6). */
  readonly otherNames: readonly string[];
  readonly ski: Buffer | undefined;
  readonly aki: Buffer | undefined;
  readonly nameConstraints: NameConstraints | undefined;
  /** Unknown critical extensions: a verifier must reject the certificate (RFC 5280 4.2). */
  readonly unknownCritical: readonly string[];
};

/**
 * Parses the first certificate of a PEM text. Throws E_CERT_DAMAGED. Cached: a plan parses the same certificates many times, a CA for each
 * client among them, and each takes up to a millisecond.
 */
export const parseCertificate = memoize(4000, (pem): ParsedCertificate => {
  const [first] = splitBundle(pem);
  if (first === undefined) throw certDamaged('there is none in PEM form');
  try {
    const x509 = readX509(first);
    return { x509, pem: first, ...parseFields(x509.raw) };
  } catch (cause) {
    throw certDamaged('it is not an X.509 certificate', cause);
  }
});

/** The SubjectPublicKeyInfo of the first certificate of a PEM text. Throws E_CERT_DAMAGED. */
export function publicKeyInfo(pem: string): Asn1 | undefined {
  const fields = fieldsOf(children(decode(parseCertificate(pem).x509.raw)));
  return fields[5];
}

/** The fields that a certificate's signature covers. Version 1 certificates lack the leading [0]. */
function fieldsOf([signed]: readonly Asn1[]): readonly Asn1[] {
  const all = children(signed);
  return contextNumber(all[0]) === 0 ? all.slice(1) : all;
}

function parseFields(der: Buffer): Omit<ParsedCertificate, 'x509' | 'pem'> {
  const parts = children(decode(der));
  const [, algorithm] = parts;
  const fields = fieldsOf(parts);
  const [, , issuer, times, subject] = fields;
  const [notBefore, notAfter] = children(times);
  const wrapped = fields.find((field) => contextNumber(field) === 3);
  return {
    subject: parseName(subject),
    issuer: parseName(issuer),
    notBefore: dateOf(notBefore),
    notAfter: dateOf(notAfter),
    signatureOid: oidText(children(algorithm)[0]),
    extensions: parseExtensions(wrapped === undefined ? [] : children(children(wrapped)[0])),
  };
}

/** Parses a Name: RDNSequence. Throws an Error if damaged. */
export function parseName(name: Asn1 | undefined): Name {
  const parts = children(name).flatMap((rdn) =>
    children(rdn).map((pair) => {
      const [type, value] = children(pair);
      if (value === undefined) throw new Error('a name without a value');
      return { type: oidText(type), text: asn1Text(value) };
    }),
  );
  const common = parts.filter(({ type }) => type === OID.commonName).at(-1);
  return { der: encode(name as Asn1), text: common?.text ?? parts.map(({ text }) => text).join(', ') };
}

/** Parses the extensions of a certificate or a request. Throws an Error if damaged. */
export function parseExtensions(list: readonly Asn1[]): Extensions {
  const byId = new Map<string, { critical: boolean; value: Asn1 }>();
  for (const extension of list) {
    const parts = children(extension);
    const critical = parts.length > 2 && content(parts[1])[0] !== 0;
    const id = oidText(parts[0]);
    if (byId.has(id)) throw new Error('an extension is there twice');
    if (KNOWN.has(id)) byId.set(id, { critical, value: decode(content(parts.at(-1))) });
    else byId.set(id, { critical: critical && !UNCHECKED.has(id), value: extension });
  }
  const field = (id: string): Asn1 | undefined => byId.get(id)?.value;
  const constraints = field(OID.basicConstraints);
  const [isCa, pathLen] = constraints === undefined ? [false, undefined] : parseConstraints(constraints);
  const ski = field(OID.subjectKeyIdentifier);
  const usage = field(OID.keyUsage);
  const extUsage = field(OID.extKeyUsage);
  const sans = field(OID.subjectAltName);
  const aki = field(OID.authorityKeyIdentifier);
  const names = field(OID.nameConstraints);
  return {
    isCa,
    pathLen,
    keyUsage: usage && parseKeyUsage(content(usage)),
    extKeyUsage: extUsage && children(extUsage).map(oidText),
    sans: sans === undefined ? [] : children(sans).flatMap(parseGeneralName),
    otherNames: sans === undefined ? [] : children(sans).flatMap(parseOtherName),
    ski: ski && content(ski),
    aki: aki && children(aki).flatMap((part) => (contextNumber(part) === 0 ? [content(part)] : []))[0],
    nameConstraints: names && parseNameConstraints(names),
    unknownCritical: [...byId].filter(([id, { critical }]) => critical && !KNOWN.has(id)).map(([id]) => shortName(id)),
  };
}

const KNOWN: ReadonlySet<string> = new Set([
  OID.basicConstraints,
  OID.keyUsage,
  OID.extKeyUsage,
  OID.subjectAltName,
  OID.subjectKeyIdentifier,
  OID.authorityKeyIdentifier,
  OID.nameConstraints,
]);

/** Known, but not evaluated by docker-tls: policies (RFC 5280 4.2.1.4 to 4.2.1.14). */
const UNCHECKED: ReadonlySet<string> = new Set(['2.5.29.32', '2.5.29.33', '2.5.29.36', '2.5.29.54']);

function parseConstraints(value: Asn1): [boolean, number | undefined] {
  const fields = children(value);
  const isCa = isType(fields[0], TAG.boolean) && content(fields[0])[0] !== 0;
  const length = fields.find((field) => isType(field, TAG.integer));
  return [isCa, length === undefined ? undefined : Number.parseInt(content(length).toString('hex'), 16)];
}

const KEY_USAGE_NAMES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

function parseKeyUsage(bitString: Buffer): string[] {
  return KEY_USAGE_NAMES.filter((_, bit) => ((bitString[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

function parseOtherName(name: Asn1): string[] {
  const kind = contextNumber(name);
  if (kind === 1 || kind === 6) return [content(name).toString('latin1')];
  return parseGeneralName(name).length > 0 ? [] : [`a name of kind ${kind}`];
}

/** dNSName and iPAddress; other kinds (mail, URI) do not identify a daemon. */
function parseGeneralName(name: Asn1): San[] {
  switch (contextNumber(name)) {
    case 2:
      return [{ kind: 'dns', value: content(name).toString('latin1').toLowerCase() }];
    case 7: {
      const value = ipText(content(name));
      return value === undefined ? [] : [{ kind: 'ip', value }];
    }
    default:
      return [];
  }
}
