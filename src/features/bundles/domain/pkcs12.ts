/**
 * PKCS#12 (RFC 7292): key and chain in one encrypted file, for keychains, browsers and Java. forge's implementation supports RSA only and
 * uses a SHA-1 MAC; this one uses PBES2 with AES-256 for both encryptions, and HMAC-SHA256 for the MAC.
 */

import { createHash, createHmac, randomBytes } from 'node:crypto';
import {
  type Asn1,
  bmp,
  encode,
  int,
  nothing,
  octets,
  oid,
  seq,
  set,
  tagged,
  taggedBytes,
} from '../../../core/domain/pki/der.ts';
import { openKey } from '../../../core/domain/pki/keys.ts';
import { parseCertificate } from '../../../core/domain/pki/parse.ts';
import { encryptUnder } from '../../../core/domain/pki/pbes2.ts';
import { splitBundle } from '../../../core/domain/pki/pem.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

/** Object identifiers of RFC 7292, and of attributes and contents that it takes from RFC 2985, 5652 and 8017. */
const OID = {
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  sha256: '2.16.840.1.101.3.4.2.1',
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  pkcs8ShroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
} as const;

/**
 * Rounds of the MAC's key derivation, the cheapest target for guessing the passphrase: far above openssl's 2,048, at 0.2 s.
 * More rounds would block the event loop longer, since node:crypto lacks this derivation.
 */
const MAC_ROUNDS = 100_000;

type Pkcs12Options = {
  readonly key: Secret;
  /** PEM, the key's certificate first; each text may contain several. */
  readonly chain: readonly string[];
  /** Not empty. Java requires ASCII. */
  readonly passphrase: Secret;
  /** Display name in keychains, and alias in Java. */
  readonly name: string;
};

/** Bytes of a `.p12` file. Throws E_PKCS12_PASSPHRASE (empty), E_PKCS12_KEY (does not match the certificate), E_KEY_…, E_CERT_DAMAGED. */
export async function makePkcs12(options: Pkcs12Options): Promise<Secret> {
  const { passphrase, name } = options;
  if (passphrase.length === 0) {
    throw new DockerTlsError('E_PKCS12_PASSPHRASE', 'a PKCS#12 file needs a passphrase that is not empty');
  }
  const certificates = options.chain.flatMap(splitBundle).map(parseCertificate);
  const privateKey = openKey(options.key);
  if (!certificates[0]?.x509.checkPrivateKey(privateKey)) {
    throw new DockerTlsError('E_PKCS12_KEY', 'the key does not belong to the first certificate of the chain');
  }
  const keyDer = privateKey.export({ type: 'pkcs8', format: 'der' });
  const shrouded = await encryptUnder(passphrase, keyDer);
  keyDer.fill(0);
  // An equal ID on key and certificate marks the key's certificate.
  const id = createHash('sha256').update(certificates[0].x509.raw).digest().subarray(0, 20);
  const ownAttributes = set(seq(oid(OID.localKeyId), set(octets(id))), seq(oid(OID.friendlyName), set(bmp(name))));
  const keyBag = seq(
    oid(OID.pkcs8ShroudedKeyBag),
    tagged(0, seq(shrouded.algorithm, octets(shrouded.encrypted))),
    ownAttributes,
  );
  const certBags = certificates.map(({ x509 }, index) =>
    seq(
      oid(OID.certBag),
      tagged(0, seq(oid(OID.x509Certificate), tagged(0, octets(x509.raw)))),
      index === 0 ? ownAttributes : undefined,
    ),
  );
  const wrappedCerts = await encryptUnder(passphrase, encode(seq(...certBags)));
  const encryptedCerts = seq(
    int(0),
    seq(oid(OID.data), wrappedCerts.algorithm, taggedBytes(0, wrappedCerts.encrypted)),
  );
  const safe = encode(seq(seq(oid(OID.encryptedData), tagged(0, encryptedCerts)), plainData(encode(seq(keyBag)))));
  return new Secret(encode(seq(int(3), plainData(safe), macOf(safe, passphrase))));
}

function plainData(bytes: Uint8Array): Asn1 {
  return seq(oid(OID.data), tagged(0, octets(bytes)));
}

function macOf(safe: Uint8Array, passphrase: Secret): Asn1 {
  const salt = randomBytes(16);
  const mac = createHmac('sha256', deriveMacKey(passphrase, salt, MAC_ROUNDS))
    .update(safe)
    .digest();
  return seq(seq(seq(oid(OID.sha256), nothing()), octets(mac)), octets(salt), int(MAC_ROUNDS));
}

/**
 * Key derivation of RFC 7292, appendix B.2, for SHA-256 and purpose 3 (MAC): 32 bytes are one block, so the chaining step is unnecessary.
 */
function deriveMacKey(passphrase: Secret, salt: Uint8Array, rounds: number): Buffer {
  const block = 64;
  const password = Buffer.from(`${passphrase.revealText()}\0`, 'utf16le').swap16();
  let digest = createHash('sha256')
    .update(Buffer.alloc(block, 3))
    .update(fill(salt, block))
    .update(fill(password, block))
    .digest();
  for (let round = 1; round < rounds; round += 1) digest = createHash('sha256').update(digest).digest();
  password.fill(0);
  return digest;
}

/** Repeats the bytes up to the next multiple of the block (Buffer.alloc repeats its filling). */
function fill(bytes: Uint8Array, block: number): Buffer {
  return Buffer.alloc(block * Math.ceil(bytes.length / block), bytes);
}
