/**
 * Issuing by `cfssl serve`: `authsign` with an HMAC-SHA256 of the request under a shared key
 * (https://github.com/cloudflare/cfssl/blob/master/doc/api/endpoint_authsign.txt). Its profiles set the lifetimes.
 */

import { createHmac } from 'node:crypto';
import type { ApiCa } from '../../../core/domain/external-ca.ts';
import type { SignRequest } from '../../../core/runtime.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { refusedByApi, textsOf } from './answer.ts';
import { credentialOf } from './credentials.ts';
import { postJson } from './https.ts';

/** PEM certificate, unverified. Fails with E_ISSUER_…, E_SECRET_FILE. */
export async function signByCfssl(ca: ApiCa, request: SignRequest, signal?: AbortSignal): Promise<string> {
  const { profile, name, sans = [], csr } = request;
  const { file, secret } = await credentialOf(ca);
  const hex = secret.revealText();
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(hex))
    throw new DockerTlsError('E_ISSUER_CREDENTIAL', 'the authentication key of cfssl is not hexadecimal', {
      where: file,
      hints: ['openssl rand -hex 32'],
    });
  const signRequest = Buffer.from(
    JSON.stringify({ certificate_request: csr, hosts: sans.map(({ value }) => value), profile: ca.profiles[profile] }),
  );
  const token = createHmac('sha256', Buffer.from(hex, 'hex')).update(signRequest).digest('base64');
  const body = { token, request: signRequest.toString('base64') };
  const answer = await postJson(ca, '/api/v1/cfssl/authsign', { body, where: name, signal });
  const { success, result, errors } = (answer.body ?? {}) as {
    success?: unknown;
    result?: { certificate?: unknown } | null;
    errors?: readonly { message?: unknown }[] | null;
  };
  const [certificate] = textsOf([result?.certificate]);
  if (answer.status === 200 && success === true && certificate !== undefined) return certificate;
  const messages = Array.isArray(errors) ? errors.map((error) => error?.message) : [];
  throw refusedByApi(ca, request, answer, messages, [
    `the profile "${ca.profiles[profile]}" of cfssl needs an auth_key whose key is that of ${file}`,
    'see the log of cfssl serve',
  ]);
}
