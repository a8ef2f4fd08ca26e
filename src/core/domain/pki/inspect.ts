/** Certificate inspection: fields as plain data, and chain verification with a single reason for failure. */

import { printable } from '../../../errors/errors.ts';
import { keyTypeOf } from './keys.ts';
import { memoize } from './memoize.ts';
import { OID, shortName } from './oids.ts';
import { type ParsedCertificate, parseCertificate } from './parse.ts';
import { splitBundle } from './pem.ts';
import { covers, type San } from './san.ts';

export { splitBundle };

/** A certificate as plain data; texts are sanitized for display. */
export type CertificateInfo = {
  /** Common name, or the whole name if it has no common name. */
  readonly subject: string;
  readonly issuer: string;
  /** Subject and issuer are equal: a root. */
  readonly selfIssued: boolean;
  /** Upper-case hex without colons, as Node and openssl print it. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly sans: readonly San[];
  readonly isCa: boolean;
  /** Maximum number of CAs below; null: unlimited. */
  readonly pathLen: number | null;
  /** Names of RFC 5280 (`digitalSignature`, `keyCertSign`…); null: unrestricted. */
  readonly keyUsage: readonly string[] | null;
  /** `serverAuth`, `clientAuth`… or an object identifier; null: unrestricted. */
  readonly extKeyUsage: readonly string[] | null;
  /** A result of keyTypeOf; `unknown` for a key that node:crypto rejects. */
  readonly keyType: string;
  /** SHA-256 of the DER, `AA:BB:…`, as Node's TLS sockets and openssl print it. */
  readonly fingerprint: string;
  /** Key identifiers, lower-case hex. */
  readonly ski: string | null;
  readonly aki: string | null;
  readonly signatureAlgorithm: string;
};

/** Data of the first certificate of a PEM text. Throws E_CERT_DAMAGED. */
export function inspectCertificate(pem: string): CertificateInfo {
  const { x509, subject, issuer, notBefore, notAfter, extensions, signatureOid } = parseCertificate(pem);
  return {
    subject: printable(subject.text),
    issuer: printable(issuer.text),
    selfIssued: subject.der.equals(issuer.der),
    serial: x509.serialNumber,
    notBefore,
    notAfter,
    sans: extensions.sans.map(({ kind, value }) => ({ kind, value: printable(value) })),
    isCa: extensions.isCa,
    pathLen: extensions.pathLen ?? null,
    keyUsage: extensions.keyUsage ?? null,
    extKeyUsage: extensions.extKeyUsage?.map(shortName) ?? null,
    keyType: keyTypeOrUnknown(x509),
    fingerprint: x509.fingerprint256,
    ski: extensions.ski?.toString('hex') ?? null,
    aki: extensions.aki?.toString('hex') ?? null,
    signatureAlgorithm: shortName(signatureOid),
  };
}

/** Whether the certificate is valid for this purpose. */
export function worksAs(purpose: 'server' | 'client', { extKeyUsage }: Pick<CertificateInfo, 'extKeyUsage'>): boolean {
  return extKeyUsage === null || extKeyUsage.some((one) => one === `${purpose}Auth` || one === 'anyExtendedKeyUsage');
}

function keyTypeOrUnknown(x509: ParsedCertificate['x509']): string {
  try {
    return keyTypeOf(x509.publicKey);
  } catch {
    return 'unknown';
  }
}

export type ChainReason =
  | 'expired'
  | 'not-yet-valid'
  | 'wrong-name'
  | 'wrong-purpose'
  | 'unknown-authority'
  | 'bad-signature'
  | 'weak-signature'
  | 'not-a-ca'
  | 'path-too-long'
  | 'unknown-extension';

type ChainVerdict =
  | {
      readonly ok: true;
      /** From the leaf to the anchor, PEM. */
      readonly chain: readonly string[];
    }
  | {
      readonly ok: false;
      readonly reason: ChainReason;
      /** The rejected certificate, by its common name. */
      readonly subject: string;
      /** One sentence without a full stop. */
      readonly message: string;
    };

