/**
 * Issuing of CAs, server certificates, per-client CAs, and client certificates. An opened authority (from openAuthority, issueCa or
 * issueClientAuthority) can issue any number without being parsed again.
 */

import { createPublicKey } from 'node:crypto';
import type { Secret } from '../secret.ts';
import { type Asn1, int, raw, seq, tagged, time } from './der.ts';
import type { KeyType } from './key-types.ts';
import { generatePair, type KeyPair, keyTypeOf, openKey, openPublicKey } from './keys.ts';
import { type Authority, caError, type KeyedAuthority, type OpenAuthority, openAuthority } from './open-authority.ts';
import { parseCertificate } from './parse.ts';
import { pemEncode } from './pem.ts';
import {
  authorityExtensions,
  authorityName,
  clientAuthorityName,
  clientExtensions,
  commonName,
  keyIdentifier,
  LEAF_BACKDATE_MS,
  MAX_COMMON_NAME,
  ROOT_BACKDATE_MS,
  randomSerial,
  serverExtensions,
  type Validity,
  validity,
} from './profiles.ts';
import type { San } from './san.ts';
import { refuseWeakKey, signBodyBy, signerFor } from './signing.ts';

export type IssuedCertificate = {
  /** PEM to serve or send: the certificate, then the CAs between it and the root. */
  readonly cert: string;
  readonly leaf: string;
  /** Upper-case hex, as Node and openssl print it. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** notAfter was limited to the issuer's. */
  readonly clamped: boolean;
};
/** Includes the generated key (PKCS#8 PEM). */
export type IssuedPair = IssuedCertificate & { readonly key: Secret };
export type IssuedAuthority = KeyedAuthority & IssuedPair;

type CaOptions = {
  /** A random suffix is appended, so that no two CAs share a name. */
  readonly name: string;
  readonly days: number;
  readonly now: Date;
  /** Generates a key of this type, unless `key` is set. Default p256. */
  readonly keyType?: KeyType;
  readonly key?: Secret;
  /** Signs it; absent: self-signed. */
  readonly issuer?: Authority | OpenAuthority;
  readonly pathLen?: number;
};

/** A CA: a root, or one under `issuer`. Throws E_NAME, E_DAYS, E_CA_EXPIRED, E_CA_PATHLEN, E_KEY_…. */
export async function issueCa(options: CaOptions): Promise<IssuedAuthority> {
  commonName(options.name); // rejects invalid names before the suffix is appended
  const subject = commonName(authorityName(options.name));
  const pair = options.key === undefined ? await generatePair(options.keyType ?? 'p256') : openPair(options.key);
  return issueAuthority({ ...options, subject, pair, clientsOnly: false });
}

type ClientAuthorityOptions = {
  readonly ca: Authority | OpenAuthority;
  readonly clientName: string;
  readonly days: number;
  readonly now: Date;
  readonly keyType?: KeyType;
};

/**
 * A small CA of one client (path length 0, client certificates only). A host that stops trusting it rejects only this client, and the
 * client's leaf can be renewed without changing any host. Throws as issueCa does.
 */
export async function issueClientAuthority(options: ClientAuthorityOptions): Promise<IssuedAuthority> {
  const subject = commonName(clientAuthorityName(options.clientName));
  const pair = await generatePair(options.keyType ?? 'p256');
  return issueAuthority({ ...options, issuer: options.ca, subject, pair, pathLen: 0, clientsOnly: true });
}

type CrossSignOptions = {
  /** The CA that gets a second certificate: same name, same key, same key identifier. */
  readonly ca: Authority | OpenAuthority;
  /** The signer: another CA, or `ca` itself to extend its lifetime. */
  readonly issuer: Authority | OpenAuthority;
  readonly days: number;
  readonly now: Date;
};

/** A second certificate of an existing CA: certificates signed by that CA stay valid, also under the issuer. Throws as issueCa does. */
export async function crossSign({ ca, issuer, days, now }: CrossSignOptions): Promise<IssuedCertificate> {
  const { cert, subject, keyId, pathLen, signer } = openAuthority(ca);
  const by = openAuthority(issuer);
  const above = by.subject.equals(subject) ? undefined : by;
  const spki = parseCertificate(cert).x509.publicKey.export({ type: 'spki', format: 'der' });
  return issueCaCertificate({ issuer: above, subject, spki, signer, keyId, pathLen, days, now, clientsOnly: false });
}

function openPair(key: Secret): KeyPair {
  const privateKey = openKey(key);
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return { key, privateKey: () => privateKey, spki };
}

type CaCertificate = {
  readonly subject: Buffer;
  readonly days: number;
  readonly now: Date;
  readonly issuer?: Authority | OpenAuthority | undefined;
  readonly pathLen?: number | undefined;
  readonly clientsOnly: boolean;
};

async function issueAuthority({
  pair,
  ...options
}: CaCertificate & { readonly pair: KeyPair }): Promise<IssuedAuthority> {
  const { subject } = options;
  const { spki, key } = pair;
  const keyId = keyIdentifier(spki);
  const signer = signerFor(pair.privateKey());
  const issued = await issueCaCertificate({ ...options, spki, signer, keyId });
  return { ...issued, key, subject, keyId, signer, chain: options.issuer === undefined ? '' : issued.cert };
}

