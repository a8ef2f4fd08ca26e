/**
 * Verification of an external CA's answer against the request, before anything is used or any host is changed; and the errors of such a CA.
 */

import { type ApiCa, externalCaWords } from '../../../core/domain/external-ca.ts';
import { parseCsr } from '../../../core/domain/pki/csr.ts';
import {
  type CertificateInfo,
  inspectCertificate,
  splitBundle,
  verifyChain,
  worksAs,
} from '../../../core/domain/pki/inspect.ts';
import { openPublicKey } from '../../../core/domain/pki/keys.ts';
import { parseCertificate } from '../../../core/domain/pki/parse.ts';
import { clientUri } from '../../../core/domain/pki/profiles.ts';
import { formatSan } from '../../../core/domain/pki/san.ts';
import { dateWords } from '../../../core/domain/words.ts';
import type { SignRequest } from '../../../core/runtime.ts';
import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError, type ErrorOptions, printable, printableLines } from '../../../errors/errors.ts';

const CLOCK_MS = 300_000;
const HOUR_MS = 3_600_000;

/** The certificate for the request's key and its chain, without other content. Fails with E_SIGN_ANSWER, E_CA_LEAF_ONLY. */
export function checkSigned(given: string, request: SignRequest): string {
  try {
    return readSigned(given, request);
  } catch (error) {
    // An error of the answer, not of a user's file.
    if (error instanceof DockerTlsError && error.code !== 'E_SIGN_ANSWER' && error.code !== 'E_CA_LEAF_ONLY')
      throw wrongAnswer(request, error.message);
    throw error;
  }
}

function readSigned(given: string, request: SignRequest): string {
  const blocks = given.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  const certificates = blocks.flatMap((block) => splitBundle(`${block}\n`));
  const wanted = openPublicKey(parseCsr(request.csr).publicKey);
  const own = certificates.find((pem) => openPublicKey(pem).equals(wanted));
  if (own === undefined) {
    throw wrongAnswer(
      request,
      certificates.length === 0 ? 'it gave no certificate' : 'it gave a certificate for another key',
    );
  }
  const info = inspectCertificate(own);
  if (info.isCa && request.profile !== 'issuer') throw wrongAnswer(request, 'it gave the certificate of a CA');
  if (!info.isCa && request.profile === 'issuer')
    throw leafOnly(request, 'it gave the certificate of a leaf, not of an issuing CA (basic constraints CA:TRUE)');
  const chain = certificates.filter((pem) => pem !== own && !inspectCertificate(pem).selfIssued);
  const cert = [own, ...chain].join('');
  const [ca = '', ...older] = splitBundle(request.ca);
  const verdict = verifyChain({
    leaf: cert,
    // An issuing CA goes into the hosts' trust files for the future: below an older CA it would not last.
    anchors: request.profile === 'issuer' ? [ca] : [ca, ...older],
    purpose: request.profile === 'server' ? 'server' : 'client',
    now: begun(info.notBefore, request.now),
  });
  if (!verdict.ok)
    throw wrongAnswer(request, `its certificate does not hold under the CA of this store: ${verdict.message}`);
  if (request.profile === 'issuer' && verdict.chain.length > 2)
    throw wrongAnswer(
      request,
      `its certificate is signed by "${info.issuer}", a CA below the CA of this store. Import that one: docker-tls ca import --cert FILE --chain ROOT --whole-chain`,
    );
  const end = ca === '' ? undefined : inspectCertificate(ca).notAfter;
  if (end !== undefined && info.notAfter > end)
    throw wrongAnswer(
      request,
      `its certificate ends on ${dateWords(info.notAfter)}, after its CA (${dateWords(end)}); strict verifiers reject it`,
    );
  const limit = request.profile === 'issuer' ? issuerLimit(info) : undefined;
  if (limit !== undefined) throw leafOnly(request, limit);
  const flaw =
    nameFlaw(own, info, request) ??
    endFlaw(info, request) ??
    (request.profile === 'issuer' ? undefined : leafFlaw(info, request));
  if (flaw !== undefined) throw wrongAnswer(request, flaw);
  return request.profile === 'issuer' ? own : cert;
}

/** Problem of a server or client certificate itself, or undefined. */
function leafFlaw(info: CertificateInfo, { profile, sans = [] }: SignRequest): string | undefined {
  // A host's certificate must not work as a client of other hosts; without an extended key usage it would.
  if (profile === 'server' && worksAs('client', info))
    return `its certificate is good for clients as well (extended key usage: ${info.extKeyUsage?.join(', ') ?? 'none'}); serverAuth alone is needed`;
  // Otherwise a client's request could yield a host's certificate.
  if (profile === 'client' && worksAs('server', info))
    return `its certificate is good for servers as well (extended key usage: ${info.extKeyUsage?.join(', ') ?? 'none'}); clientAuth alone is needed`;
  const extra = (info.extKeyUsage ?? []).filter((one) => one !== `${profile}Auth`);
  if (extra.length > 0)
    return `its certificate is good for ${extra.join(', ')} as well; ${profile}Auth alone is needed`;
  const signsOthers = info.keyUsage?.filter((one) => one === 'keyCertSign' || one === 'cRLSign') ?? [];
  if (signsOthers.length > 0)
    return `its certificate has the key usage of a CA (${signsOthers.join(', ')}), but is not a CA; digitalSignature is needed`;
  if (info.keyUsage !== null && !info.keyUsage.includes('digitalSignature'))
    return `its certificate may not sign (key usage: ${info.keyUsage.join(', ')}), and TLS 1.3 requires that`;
  const has = new Set(info.sans.map(formatSan));
  const missing = sans.filter((san) => !has.has(formatSan(san)));
  return missing.length > 0 ? `its certificate lacks ${missing.map((san) => san.value).join(', ')}` : undefined;
}