export type ChainQuestion = {
  /** PEM; further certificates in it count as intermediates, as in a served file. */
  readonly leaf: string;
  readonly intermediates?: readonly string[];
  /** Trust file: PEM texts with one or more certificates each. */
  readonly anchors: readonly string[];
  readonly purpose: 'server' | 'client';
  readonly now: Date;
  /** The address that a client dials; checked for servers only. */
  readonly address?: string;
};

/**
 * Whether a verifier like Go's crypto/x509 (dockerd, the docker CLI) accepts the leaf. Any certificate of the trust file ends the chain,
 * self-signed or not. Predicts the result of a TLS probe; does not check name constraints and policies.
 * Throws E_CERT_DAMAGED for a damaged PEM text.
 */
export function verifyChain(question: ChainQuestion): ChainVerdict {
  const { purpose, now, address } = question;
  const [leafPem = '', ...served] = splitBundle(question.leaf);
  const leaf = parseCertificate(leafPem);
  const anchors = anchorsIn(question.anchors.join(''));
  const others = bySubject([...served, ...(question.intermediates ?? []).flatMap(splitBundle)].map(parseCertificate));
  const flaw = flawOf(leaf, purpose, now) ?? nameFlaw(leaf, purpose, address);
  if (flaw !== undefined) return flaw;
  if (named(anchors, leaf.subject).some(({ pem }) => pem === leaf.pem)) return { ok: true, chain: [leaf.pem] };
  const search: Search = { anchors, others, purpose, now, flaws: [] };
  const chain = climb(search, [leaf]);
  if (chain !== undefined) return { ok: true, chain: chain.map(({ pem }) => pem) };
  return (
    search.flaws.find(({ reason }) => reason !== 'unknown-authority' && reason !== 'bad-signature') ??
    search.flaws[0] ??
    refuse(leaf, 'unknown-authority', `its issuer "${leaf.issuer.text}" is not among the trusted CAs`)
  );
}

/** Whether a certificate (with its chain) verifies with this CA as the only anchor. */
export function isFrom(cert: string, ca: string, purpose: 'server' | 'client', now: Date): boolean {
  return verifyChain({
    leaf: splitBundle(cert)
      .slice(0, purpose === 'client' ? undefined : 1)
      .join(''),
    anchors: [ca],
    purpose,
    now,
  }).ok;
}

/** Whether a CA's or client's certificate is under a trust file, ignoring dates and purposes. */
export function isUnder(cert: string, trust: string): boolean {
  const { notBefore, notAfter } = inspectCertificate(cert);
  const middle = new Date((notBefore.getTime() + notAfter.getTime()) / 2);
  const verdict = verifyChain({ leaf: cert, anchors: [trust], purpose: 'client', now: middle });
  return verdict.ok || verdict.reason === 'wrong-purpose';
}

type Refusal = Extract<ChainVerdict, { ok: false }>;
type Search = {
  readonly anchors: BySubject;
  readonly others: BySubject;
  readonly purpose: 'server' | 'client';
  readonly now: Date;
  /** Reasons for rejected candidates. */
  readonly flaws: Refusal[];
};

/** Longer chains are an attack or a mistake. */
const MAX_CHAIN = 8;

/** Certificates by the DER of their subject, in hexadecimal. */
type BySubject = ReadonlyMap<string, readonly ParsedCertificate[]>;

