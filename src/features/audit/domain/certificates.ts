/** Parser of X.509 certificates for the checks: public parts only; invalid certificates are skipped. */

import type { X509Certificate } from 'node:crypto';
import { certificateTexts } from '../../../core/domain/pki/pem.ts';
import { readX509 } from '../../../core/domain/pki/x509.ts';

export type CertificateFact = {
  readonly subject: string;
  /** The first one; empty without any. */
  readonly commonName: string;
  /** SHA-256, `AA:BB:…`. */
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Weaknesses of key or signature; empty: none. */
  readonly weak: readonly string[];
  /** True if the certificate is valid for this name or address (RFC 6125; subject alternative names only). */
  readonly covers: (name: string) => boolean;
};

// DER object identifiers of signatures over SHA-1 and MD5 (RFC 8017, RFC 5758).
const WEAK_SIGNATURES: readonly (readonly [string, string])[] = [
  ['06092a864886f70d010105', 'signed with SHA-1'],
  ['06092a864886f70d010104', 'signed with MD5'],
  ['06072a8648ce3d0401', 'signed with SHA-1'],
];

function weakKey({ publicKey }: X509Certificate): readonly string[] {
  const { modulusLength, namedCurve = '' } = publicKey.asymmetricKeyDetails ?? {};
  if (modulusLength !== undefined) return modulusLength < 2048 ? [`an RSA key of ${modulusLength} bits`] : [];
  const short = /(?:112|128|160|163|192|193|224|233)/.test(namedCurve);
  return short ? [`a key on the short curve ${namedCurve}`] : [];
}

/** Cache: several checks and the report read the same certificates. */
const known = new WeakMap<X509Certificate, CertificateFact>();

function certificateFact(pem: string): CertificateFact | undefined {
  try {
    const certificate = readX509(pem);
    const fact = known.get(certificate) ?? factOf(certificate);
    known.set(certificate, fact);
    return fact;
  } catch {
    return undefined;
  }
}

function factOf(certificate: X509Certificate): CertificateFact {
  const der = certificate.raw.toString('hex');
  const selfSigned = certificate.issuer === certificate.subject;
  const signature = selfSigned ? [] : WEAK_SIGNATURES.filter(([oid]) => der.includes(oid)).map(([, text]) => text);
  return {
    fingerprint: certificate.fingerprint256,
    subject: certificate.subject.replaceAll('\n', ', '),
    commonName: /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? '',
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
    weak: [...weakKey(certificate), ...new Set(signature)],
    covers(name) {
      try {
        if (/^[0-9.]+$/.test(name) || name.includes(':')) return certificate.checkIP(name) !== undefined;
        return certificate.checkHost(name, { subject: 'never' }) !== undefined;
      } catch {
        return false; // neither a name nor an address
      }
    },
  };
}

/** All readable certificates of a PEM text, in order. */
export function readCertificates(pem: string): readonly CertificateFact[] {
  return certificateTexts(pem)
    .slice(0, 200)
    .flatMap((block) => certificateFact(block) ?? []);
}
