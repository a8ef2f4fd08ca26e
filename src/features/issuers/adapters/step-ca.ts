/**
 * Issuing by step-ca: `POST /1.0/sign` with a one-time token of a JWK provisioner, one provisioner per profile
 * (https://smallstep.com/docs/step-ca/provisioners/#jwk).
 */

import { createHash, randomBytes } from 'node:crypto';
import type { ApiCa } from '../../../core/domain/external-ca.ts';
import { inspectCertificate, splitBundle } from '../../../core/domain/pki/inspect.ts';
import { derOf } from '../../../core/domain/pki/pem.ts';
import type { SignRequest } from '../../../core/runtime.ts';
import { refusedByApi, textsOf } from './answer.ts';
import { credentialOf, readCredential } from './credentials.ts';
import { postJson } from './https.ts';
import { readProvisionerKey } from './jwk.ts';

const TOKEN_S = 300;

/** PEM certificate and chain, unverified. Fails with E_ISSUER_…, E_SECRET_FILE. */
export async function signByStepCa(ca: ApiCa, request: SignRequest, signal?: AbortSignal): Promise<string> {
  const { profile, name, commonName, sans = [], days, csr } = request;
  const passphrase = ca.passphraseFile === undefined ? undefined : await readCredential(ca.passphraseFile);
  const { file, secret } = await credentialOf(ca);
  const key = readProvisionerKey(secret, passphrase, file);
  const provisioner = ca.profiles[profile];
  const nowS = Math.floor(Date.now() / 1000);
  const ott = key.sign({
    iss: provisioner,
    aud: `${ca.url}/1.0/sign`,
    sub: commonName,
    // Without names step-ca uses the subject as one, and rejects a request with other names.
    sans: sans.map(({ value }) => value),
    iat: nowS,
    // The CA's clock may be behind.
    nbf: nowS - 60,
    exp: nowS + TOKEN_S,
    jti: randomBytes(32).toString('hex'),
    sha: rootFingerprint(ca.trust),
  });
  const answer = await postJson(ca, '/1.0/sign', {
    body: { csr, ott, notAfter: `${days * 24}h` },
    where: name,
    signal,
  });
  const { crt, ca: above, certChain } = (answer.body ?? {}) as Record<string, unknown>;
  const chain = Array.isArray(certChain) ? certChain : [crt, above];
  if (answer.status === 201 && typeof crt === 'string') return textsOf([crt, ...chain]).join('\n');
  const { message } = (answer.body ?? {}) as { message?: unknown };
  throw refusedByApi(
    ca,
    request,
    answer,
    [message],
    [
      'the log of step-ca names the cause; its answer does not',
      `step ca provisioner list --ca-url ${ca.url}`,
      `a longer lifetime: step ca provisioner update ${JSON.stringify(provisioner)} --x509-max-dur ${days * 24}h`,
    ],
  );
}

/** SHA-256 of the root, in the format of `step certificate fingerprint`. */
function rootFingerprint(trust: string): string | undefined {
  const root = splitBundle(trust).find((pem) => inspectCertificate(pem).selfIssued);
  if (root === undefined) return undefined;
  return createHash('sha256').update(derOf(root)).digest('hex');
}
