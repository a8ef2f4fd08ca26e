/** The table from error codes (Node's, libuv's, OpenSSL's, the HTTP parser's) to a probe's causes. */

import type { ProbeOutcome, ProbeRequest } from '../../runtime.ts';
import { offeredCommands } from '../../seams/offered-commands.ts';

type RefusalCause = Extract<ProbeOutcome, { kind: 'refused' }>['cause'];

export type Refusal = {
  readonly cause: RefusalCause;
  readonly reason: string;
  /** The alert's statement about this client, alone. */
  readonly alert?: string;
  /** The error code behind it. */
  readonly code?: string;
  /** The answer was not TLS: try HTTP. */
  readonly notTls?: boolean;
};

const NETWORK: Readonly<Record<string, readonly [RefusalCause, string]>> = {
  ECONNREFUSED: ['connection-refused', 'nothing listens on the port, or a firewall rejects connections'],
  ECONNRESET: ['reset', 'the server cut the connection without saying why'],
  ECONNABORTED: ['reset', 'the connection was cut'],
  EPIPE: ['reset', 'the server closed the connection without saying why'],
  ETIMEDOUT: ['timed-out', 'no answer to the connection attempt'],
  EHOSTUNREACH: ['unreachable', 'there is no way to the address (no route to host)'],
  EHOSTDOWN: ['unreachable', 'the host is down'],
  ENETUNREACH: ['unreachable', 'there is no way to the address (network is unreachable)'],
  ENETDOWN: ['unreachable', 'the network is down'],
  EADDRNOTAVAIL: ['unreachable', 'this computer has no address of that kind'],
  EAFNOSUPPORT: ['unreachable', 'this computer has no addresses of that kind'],
  EACCES: ['unreachable', 'this computer does not let the connection out'],
  EPERM: ['unreachable', 'this computer does not let the connection out (a local firewall)'],
  EINVAL: [
    'unreachable',
    'the address cannot be dialled (an address that begins with fe80 needs a zone, as in fe80::1%eth0)',
  ],
  ENOTFOUND: ['name-not-found', 'the name is not known'],
  EAI_AGAIN: ['name-not-found', 'the name server did not answer'],
  EAI_FAIL: ['name-not-found', 'the name server failed'],
  ENODATA: ['name-not-found', 'the name has no address'],
};

const NO_CERTIFICATE = 'it wants a client certificate and got none';

/** TLS alerts (RFC 8446, 6.2) by which a server rejects this client. */
const CLIENT_ALERTS: Readonly<Record<string, string>> = {
  CERTIFICATE_REQUIRED: NO_CERTIFICATE,
  BAD_CERTIFICATE: 'it got no client certificate, or one that it does not accept',
  UNSUPPORTED_CERTIFICATE: 'it does not accept this kind of client certificate',
  CERTIFICATE_REVOKED: 'the client certificate is revoked',
  CERTIFICATE_EXPIRED: `by the clock of the server the client certificate has expired or is not valid yet (${['compare the clocks', ...offeredCommands('diagnosis', 'HOST')].join(': ')})`,
  CERTIFICATE_UNKNOWN: 'it does not accept the client certificate',
  UNKNOWN_CA: 'it does not know the CA of the client certificate',
  ACCESS_DENIED: 'it denies access to the client certificate',
  DECRYPT_ERROR: "it could not verify the client's signature",
};

const PROTOCOL_ALERTS: Readonly<Record<string, string>> = {
  PROTOCOL_VERSION: 'it does not speak this version of TLS',
  HANDSHAKE_FAILURE: 'there is no cipher or version of TLS that both sides take',
  INSUFFICIENT_SECURITY: 'it wants stronger ciphers',
  INAPPROPRIATE_FALLBACK: 'it does not allow a fallback to an older version of TLS',
};

/** OpenSSL's names for an answer that is not a TLS record. */
const NOT_TLS =
  /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_TOO_LARGE|HTTP_REQUEST|HTTPS_PROXY_REQUEST|BAD_RECORD_TYPE|UNEXPECTED_MESSAGE|UNKNOWN_PROTOCOL)$/;

/** No common version, detected on this side. */
const OUR_VERSION =
  /^ERR_SSL_(?:UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|VERSION_TOO_HIGH|UNSUPPORTED_SSL_VERSION|WRONG_SSL_VERSION|TLSV1_ALERT_PROTOCOL_VERSION)$/;

/**
 * The alert in a code, without the prefix that differs between OpenSSL versions: `ERR_SSL_TLSV1_ALERT_UNKNOWN_CA` and
 * `ERR_SSL_SSL/TLS_ALERT_UNKNOWN_CA` are both `UNKNOWN_CA`.
 */
function alertOf(code: string | undefined): string | undefined {
  return /^ERR_SSL_.*?ALERT_(.+)$/.exec(code ?? '')?.[1];
}

/** The progress of the connection. `keyed`: client and server had agreed on version, cipher and keys. */
type HandshakeProgress = {
  readonly stage: 'connect' | 'handshake' | 'answer';
  readonly keyed: boolean;
  readonly maxVersion: ProbeRequest['maxVersion'];
};

export function refusalOf(error: unknown, { stage, keyed, maxVersion }: HandshakeProgress): Refusal {
  const code = codeOf(error);
  const alert = alertOf(code);
  if (alert !== undefined) return { ...alertRefusal(alert, keyed), code };
  const network = NETWORK[code];
  if (network !== undefined) return { cause: network[0], reason: `${network[1]} (${code})`, code };
  if (code === 'ERR_SSL_NO_PROTOCOLS_AVAILABLE' || code === 'ERR_SSL_NO_CIPHERS_AVAILABLE') {
    const reason = `this computer's OpenSSL cannot speak ${maxVersion ?? 'TLS'} (${code})`;
    return { cause: 'not-spoken-here', reason, code };
  }
  if (OUR_VERSION.test(code)) {
    return {
      cause: 'protocol',
      reason: `the server supports no version of TLS that the client offers (${code})`,
      code,
    };
  }
  if (NOT_TLS.test(code)) {
    return { cause: 'protocol', reason: `the answer is not TLS (${code})`, code, notTls: stage === 'handshake' };
  }
  if (code.startsWith('HPE_')) return { cause: 'protocol', reason: `the answer is not HTTP (${code})`, code };
  const text = error instanceof Error ? error.message : String(error);
  return { cause: 'other', reason: code === '' ? text : `${text} (${code})`, code };
}

function alertRefusal(alert: string, keyed: boolean): Refusal {
  // Under TLS 1.2, Go 1.23 and OpenSSL reject a client without a certificate with the alert that otherwise means "no common cipher".
  const client = alert === 'HANDSHAKE_FAILURE' && keyed ? NO_CERTIFICATE : CLIENT_ALERTS[alert];
  if (client !== undefined)
    return { cause: 'client-refused', reason: `the server refused this client: ${client}`, alert: client };
  const protocol = PROTOCOL_ALERTS[alert];
  if (protocol !== undefined) return { cause: 'protocol', reason: `the server ended the handshake: ${protocol}` };
  return {
    cause: 'other',
    reason: `the server ended the handshake with the alert ${alert.toLowerCase().replaceAll('_', ' ')}`,
  };
}

/** An error's code; for several addresses of one name, the most informative one. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError) {
    const codes = error.errors.map(codeOf);
    // A host that answered at all says more than one that was unreachable over the other address family.
    for (const telling of ['ECONNREFUSED', 'ETIMEDOUT']) if (codes.includes(telling)) return telling;
    return codes.find((code) => code !== '') ?? '';
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