function bySubject(certificates: readonly ParsedCertificate[]): BySubject {
  const groups = new Map<string, ParsedCertificate[]>();
  for (const one of certificates) {
    const key = one.subject.der.toString('hex');
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return groups;
}

function named(certificates: BySubject, name: ParsedCertificate['subject']): readonly ParsedCertificate[] {
  return certificates.get(name.der.toString('hex')) ?? [];
}

/** A plan checks each of its clients against the same trust file or two, which may have a CA for each of them. */
const anchorsIn = memoize(8, (pem) => bySubject(splitBundle(pem).map(parseCertificate)));

/** Depth-first search from the last certificate of `path` to an anchor. */
function climb(search: Search, path: readonly ParsedCertificate[]): readonly ParsedCertificate[] | undefined {
  const below = path.at(-1) as ParsedCertificate;
  if (path.length >= MAX_CHAIN) return undefined;
  for (const [list, isAnchor] of [
    [search.anchors, true],
    [search.others, false],
  ] as const) {
    for (const candidate of named(list, below.issuer)) {
      if (path.some(({ pem }) => pem === candidate.pem)) continue;
      const flaw = issuerFlaw(candidate, below, path) ?? flawOf(candidate, search.purpose, search.now);
      if (flaw !== undefined) {
        search.flaws.push(flaw);
        continue;
      }
      const chain = isAnchor ? [...path, candidate] : climb(search, [...path, candidate]);
      if (chain !== undefined) return chain;
    }
  }
  return undefined;
}

/** Reason that `issuer` cannot have signed `below`, RFC 5280 6.1.4. */
function issuerFlaw(
  issuer: ParsedCertificate,
  below: ParsedCertificate,
  path: readonly ParsedCertificate[],
): Refusal | undefined {
  const { isCa, keyUsage, pathLen, ski } = issuer.extensions;
  if (WEAK_SIGNATURES.has(shortName(below.signatureOid))) {
    return refuse(
      below,
      'weak-signature',
      `TLS libraries no longer accept its signature algorithm, ${shortName(below.signatureOid)}`,
    );
  }
  if (!isSignedBy(below, issuer)) {
    const { aki } = below.extensions;
    return aki !== undefined && ski !== undefined && aki.equals(ski)
      ? refuse(below, 'bad-signature', 'its signature is not by its issuer: the certificate was altered')
      : refuse(
          below,
          'unknown-authority',
          `the trusted CA "${issuer.subject.text}" has its issuer's name, but another key`,
        );
  }
  if (!isCa || (keyUsage !== undefined && !keyUsage.includes('keyCertSign'))) {
    return refuse(issuer, 'not-a-ca', 'it signed another certificate, but is not a CA');
  }
  const casBelow = path.slice(1).filter(({ subject, issuer: by }) => !subject.der.equals(by.der)).length;
  if (pathLen !== undefined && casBelow > pathLen) {
    return refuse(issuer, 'path-too-long', `it allows ${pathLen} CAs below it, and there are ${casBelow}`);
  }
  return undefined;
}

const WEAK_SIGNATURES: ReadonlySet<string> = new Set(['md5WithRSA', 'sha1WithRSA', 'ecdsaWithSHA1']);

function isSignedBy(below: ParsedCertificate, issuer: ParsedCertificate): boolean {
  try {
    return below.x509.verify(issuer.x509.publicKey);
  } catch {
    return false;
  }
}

/** Flaws of a single certificate: time, purpose, extensions. */
function flawOf(certificate: ParsedCertificate, purpose: 'server' | 'client', now: Date): Refusal | undefined {
  const { notBefore, notAfter, extensions } = certificate;
  if (now.getTime() > notAfter.getTime())
    return refuse(certificate, 'expired', `it expired on ${notAfter.toISOString()}`);
  if (now.getTime() < notBefore.getTime()) {
    return refuse(certificate, 'not-yet-valid', `it is valid only from ${notBefore.toISOString()} on`);
  }
  const wanted = purpose === 'server' ? OID.serverAuth : OID.clientAuth;
  const usages = extensions.extKeyUsage;
  if (usages !== undefined && !usages.includes(wanted) && !usages.includes(OID.anyExtendedKeyUsage)) {
    return refuse(
      certificate,
      'wrong-purpose',
      `it is for ${usages.map(shortName).join(', ')}, not ${shortName(wanted)}`,
    );
  }
  if (extensions.unknownCritical.length > 0) {
    return refuse(
      certificate,
      'unknown-extension',
      `it has critical extensions that are unknown: ${extensions.unknownCritical.join(', ')}`,
    );
  }
  return undefined;
}

function nameFlaw(
  leaf: ParsedCertificate,
  purpose: 'server' | 'client',
  address: string | undefined,
): Refusal | undefined {
  const { sans } = leaf.extensions;
  if (purpose !== 'server' || address === undefined || covers(sans, address)) return undefined;
  const names = sans.map(({ value }) => value).join(', ') || 'no host at all';
  return refuse(leaf, 'wrong-name', `it is for ${names}, not for ${address}`);
}

function refuse(certificate: ParsedCertificate, reason: ChainReason, message: string): Refusal {
  return { ok: false, reason, subject: printable(certificate.subject.text), message: printable(message) };
}