/**
 * A name that was not requested. With an extra server name, the key could answer for other hosts. Authorization plugins use a client's
 * common name, and verifiers that read other names would take the client for another one. A CA may repeat the common name as another kind
 * of name.
 */
function nameFlaw(pem: string, { subject, sans }: CertificateInfo, request: SignRequest): string | undefined {
  const { profile, commonName } = request;
  const { x509, extensions } = parseCertificate(pem);
  const { CN: common = [] } = x509.toLegacyObject().subject as { CN?: string | string[] };
  const called = [common].flat();
  const wanted = new Set(
    [commonName, ...(request.sans ?? []).map(({ value }) => value)].map((one) => one.toLowerCase()),
  );
  // A host's name may exceed the limit of a common name, and clients ignore a server's: it may be one of the other names, or missing.
  const other = profile === 'server' ? called.find((one) => !wanted.has(one.toLowerCase())) : undefined;
  if (profile !== 'server' && (called.length !== 1 || called[0] !== commonName))
    return `its ${profile === 'issuer' ? 'issuing CA' : 'certificate'} is called "${called.join(', ') || subject}", not "${commonName}": daemons identify clients by this name`;
  const extra = [
    ...(other === undefined ? [] : [other]),
    ...sans.map(({ value }) => value).filter((value) => !wanted.has(value)),
    ...extensions.otherNames.filter((name) => !wanted.has(name.toLowerCase()) && name !== clientUri(commonName)),
  ];
  return extra.length === 0
    ? undefined
    : `its certificate has names that were not requested: ${extra.map((name) => printable(name, 100)).join(', ')}`;
}

function endFlaw({ notAfter }: CertificateInfo, { profile, now }: SignRequest): string | undefined {
  if (notAfter.getTime() - now.getTime() >= HOUR_MS) return undefined;
  return `its ${profile === 'issuer' ? 'issuing CA' : 'certificate'} ends at ${notAfter.toISOString()}, in less than an hour`;
}

/**
 * Reason why a certificate is unsuitable as a client's issuing CA, whose key is in the store: it must sign for clients, and for no CA below
 * it.
 */
function issuerLimit({ pathLen, keyUsage, extKeyUsage }: CertificateInfo): string | undefined {
  if (pathLen !== 0)
    return `its issuing CA may have ${pathLen === null ? 'any number of' : pathLen} CAs below it; a path length of 0 is needed`;
  if (!keyUsage?.includes('keyCertSign'))
    return `its issuing CA may not sign certificates (key usage: ${keyUsage?.join(', ') ?? 'none'}); keyCertSign is needed`;
  const purposes = extKeyUsage ?? [];
  if (purposes.length !== 1 || purposes[0] !== 'clientAuth')
    return `its issuing CA is not for clients alone (extended key usage: ${purposes.join(', ') || 'none'}); clientAuth alone is needed`;
  return undefined;
}

/**
 * Not every CA backdates. Its clock may be ahead, and `now` is from before the request. So a certificate that begins soon counts as valid.
 */
function begun(notBefore: Date, now: Date): Date {
  const early = notBefore.getTime() - now.getTime();
  return early > 0 && early <= CLOCK_MS ? notBefore : now;
}

function wrongAnswer({ name }: SignRequest, why: string): DockerTlsError {
  const message = `what the CA gave cannot be used: ${why}`;
  return new DockerTlsError('E_SIGN_ANSWER', message, { where: name, hints: ['docker-tls ca show'] });
}

const LEAF_ONLY = [
  'let the CA sign CAs of path length 0 for clients (docs/ca.md, profile issuer), then run the same command again',
  'if it signs leaf certificates only, and you accept that: add --leaf-only',
];

/** The CA signed, but the result is not an issuing CA. */
function leafOnly({ name }: SignRequest, why: string): DockerTlsError {
  return new DockerTlsError(
    'E_CA_LEAF_ONLY',
    `the CA made no issuing CA for client ${name}, without which no single client can be rejected: what the CA gave cannot be used: ${why}`,
    { where: name, hints: [...LEAF_ONLY, 'docker-tls ca show'] },
  );
}

/** The CA refused. The code shows the reason, for instance that it does not sign issuing CAs. */
export function refused(
  { name, profile }: Pick<SignRequest, 'name' | 'profile'>,
  code: ErrorCode,
  message: string,
  { hints = [], details }: ErrorOptions,
): DockerTlsError {
  if (profile !== 'issuer') return new DockerTlsError(code, message, { where: name, hints, details });
  return new DockerTlsError(code, `client ${name} has no issuing CA yet, and the CA made none: ${message}`, {
    where: name,
    hints: [...hints, ...LEAF_ONLY],
    details,
  });
}

/** A CA's API answered without a certificate; `texts`: its messages. E_ISSUER_REFUSED (exit 4). */
export function refusedByApi(
  ca: ApiCa,
  request: Pick<SignRequest, 'name' | 'profile'>,
  { status }: { readonly status: number },
  texts: readonly unknown[],
  hints: readonly string[],
): DockerTlsError {
  const details = textsOf(texts).flatMap((text) => printableLines(text, 5));
  const message = `${externalCaWords(ca)} did not sign with "${ca.profiles[request.profile]}" (HTTP status ${status})`;
  return refused(request, 'E_ISSUER_REFUSED', message, { details, hints });
}

/** The strings among an API's values. */
export function textsOf(values: readonly unknown[]): string[] {
  return values.filter((value): value is string => typeof value === 'string');
}
