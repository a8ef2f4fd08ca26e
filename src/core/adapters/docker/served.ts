/** Verification of a served chain: trust, and the dialled name. Pure. */

import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import { bareAddress } from '../../domain/destination.ts';
import { certificateTexts } from '../../domain/pki/pem.ts';
import type { Refusal } from './refusal.ts';

const UNTRUSTED: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed, not signed by a CA that you trust',
  SELF_SIGNED_CERT_IN_CHAIN: 'its CA is not one that you trust',
  UNABLE_TO_GET_ISSUER_CERT: 'its CA is not one that you trust',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its CA is not one that you trust',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its CA is not one that you trust',
  CERT_SIGNATURE_FAILURE: 'its signature does not come from the CA that you trust, though that has the same name',
  CERT_UNTRUSTED: 'its CA is not one that you trust',
  CERT_REJECTED: 'its CA is not one that you trust',
  INVALID_CA: 'the certificate that signed it is not a CA',
  PATH_LENGTH_EXCEEDED: 'its chain is longer than its CA allows',
  INVALID_PURPOSE: 'it is not a server certificate',
  CERT_CHAIN_TOO_LONG: 'its chain is too long',
};

/**
 * The meaning of OpenSSL's verdict on a served chain (`man openssl-verification-options`, by Node's names of the codes). `trusted` and
 * `now` only identify the certificate outside its validity period.
 */
export function describeUntrusted(code: string, chain: string, trusted: string, now: Date): Refusal {
  if (code === 'CERT_HAS_EXPIRED') {
    return { cause: 'expired', reason: `${outOfTime(chain, trusted, now)} has expired`, code };
  }
  if (code === 'CERT_NOT_YET_VALID') {
    return { cause: 'not-yet-valid', reason: `${outOfTime(chain, trusted, now)} is not valid yet`, code };
  }
  const why = UNTRUSTED[code];
  if (why !== undefined) {
    return { cause: 'unknown-authority', reason: `the server's certificate is not trusted: ${why} (${code})`, code };
  }
  return { cause: 'other', reason: `the server's certificate could not be verified (${code})`, code };
}

/**
 * Undefined if the certificate names `name`. Like Go's clients, only subject alternative names count. `check` (node:tls, RFC 6125) would
 * fall back to the common name.
 */
export function checkServerName(
  name: string,
  leaf: PeerCertificate,
  check: (hostname: string, cert: PeerCertificate) => Error | undefined,
): Refusal | undefined {
  const bare = bareAddress(name).replace(/%.*$/, '');
  const nameless = { ...leaf, subject: {} } as PeerCertificate;
  if (check(bare, nameless) === undefined) return undefined;
  const names = leaf.subjectaltname ?? '';
  return {
    cause: 'wrong-name',
    reason:
      names === ''
        ? `the server's certificate has no subject alternative name, so it is not for ${bare}`
        : `the server's certificate is for ${names}, not for ${bare}`,
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  };
}

/** The last text found to hold a certificate: every probe of a run trusts the same CA. */
let trusted: string | undefined;

/** True if a PEM text contains a readable certificate. */
export function holdsCertificate(pem: string): boolean {
  if (pem === trusted) return true;
  if (certificatesOf(pem).length === 0) return false;
  trusted = pem;
  return true;
}

export function certificatesOf(pem: string): X509Certificate[] {
  return certificateTexts(pem).flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      return [];
    }
  });
}

/** Names the first certificate outside its validity period: the server's, one of its chain, or a trusted one. */
function outOfTime(chain: string, trusted: string, now: Date): string {
  const served = certificatesOf(chain);
  const found = [...served, ...certificatesOf(trusted)].find(
    (one) => now.getTime() > Date.parse(one.validTo) || now.getTime() < Date.parse(one.validFrom),
  );
  if (found === undefined) return "a certificate of the server's chain";
  const whose =
    found === served[0] ? "the server's certificate" : `the CA certificate "${found.subject.replaceAll('\n', ', ')}"`;
  return `${whose} (valid from ${iso(found.validFrom)} to ${iso(found.validTo)})`;
}

function iso(opensslTime: string): string {
  const time = Date.parse(opensslTime);
  return Number.isNaN(time) ? opensslTime : new Date(time).toISOString();
}
