/** Client credentials that every host must reject: forged byte by byte, each with one flaw. */

import { sign } from 'node:crypto';
import { connect } from 'node:tls';
import { issueCa, issueClient } from '../../src/core/domain/pki/certificate.ts';
import {
  type Asn1,
  bits,
  bool,
  encode,
  int,
  namedBits,
  octets,
  oid,
  raw,
  seq,
  tagged,
  taggedBytes,
  time,
} from '../../src/core/domain/pki/der.ts';
import { generatePair } from '../../src/core/domain/pki/keys.ts';
import { OID } from '../../src/core/domain/pki/oids.ts';
import type { KeyedAuthority } from '../../src/core/domain/pki/open-authority.ts';
import { pemEncode, splitBundle } from '../../src/core/domain/pki/pem.ts';
import { commonName, keyIdentifier, randomSerial } from '../../src/core/domain/pki/profiles.ts';
import { signBody, signerFor } from '../../src/core/domain/pki/signing.ts';
import type { ProbeCredentials } from '../../src/core/runtime.ts';

const DAY_MS = 86_400_000;
/** Bits of RFC 5280 4.2.1.3. */
const USAGE = { signs: 0, signsCertificates: 5 } as const;
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const EMAIL = '1.3.6.1.5.5.7.3.4';
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const UNKNOWN = '1.3.6.1.4.1.55555.1';
/** RFC 3279: no longer used for signatures. */
const ECDSA_SHA1 = '1.2.840.10045.4.1';

type Forger = Pick<KeyedAuthority, 'subject' | 'keyId' | 'signer' | 'chain'>;
type Forged = Forger & ProbeCredentials;

/** The difference between a forged client certificate and a valid one. */
type Flaw = {
  readonly ca?: boolean;
  readonly withoutBasics?: true;
  readonly pathLen?: number;
  readonly usage?: readonly number[];
  readonly purposes?: readonly string[];
  /** A critical extension with this OID. */
  readonly critical?: string;
  /** Alternative names in openssl's syntax. */
  readonly names?: string;
  readonly sha1?: true;
  /** Days from now. */
  readonly from?: number;
  readonly to?: number;
};

export async function forge(name: string, by: Forger | undefined, flaw: Flaw = {}): Promise<Forged> {
  const { key, spki, privateKey } = await generatePair('p256');
  const own = { subject: commonName(name), keyId: keyIdentifier(spki), signer: signerFor(privateKey()), chain: '' };
  const issuer = by ?? own;
  const { ca = false, usage = [ca ? USAGE.signsCertificates : USAGE.signs], purposes = [OID.clientAuth] } = flaw;
  const basics = seq(ca ? bool(true) : undefined, flaw.pathLen === undefined ? undefined : int(flaw.pathLen));
  const algorithm = flaw.sha1 ? seq(oid(ECDSA_SHA1)) : issuer.signer.algorithm;
  const body = seq(
    tagged(0, int(2)),
    int(randomSerial()),
    algorithm,
    raw(issuer.subject),
    seq(time(inDays(flaw.from ?? -1)), time(inDays(flaw.to ?? 30))),
    raw(own.subject),
    raw(spki),
    tagged(
      3,
      seq(
        ...(flaw.withoutBasics ? [] : [extension(OID.basicConstraints, true, basics)]),
        extension(OID.keyUsage, true, namedBits(usage)),
        extension(OID.extKeyUsage, false, seq(...purposes.map(oid))),
        extension(OID.subjectKeyIdentifier, false, octets(own.keyId)),
        extension(OID.authorityKeyIdentifier, false, seq(taggedBytes(0, issuer.keyId))),
        ...(flaw.names === undefined ? [] : [extension(OID.subjectAltName, false, generalNames(flaw.names))]),
        ...(flaw.critical === undefined ? [] : [extension(flaw.critical, true, octets(Buffer.from('x')))]),
      ),
    ),
  );
  const der = flaw.sha1
    ? encode(seq(body, algorithm, bits(sign('sha1', encode(body), issuer.signer.privateKey))))
    : signBody(issuer.signer, body);
  const cert = pemEncode('CERTIFICATE', der) + issuer.chain;
  return { ...own, cert, chain: cert, key };
}

const NAME_KINDS: Readonly<Record<string, number>> = { email: 1, DNS: 2, URI: 6, IP: 7 };

function generalNames(text: string): Asn1 {
  const names = text.split(',').map((name) => {
    const [kind = '', ...value] = name.split(':');
    const bytes = kind === 'IP' ? value.join(':').split('.').map(Number) : Buffer.from(value.join(':'));
    return taggedBytes(NAME_KINDS[kind] as number, Buffer.from(bytes as Buffer));
  });
  return seq(...names);
}

