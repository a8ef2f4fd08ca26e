/** HTTPS client for CA APIs: trusts only the CAs of its record, JSON both ways, with a timeout. */

import { request as httpsRequest } from 'node:https';
import { type ApiCa, externalCaWords } from '../../../core/domain/external-ca.ts';
import { parseJson } from '../../../core/domain/json.ts';
import { splitBundle } from '../../../core/domain/pki/inspect.ts';
import { DockerTlsError, interrupted, printable } from '../../../errors/errors.ts';

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 1024 * 1024;

export type JsonAnswer = { readonly status: number; readonly body: unknown };

/**
 * POSTs JSON. No proxy and no redirect: the credential goes only to the recorded URL. Any status is an answer. Fails with
 * E_ISSUER_UNREACHABLE, E_ISSUER_TLS (exit 4), E_INTERRUPTED.
 */
export async function postJson(
  ca: ApiCa,
  path: string,
  {
    body,
    headers = {},
    where,
    signal,
  }: {
    readonly body: object;
    readonly headers?: Readonly<Record<string, string>>;
    /** The requesting host or client. */
    readonly where: string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<JsonAnswer> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const { status, text } = await post(`${ca.url}${path}`, {
      ca: splitBundle(ca.trust),
      body: JSON.stringify(body),
      headers,
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    return { status, body: parseJson(text) };
  } catch (error) {
    if (signal?.aborted) throw interrupted(`interrupted while waiting for ${externalCaWords(ca)}`, { where });
    throw translated(error as NodeJS.ErrnoException, ca, where, timeout.aborted);
  }
}

function post(
  url: string,
  { ca, body, headers, signal }: { ca: string[]; body: string; headers: object; signal: AbortSignal },
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, {
      method: 'POST',
      ca,
      signal,
      agent: false,
      // Otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would decide.
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BYTES) response.destroy(new Error('its answer is larger than 1 MB'));
        else chunks.push(chunk);
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    request.end(body);
  });
}

/** By code instead of text: https://nodejs.org/api/tls.html#x509-certificate-error-codes and errno. */
function translated(error: NodeJS.ErrnoException, ca: ApiCa, where: string, timedOut: boolean): DockerTlsError {
  const { code = '', message } = error;
  const host = new URL(ca.url).host;
  // The server sends an alert about our client, perhaps after the request.
  const tls = !code.includes('ALERT') && /CERT|SIGNATURE|ISSUER|SELF_SIGNED|^ERR_TLS|^ERR_SSL|^EPROTO$/.test(code);
  if (tls)
    return new DockerTlsError(
      'E_ISSUER_TLS',
      `the certificate of ${externalCaWords(ca)} is not accepted, so nothing was sent: ${TLS_WORDS[code] ?? printable(message, 200)}`,
      {
        where,
        hints: [
          `openssl s_client -connect ${host.includes(':') ? host : `${host}:443`} -showcerts </dev/null`,
          'where another CA certifies its API: add --tls-root FILE',
        ],
        cause: error,
      },
    );
  const why = timedOut ? `no answer within ${TIMEOUT_MS / 1000} seconds` : (WORDS[code] ?? printable(message, 200));
  return new DockerTlsError('E_ISSUER_UNREACHABLE', `${externalCaWords(ca)} cannot be reached: ${why}`, {
    where,
    hints: [`curl -v --cacert ROOT.pem ${ca.url}`],
    cause: error,
  });
}

const TLS_WORDS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'it is not from a CA that was imported for it',
  UNABLE_TO_GET_ISSUER_CERT: 'it is not from a CA that was imported for it',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'it is not from a CA that was imported for it',
  SELF_SIGNED_CERT_IN_CHAIN: 'it is not from a CA that was imported for it',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is not from a CA that was imported for it',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another name',
};

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be resolved now',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to it',
};
