/** Certificate requests (PKCS#10, RFC 2986): the owner's key never travels. */

import { createPublicKey, type KeyObject } from 'node:crypto';
import { DockerTlsError } from '../../../errors/errors.ts';
import { offeredCommands } from '../../seams/offered-commands.ts';
import type { Secret } from '../secret.ts';
import {
  children,
  content,
  contextNumber,
  decode,
  encode,
  firstChildBytes,
  int,
  oid,
  oidText,
  raw,
  seq,
  set,
  tagged,
} from './der.ts';
import { keyTypeOf, openKey } from './keys.ts';
import { OID } from './oids.ts';
import { parseExtensions, parseName } from './parse.ts';
import { pemBlocks, pemEncode } from './pem.ts';
import { commonName, issuerWishes, sanExtension } from './profiles.ts';
import { parseSan, type San } from './san.ts';
import { refuseWeakKey, signBody, signerFor, verifies } from './signing.ts';

type CsrOptions = {
  readonly key: Secret;
  readonly commonName: string;
  readonly sans?: readonly San[];
  /** Requests a client's issuing CA. */
  readonly issuer?: boolean;
};

/** A request for this key, as PEM. Throws E_NAME, E_KEY_…. */
export function makeCsr(options: CsrOptions): string {
  const privateKey = openKey(options.key);
  const sans = options.sans ?? [];
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const extensions = [...(sans.length === 0 ? [] : [sanExtension(sans)]), ...(options.issuer ? issuerWishes() : [])];
  const wishes = extensions.length === 0 ? [] : [seq(oid(OID.extensionRequest), set(seq(...extensions)))];
  const body = seq(int(0), raw(commonName(options.commonName)), raw(spki), tagged(0, ...wishes));
  return pemEncode('CERTIFICATE REQUEST', signBody(signerFor(privateKey), body));
}

/** Contents of a request. Only possession of the key is verified, by the signature; the sender chose everything else. */
type Csr = {
  readonly commonName: string;
  readonly sans: readonly San[];
  /** `PUBLIC KEY` PEM, as issueClient and issueServer accept it. */
  readonly publicKey: string;
  /** A result of keyTypeOf. */
  readonly keyType: string;
};

/** Parses a request and checks its signature. Throws E_CSR_DAMAGED, E_CSR_SIGNATURE, E_KEY_TYPE (too weak), E_NAME (an invalid name). */
export function parseCsr(pem: string): Csr {
  const block = pemBlocks(pem).blocks.find(({ label }) => /^(?:NEW )?CERTIFICATE REQUEST$/.test(label));
  if (block === undefined) throw damaged('there is none in PEM form');
  if (block.der === undefined) throw damaged('its base64 is torn');
  const fields = readFields(block.der);
  const keyType = keyTypeOf(fields.publicKey);
  refuseWeakKey(keyType);
  if (!verifies(fields.algorithm, firstChildBytes(block.der), fields.publicKey, fields.signature)) {
    throw new DockerTlsError('E_CSR_SIGNATURE', 'the signature of the certificate request is not by its own key', {
      hints: offeredCommands('request', 'NAME').map((one) => `make a new one: ${one}`),
    });
  }
  return {
    commonName: fields.commonName,
    sans: fields.sans.map(({ value }) => parseSan(value)),
    publicKey: pemEncode('PUBLIC KEY', fields.publicKey.export({ type: 'spki', format: 'der' })),
    keyType,
  };
}

function readFields(der: Buffer): {
  commonName: string;
  sans: readonly San[];
  publicKey: KeyObject;
  algorithm: string;
  signature: Buffer;
} {
  try {
    const [body, algorithm, signature] = children(decode(der));
    const [, subject, spki, attributes] = children(body);
    if (spki === undefined) throw new Error('no public key');
    const wishes = (contextNumber(attributes) === 0 ? children(attributes) : []).find(
      (attribute) => oidText(children(attribute)[0]) === OID.extensionRequest,
    );
    const extensions = wishes === undefined ? [] : children(children(children(wishes)[1])[0]);
    return {
      commonName: parseName(subject).text,
      sans: parseExtensions(extensions).sans,
      publicKey: createPublicKey({ key: encode(spki), type: 'spki', format: 'der' }),
      algorithm: oidText(children(algorithm)[0]),
      signature: content(signature).subarray(1),
    };
  } catch (cause) {
    throw damaged('it is not a PKCS#10 request', cause);
  }
}

function damaged(why: string, cause?: unknown): DockerTlsError {
  return new DockerTlsError('E_CSR_DAMAGED', `the certificate request cannot be read: ${why}`, {
    hints: ['look at it with: openssl req -noout -text -verify -in FILE'],
    cause,
  });
}
