/**
 * Issuing by the PKI engine of Vault or OpenBao: `sign/ROLE` for leaves, `root/sign-intermediate` for clients' issuing CAs
 * (https://openbao.org/api-docs/secret/pki/). Tested against a stand-in only.
 */

import type { ApiCa } from '../../../core/domain/external-ca.ts';
import type { SignRequest } from '../../../core/runtime.ts';
import { refusedByApi, textsOf } from './answer.ts';
import { credentialOf } from './credentials.ts';
import { postJson } from './https.ts';

/** PEM certificate and chain, unverified. Fails with E_ISSUER_…, E_SECRET_FILE. */
export async function signByVault(ca: ApiCa, request: SignRequest, signal?: AbortSignal): Promise<string> {
  const { profile, name, commonName, sans = [], days, csr } = request;
  const names = (kind: 'dns' | 'ip') =>
    sans.flatMap((san) => (san.kind === kind ? [san.value] : [])).join(',') || undefined;
  const common = { csr, common_name: commonName, ttl: `${days * 24}h`, format: 'pem' };
  const body =
    profile === 'issuer'
      ? // path length, key usage and purpose come from the request
        { ...common, use_csr_values: true, max_path_length: 0 }
      : { ...common, alt_names: names('dns'), ip_sans: names('ip'), exclude_cn_from_sans: true };
  const path = profile === 'issuer' ? `/${ca.profiles.issuer}` : `/sign/${encodeURIComponent(ca.profiles[profile])}`;
  const { file, secret } = await credentialOf(ca);
  const headers = { 'x-vault-token': secret.revealText(), 'x-vault-request': 'true' };
  const answer = await postJson(ca, path, { body, headers, where: name, signal });
  const { data, errors } = (answer.body ?? {}) as {
    data?: { certificate?: unknown; ca_chain?: unknown } | null;
    errors?: unknown;
  };
  const above = Array.isArray(data?.ca_chain) ? data.ca_chain : [];
  if (answer.status === 200 && typeof data?.certificate === 'string')
    return textsOf([data.certificate, ...above]).join('\n');
  throw refusedByApi(ca, request, answer, Array.isArray(errors) ? errors : [], [
    answer.status === 403
      ? `the token in ${file} needs a policy that allows update on ${new URL(ca.url).pathname.slice(4)}${path}`
      : `vault read ${new URL(ca.url).pathname.slice(4)}/roles/${ca.profiles[profile === 'issuer' ? 'server' : profile]}`,
  ]);
}