function extension(id: string, critical: boolean, value: Asn1): Asn1 {
  return seq(oid(id), critical ? bool(true) : undefined, octets(value));
}

/** One moment for all: two stamps of the same day are alike. */
const NOW_MS = Date.now();

function inDays(days: number): Date {
  return new Date(Math.floor((NOW_MS + days * DAY_MS) / 1000) * 1000);
}

/** A copy of the credentials with `change` applied to the bytes of the first certificate; not re-signed. */
function altered({ cert, key }: ProbeCredentials, change: (der: Buffer) => void): ProbeCredentials {
  const [first = '', ...rest] = splitBundle(cert);
  const der = Buffer.from(first.replace(/-----.*-----|\s/g, ''), 'base64');
  change(der);
  return { cert: pemEncode('CERTIFICATE', der) + rest.join(''), key };
}

function overwrite(der: Buffer, from: Buffer | string, to: Buffer | string): void {
  const at = der.lastIndexOf(from);
  if (at < 0) throw new Error('nothing to overwrite');
  Buffer.from(to).copy(der, at);
}

export type Issuers = {
  readonly ca: KeyedAuthority;
  /** The issuing CA of an accepted client. */
  readonly client: KeyedAuthority;
  /** The accepted client's credentials, and the name in them. */
  readonly accepted: ProbeCredentials;
  readonly name: string;
  /** Credentials of this host, or of another one, under `ca`. */
  readonly servers: Readonly<Record<string, ProbeCredentials>>;
};

/** By their flaw; undefined: no certificate. A host that trusts `ca` as a whole must reject all of them. */
export async function forbidden({ ca, client, accepted, name, servers }: Issuers) {
  const now = new Date();
  const under = (by: Forger | undefined, flaw?: Flaw) => forge('ann', by, flaw);
  const stranger = await issueCa({ name: 'stranger', days: 10, now });
  const namesake = { ...stranger, subject: ca.subject, keyId: ca.keyId, chain: '' };
  const clientNamesake = { ...stranger, subject: client.subject, keyId: client.keyId, chain: client.chain };
  const leaf = await under(client);
  const issuing = (flaw: Flaw) => forge('client ann', ca, { ca: true, pathLen: 0, ...flaw });
  const other = await under(client);
  const stray = await under(stranger);
  return {
    'no certificate': undefined,
    ...servers,
    'signed by itself': await under(undefined),
    'signed by itself, as a CA': await under(undefined, { ca: true }),
    'of another CA': await issueClient({ authority: stranger, name: 'ann', days: 1, now }),
    'of a CA with the name and key id of ours': await under(namesake),
    "of a CA with the name and key id of the client's": await under(clientNamesake),
    'of another CA, with our CA in its chain': { cert: stray.cert + ca.cert, key: stray.key },
    'expired an hour ago': await under(client, { to: -1 / 24 }),
    'expired a year ago': await under(client, { from: -700, to: -365 }),
    'not valid before tomorrow': await under(client, { from: 1, to: 2 }),
    'for servers': await under(client, { purposes: [OID.serverAuth] }),
    'for signing code': await under(client, { purposes: [CODE_SIGNING] }),
    'for mail': await under(client, { purposes: [EMAIL] }),
    'for OCSP': await under(client, { purposes: [OCSP_SIGNING] }),
    'for servers, by the CA itself': await under(ca, { purposes: [OID.serverAuth] }),
    'an unknown critical extension': await under(client, { critical: UNKNOWN }),
    'signed with SHA-1': await under(client, { sha1: true }),
    'signed with SHA-1 by the CA': await under(ca, { sha1: true }),
    'under a leaf of a client': await under(leaf),
    'under a leaf of a client, which says it is a CA': await under(await under(client, { ca: true })),
    'under a CA below the issuing CA': await under(await under(client, { ca: true, pathLen: 0 })),
    'under two CAs below the issuing CA': await under(
      await under(await under(client, { ca: true, pathLen: 1 }), { ca: true, pathLen: 0 }),
    ),
    'under an issuing CA that is none': await under(await issuing({ ca: false })),
    'under an issuing CA without basic constraints': await under(await issuing({ withoutBasics: true })),
    'under an issuing CA that may not sign certificates': await under(await issuing({ usage: [USAGE.signs] })),
    'under an issuing CA that has expired': await under(await issuing({ from: -30, to: -1 })),
    'under an issuing CA that is not valid yet': await under(await issuing({ from: 1, to: 30 })),
    'under an issuing CA for servers': await under(await issuing({ purposes: [OID.serverAuth] })),
    'under an issuing CA for signing code': await under(await issuing({ purposes: [CODE_SIGNING] })),
    'under an issuing CA with an unknown critical extension': await under(await issuing({ critical: UNKNOWN })),
    'under an issuing CA that was signed with SHA-1': await under(await issuing({ sha1: true })),
    'another name than was signed': altered(accepted, (der) => overwrite(der, name, `${name.slice(1)}x`)),
    'another key than was signed': {
      cert: altered(leaf, (der) => overwrite(der, keyOf(leaf), keyOf(other))).cert,
      key: other.key,
    },
    'another end than was signed': altered(await under(client, { from: -9, to: -2 }), (der) =>
      overwrite(der, stamp(-2), stamp(30)),
    ),
    'its signature is zero': altered(accepted, (der) => der.fill(0, der.length - 30)),
    'its signature has one other bit': altered(accepted, (der) => {
      der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1;
    }),
  } satisfies Record<string, ProbeCredentials | undefined>;
}

