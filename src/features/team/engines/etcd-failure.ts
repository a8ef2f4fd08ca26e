/** Failures of etcd connections, and their error texts. Decided by code; etcd's texts are only shown. */

import { shellQuote } from '../../../core/domain/quote.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import type { EtcdAddress } from '../store/etcd-address.ts';
import { unknownEnding, unreadable } from './engine-refusals.ts';

/** `unreachable` and `tls`: another member may succeed; `refused` and below: none would. */
export type EtcdProblem = 'unreachable' | 'no-quorum' | 'tls' | 'auth' | 'compacted' | 'full' | 'too-old' | 'refused';

/** More than is read at once. A reader asks for less; if that is one value, it is not of docker-tls. */
export class AnswerTooLarge extends Error {}

/** The gravest first: reported if members failed in different ways. */
const GRAVITY: readonly EtcdProblem[] = ['no-quorum', 'tls', 'unreachable'];

/** A failed request. */
export class EtcdFailure extends Error {
  readonly problem: EtcdProblem;
  readonly endpoint: string;
  /** The requested change may have succeeded anyway. */
  readonly unsure: boolean;
  constructor(problem: EtcdProblem, endpoint: string, message: string, cause?: unknown, unsure = false) {
    super(message, { cause });
    this.name = 'EtcdFailure';
    this.problem = problem;
    this.endpoint = endpoint;
    this.unsure = unsure || this.othersMayAnswer;
  }

  /** Another member of the cluster may answer. */
  get othersMayAnswer(): boolean {
    return GRAVITY.includes(this.problem);
  }

  /** The same, after members whose answers did not show whether the change was made. */
  afterOthers(): EtcdFailure {
    return new EtcdFailure(this.problem, this.endpoint, this.message, this.cause, true);
  }
}

export function gravest(failures: readonly EtcdFailure[]): EtcdFailure {
  const at = ({ problem }: EtcdFailure) => GRAVITY.indexOf(problem);
  return [...failures].sort((a, b) => at(a) - at(b))[0] as EtcdFailure;
}

/** gRPC codes in the gateway's JSON: https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const PROBLEMS: Readonly<Record<number, EtcdProblem>> = {
  // Canceled, unknown, internal: for instance from a member that is stopping.
  1: 'unreachable',
  2: 'unreachable',
  13: 'unreachable',
  4: 'no-quorum',
  7: 'auth',
  8: 'full',
  11: 'compacted',
  14: 'no-quorum',
  16: 'auth',
};

export function answerFailure(
  endpoint: string,
  status: number,
  body: { code?: unknown; message?: unknown } | undefined,
  text: string,
) {
  const code = Number(body?.code);
  const message = printable(
    typeof body?.message === 'string' ? body.message : `HTTP status ${status}: ${text.trim()}`,
    200,
  );
  // etcd's only plain text answer: it accepts no user from a certificate on the gateway, and rejects a certificate that names one.
  if (status === 400 && body === undefined && text.includes('CommonName'))
    return new EtcdFailure('auth', endpoint, NAMED_CERTIFICATE);
  if (status === 404) return new EtcdFailure('too-old', endpoint, message);
  // Without a code, the answer is from a proxy or load balancer.
  const problem = PROBLEMS[code] ?? (status >= 500 && body?.code === undefined ? 'unreachable' : 'refused');
  return new EtcdFailure(problem, endpoint, message);
}

/** Node's connection errors: https://nodejs.org/api/tls.html#x509-certificate-error-codes and errno. */
export function connectionFailure(endpoint: string, error: unknown, late: string | undefined): EtcdFailure {
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  if (late !== undefined) return new EtcdFailure('unreachable', endpoint, late, error);
  if (/CERT|SIGNATURE|ISSUER|SELF_SIGNED|ALERT|^ERR_TLS|^ERR_SSL|^EPROTO$/.test(code))
    return new EtcdFailure('tls', endpoint, TLS_WORDS[code] ?? printable(message || code, 200), error);
  if (code === 'ECONNRESET' && message.includes('before secure TLS'))
    return new EtcdFailure(
      'unreachable',
      endpoint,
      'the connection was cut before TLS began; it may speak none',
      error,
    );
  return new EtcdFailure('unreachable', endpoint, WORDS[code] ?? printable(message || code, 200), error);
}

const UNKNOWN_CA = 'its certificate is not from a CA that is trusted for it';
const TLS_WORDS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_CA,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it speaks no TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it speaks no TLS',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it wants a client certificate',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not accept the client certificate',
  ERR_SSL_SSL_TLS_ALERT_BAD_CERTIFICATE: 'it does not accept the client certificate',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'it does not accept the client certificate',
};
const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be resolved now',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to it',
};