/** Signed by its issuer, or self-signed without one. */
async function issueCaCertificate(
  options: CaCertificate & {
    readonly spki: Buffer;
    readonly signer: OpenAuthority['signer'];
    readonly keyId: Buffer;
  },
): Promise<IssuedCertificate & { readonly pathLen: number | undefined }> {
  const { subject, spki, signer, keyId, days, now } = options;
  const above = options.issuer === undefined ? undefined : openAuthority(options.issuer);
  if (above?.pathLen === 0) {
    throw caError('E_CA_PATHLEN', 'the CA may sign leaf certificates only (its path length is 0), not another CA', [
      'use a CA without that limit: docker-tls ca create',
    ]);
  }
  // RFC 5280 4.2.1.9: verifiers grant at most a path length below the issuer's.
  const granted =
    above?.pathLen === undefined ? options.pathLen : Math.min(options.pathLen ?? Infinity, above.pathLen - 1);
  const times = validity({ days, now, backdateMs: above ? LEAF_BACKDATE_MS : ROOT_BACKDATE_MS, issuer: above });
  const issued = await issue({
    issuer: above ?? { subject, keyId, signer, chain: '' },
    subject,
    spki,
    times,
    extensions: authorityExtensions(
      { own: keyId, issuer: above?.keyId ?? keyId },
      { pathLen: granted, clientsOnly: options.clientsOnly },
    ),
  });
  return { ...issued, pathLen: granted };
}

/** Either generates a key (`keyType`, default p256), or takes an external public key (PEM, SPKI or certificate). */
type LeafKey = { readonly keyType?: KeyType; readonly publicKey?: undefined };
type ForeignKey = { readonly publicKey: string; readonly keyType?: undefined };

type ServerOptions = {
  readonly ca: Authority | OpenAuthority;
  /** At least one. */
  readonly sans: readonly San[];
  readonly days: number;
  readonly now: Date;
  /** Default: the first name that fits. For display only: clients check `sans`. */
  readonly commonName?: string;
};

/** A host's certificate (serverAuth only). Throws E_NAME, E_DAYS, E_CA_…, E_KEY_…. */
export async function issueServer(options: ServerOptions & LeafKey): Promise<IssuedPair>;
export async function issueServer(options: ServerOptions & ForeignKey): Promise<IssuedCertificate>;
export async function issueServer(
  options: ServerOptions & (LeafKey | ForeignKey),
): Promise<IssuedCertificate | IssuedPair> {
  const { sans } = options;
  if (sans.length === 0) {
    throw caError('E_NAME', 'a server certificate needs at least one name', ['--san NAME']);
  }
  const name = options.commonName ?? sans.find(({ value }) => value.length <= MAX_COMMON_NAME)?.value ?? 'docker host';
  return issueLeaf(options.ca, name, options, sans);
}

type ClientOptions = {
  /** The client's issuing CA, or any CA. */
  readonly authority: Authority | OpenAuthority;
  /** Common name: the user name for authorization plugins of the daemon. */
  readonly name: string;
  readonly days: number;
  readonly now: Date;
};

/**
 * A client's certificate (clientAuth only); `cert` is leaf + issuing CA, as docker CLI, curl and the like send it. Throws as issueServer
 * does.
 */
export async function issueClient(options: ClientOptions & LeafKey): Promise<IssuedPair>;
export async function issueClient(options: ClientOptions & ForeignKey): Promise<IssuedCertificate>;
export async function issueClient(
  options: ClientOptions & (LeafKey | ForeignKey),
): Promise<IssuedCertificate | IssuedPair> {
  return issueLeaf(options.authority, options.name, options);
}

/** A server certificate if `sans` is given, else a client certificate. */
async function issueLeaf(
  authority: Authority | OpenAuthority,
  name: string,
  { days, now, ...wanted }: { readonly days: number; readonly now: Date } & (LeafKey | ForeignKey),
  sans?: readonly San[],
): Promise<IssuedCertificate | IssuedPair> {
  const issuer = openAuthority(authority);
  const subject = commonName(name);
  const times = validity({ days, now, backdateMs: LEAF_BACKDATE_MS, issuer });
  const { key, keyType, spki } = await leafKey(wanted);
  const ids = { own: keyIdentifier(spki), issuer: issuer.keyId };
  const extensions = sans === undefined ? clientExtensions(ids, name) : serverExtensions(ids, sans, keyType);
  const issued = await issue({ issuer, subject, spki, times, extensions });
  return key === undefined ? issued : { ...issued, key };
}

async function leafKey({ keyType = 'p256', publicKey }: LeafKey | ForeignKey) {
  if (publicKey === undefined) return { ...(await generatePair(keyType)), keyType };
  const opened = openPublicKey(publicKey);
  const found = keyTypeOf(opened);
  refuseWeakKey(found);
  return { key: undefined, keyType: found, spki: opened.export({ type: 'spki', format: 'der' }) };
}

/** Builds and signs the certificate (RFC 5280 4.1). */
async function issue(parts: {
  issuer: Pick<OpenAuthority, 'subject' | 'keyId' | 'signer' | 'chain'>;
  subject: Buffer;
  spki: Buffer;
  times: Validity;
  extensions: readonly Asn1[];
}): Promise<IssuedCertificate> {
  const { issuer, subject, spki, times, extensions } = parts;
  const serial = randomSerial();
  const body = seq(
    tagged(0, int(2)),
    int(serial),
    issuer.signer.algorithm,
    raw(issuer.subject),
    seq(time(times.notBefore), time(times.notAfter)),
    raw(subject),
    raw(spki),
    tagged(3, seq(...extensions)),
  );
  const leaf = pemEncode('CERTIFICATE', await signBodyBy(issuer.signer, body));
  return { ...times, leaf, cert: leaf + issuer.chain, serial: serial.toString('hex').toUpperCase() };
}