/** Rejected only if the host trusts the CA. With a list, the host has the issuing CA, so the client does not have to send it. */
export async function unchained({ ca, client }: Pick<Issuers, 'ca' | 'client'>) {
  const { cert, key } = await forge('ann', client);
  const [leaf = ''] = splitBundle(cert);
  const another = await forge('client bob', ca, { ca: true, pathLen: 0 });
  return {
    'without its issuing CA': { cert: leaf, key },
    "with another client's issuing CA": { cert: leaf + another.chain, key },
  } satisfies Record<string, ProbeCredentials>;
}

/** Rejected only if the host trusts a list of clients and not the CA: a valid client that the list omits. */
export async function unlisted({ ca, client }: Pick<Issuers, 'ca' | 'client'>) {
  const now = new Date();
  const bob = await forge('client bob', ca, { ca: true, pathLen: 0 });
  return {
    'of a client who is not on the list': await forge('bob', bob),
    'of that client, with a name that is': await forge('ann', bob),
    'by the CA itself': await issueClient({ authority: ca, name: 'ann', days: 1, now }),
    'of an issuing CA with the name of one on the list': await forge(
      'ann',
      await forge('client bob', ca, { ca: true, pathLen: 0 }).then((one) => ({ ...one, subject: client.subject })),
    ),
  } satisfies Record<string, ProbeCredentials>;
}

/** The 65 bytes of a P-256 key. */
function keyOf({ signer }: Forger): Buffer {
  const { x = '', y = '' } = signer.privateKey.export({ format: 'jwk' });
  return Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
}

/** UTCTime. */
function stamp(days: number): string {
  return `${inDays(days).toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`;
}

/**
 * Connects as a client and requests `/version`; returns the first line of the answer, or `refused` if the server closed the connection,
 * with or without an alert. Not our own probe: it would refuse to send anything signed with SHA-1.
 */
export function askAs(
  { host, port, ca }: { readonly host: string; readonly port: number; readonly ca: string },
  credentials: ProbeCredentials | undefined,
  version: 'TLSv1.2' | 'TLSv1.3',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const own = credentials && { cert: credentials.cert, key: credentials.key.reveal() };
    const versions = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const socket = connect({ host, port, ca, ...versions, ...own }, () =>
      socket.write('GET /version HTTP/1.0\r\n\r\n'),
    );
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (/^ERR_SSL_.*ALERT|^ECONNRESET$|^EPIPE$/.test(error.code ?? '')) resolve('refused');
      else reject(error);
    });
    socket.once('end', () => resolve(answer === '' ? 'refused' : (answer.split('\r\n')[0] ?? '')));
  });
}

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

/**
 * Tries `accepted` and then all forbidden credentials, over both versions of TLS. Returns the wrongly accepted ones, and the number of
 * attempts.
 */
export async function tryAll(
  place: Parameters<typeof askAs>[0],
  accepted: ProbeCredentials,
  table: Readonly<Record<string, ProbeCredentials | undefined>>,
): Promise<{ readonly gotIn: readonly string[]; readonly tried: number }> {
  const tries = VERSIONS.flatMap((version) => Object.entries(table).map(([name, one]) => ({ version, name, one })));
  for (const version of VERSIONS) {
    const answer = await askAs(place, accepted, version);
    if (!/^HTTP\/1\.[01] 200/.test(answer)) throw new Error(`a good client is ${answer} over ${version}`);
  }
  const gotIn: string[] = [];
  for (const { version, name, one } of tries) {
    const answer = await askAs(place, one, version);
    if (answer !== 'refused') gotIn.push(`${name}, ${version}: ${answer}`);
  }
  return { gotIn, tried: tries.length };
}