/** Error for users. Returns other failures unchanged. */
export function etcdRefusal(address: EtcdAddress, failure: unknown): unknown {
  if (failure instanceof AnswerTooLarge) return unreadable(address.url, failure);
  if (!(failure instanceof EtcdFailure)) return failure;
  const [code, message, hints] = refusalOf(address, failure);
  return new DockerTlsError(code, message, { where: address.url, hints, cause: failure });
}

function refusalOf(
  address: EtcdAddress,
  { problem, endpoint, message: detail }: EtcdFailure,
): [DockerTlsError['code'], string, string[]] {
  const ctl = etcdctl(address);
  switch (problem) {
    case 'no-quorum':
      return [
        'E_STORE_UNREACHABLE',
        `etcd answers, but cannot agree on anything: ${detail} (${endpoint}); more than half of its members have to be up`,
        [`${ctl} endpoint status --cluster`, `${ctl} endpoint health --cluster`],
      ];
    case 'tls':
      return [
        'E_STORE_TLS',
        `TLS with ${endpoint} failed: ${detail}`,
        [
          `openssl s_client -connect ${endpoint} -showcerts </dev/null`,
          'the CA of the servers: ?ca=FILE; a client certificate: ?cert=FILE&cert-key=FILE',
        ],
      ];
    case 'auth':
      return ['E_STORE_ACCESS', `etcd refuses access: ${detail}`, accessHints(address, ctl, detail)];
    case 'full':
      return [
        'E_STORE_FULL',
        `etcd takes no more data: ${detail}`,
        [
          `${ctl} alarm list`,
          `${ctl} endpoint status --write-out=table`,
          'https://etcd.io/docs/v3.5/op-guide/maintenance/',
        ],
      ];
    case 'too-old':
      return [
        'E_STORE_SERVER',
        `${endpoint} has no JSON gateway at /v3 (${detail}): etcd 3.4 or later is needed, without --enable-grpc-gateway=false`,
        [`${ctl} endpoint status --write-out=table`],
      ];
    case 'compacted':
      return [
        'E_STORE_CHANGED',
        `etcd has dropped the revision that was being read: ${detail}`,
        ['run the same command again'],
      ];
    case 'refused':
      return ['E_STORE_SERVER', `etcd refused: ${detail}`, [`${ctl} endpoint status --write-out=table`]];
    default:
      return ['E_STORE_UNREACHABLE', `the store cannot be reached: ${endpoint}: ${detail}`, [`${ctl} endpoint health`]];
  }
}

const NAMED_CERTIFICATE =
  'where its authentication is enabled, its JSON gateway takes no client certificate that has a common name (CN)';

function accessHints({ user, prefix }: EtcdAddress, ctl: string, detail: string): string[] {
  if (detail === NAMED_CERTIFICATE)
    return [
      'issue a certificate without CN for this: openssl req -new -key KEY.pem -subj /O=docker-tls',
      'and name a user: ?user=NAME&password=file:PATH',
    ];
  if (user === undefined)
    return [
      'a user of etcd: ?user=NAME&password=file:PATH (its JSON gateway takes no user from a client certificate)',
      `${ctl} auth status`,
    ];
  return [
    `${ctl} user get ${shellQuote(user)} --detail`,
    `${ctl} role grant-permission ROLE --prefix=true readwrite ${shellQuote(`/${prefix}/`)}`,
  ];
}

/** etcdctl command for the same endpoints; it prompts for the password. */
function etcdctl({ endpoints, tls, ca, cert, certKey, user }: EtcdAddress): string {
  const flags = [
    ['--endpoints', endpoints.map((each) => `${tls ? 'https' : 'http'}://${each}`).join(',')],
    ...(ca === undefined ? [] : [['--cacert', ca]]),
    ...(cert === undefined ? [] : [['--cert', cert]]),
    ...(certKey === undefined ? [] : [['--key', certKey]]),
    ...(user === undefined ? [] : [['--user', user]]),
  ];
  return `etcdctl ${flags.map(([name = '', value = '']) => `${name}=${shellQuote(value)}`).join(' ')}`;
}

export function unknownFate(address: EtcdAddress, failure: EtcdFailure): DockerTlsError {
  const reason = `${failure.endpoint}: ${failure.message}`;
  return unknownEnding(address.url, reason, [`${etcdctl(address)} endpoint health`], failure);
}

export function withoutHistory(address: EtcdAddress): DockerTlsError {
  return new DockerTlsError(
    'E_STORE_TAMPERED',
    'the last change is missing in the history of the store, or another one is in its place',
    {
      where: address.url,
      details: ['an account that can write to etcd changed it; the store itself matches its signature'],
      hints: ['docker-tls store check'],
    },
  );
}

export function tooLarge(address: EtcdAddress, path: string, bytes: number): DockerTlsError {
  return new DockerTlsError(
    'E_STORE_FULL',
    `${path} has ${Math.ceil(bytes / 1024)} kB, and one value of etcd has at most 1,500 kB`,
    { where: address.url, hints: ['docker-tls store copy --to git+ssh://git@HOST/PATH.git'] },
  );
}
