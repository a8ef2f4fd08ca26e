/** Translation of node's socket errors and ssh2's errors into errors for users, by code and level, in one place. */

import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { shellQuote } from '../../domain/quote.ts';
import type { SshOptions } from '../../runtime.ts';
import { TRANSPORTS } from '../../seams/transports.ts';
import type { Endpoint } from './endpoint.ts';

export type ConnectPhase = 'connecting' | 'exchanging keys' | 'logging in' | 'signing';

/** The state of ssh2 when it failed. */
type Ssh2Situation = {
  readonly options: SshOptions;
  readonly endpoint: Endpoint;
  readonly phase: ConnectPhase;
  /** The login's own error. */
  readonly authentication: { error(cause?: unknown): DockerTlsError };
};

export function place(endpoint: Endpoint): string {
  const name = endpoint.hostName.includes(':') ? `[${endpoint.hostName}]` : endpoint.hostName;
  return `${name}:${endpoint.port}`;
}

/** The same login by hand, with ssh's debug output; the user may be empty if only ssh knows it. */
export function sshVerbose(endpoint: Endpoint): string {
  const { configFile, identities = [], jump = [] } = endpoint.requested;
  const how = [
    ...(configFile === undefined ? [] : ['-F', configFile]),
    ...identities.flatMap((file) => ['-i', file]),
    ...(jump.length === 0 ? [] : ['-J', jump.join(',')]),
  ];
  return words('ssh', '-v', ...how, ...account(endpoint));
}

/** Installs the user's own key on the host, over the same route. */
export function sshCopyId(endpoint: Endpoint): string {
  const { configFile, jump = [] } = endpoint.requested;
  const how = [
    ...(configFile === undefined ? [] : ['-F', configFile]),
    ...(jump.length === 0 ? [] : ['-o', `ProxyJump=${jump.join(',')}`]),
  ];
  return words('ssh-copy-id', ...how, ...account(endpoint));
}

function account({ alias, port, user }: Endpoint): string[] {
  return [...(port === 22 ? [] : ['-p', String(port)]), `${user === '' ? '' : `${user}@`}${alias}`];
}

function words(...all: readonly string[]): string {
  return all.map(shellQuote).join(' ');
}

/** Returns the factory of an error for a cause; by default its hint is the same login by hand. */
function failing({ host }: SshOptions, endpoint: Endpoint, cause?: unknown) {
  return (code: ErrorCode, message: string, hints: readonly string[] = [sshVerbose(endpoint)]) =>
    new DockerTlsError(code, message, { where: host, hints, cause });
}

/** The command that shows the setting. */
export const FORWARDING = 'on the host of that sshd: sshd -T | grep -i -e forwarding -e permitopen';

/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED of RFC 4254, 5.1: sshd's settings forbid it. */
const PROHIBITED = 1;

/** getaddrinfo's messages on the host of an sshd (glibc, musl); sshd passes them on as its reason. */
const NO_ADDRESS = /not known|name resolution|not resolve|no address/i;

/**
 * The error of an sshd that failed to forward: it refused (with a reason of that RFC), or it ended. `via`: the connection that leads to a
 * TLS port; undefined: a jump host, which leads to an sshd.
 */
export function translateForward(
  error: unknown,
  options: SshOptions,
  endpoint: Endpoint,
  via?: string,
): DockerTlsError {
  const from = via ?? 'the jump host';
  const at = place(endpoint);
  const failed = failing(options, endpoint, error);
  const { reason } = error as { reason?: unknown };
  if (reason === PROHIBITED)
    return failed('E_SSH_FORWARDING', `${from} does not forward connections to ${at}`, [FORWARDING]);
  if (error instanceof Error && NO_ADDRESS.test(error.message))
    return failed(via === undefined ? 'E_SSH_NAME' : 'E_ADDRESS', `${from} cannot resolve ${endpoint.hostName}`, [
      `on the host of that sshd: getent hosts ${shellQuote(endpoint.hostName)}`,
      ...(via === undefined ? [] : ['if clients reach the host by another name or address: --address NAME']),
    ]);
  return typeof reason === 'number'
    ? failed('E_SSH_UNREACHABLE', `${from} cannot reach ${at}`)
    : failed('E_SSH_LOST', `${from} hung up before it led to ${at}`);
}

/** The error of a TCP connection from this machine. */
export function translateSocket(error: unknown, options: SshOptions, endpoint: Endpoint): DockerTlsError {
  const at = place(endpoint);
  const code = socketCode(error);
  const failed = failing(options, endpoint, error);
  const asSsh = sshVerbose(endpoint);
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
    case 'EAI_FAIL':
      return failed('E_SSH_NAME', `no address is known for ${endpoint.hostName}`, [
        `getent hosts ${endpoint.hostName}`,
      ]);
    case 'ECONNREFUSED':
      return failed('E_SSH_REFUSED', `nothing listens on ${at}`, [
        asSsh,
        ...(options.hostKeyFlag === false ? [] : ['another port: HOST:PORT']),
      ]);
    case 'ECONNRESET':
    case 'EPIPE':
      return failed('E_SSH_REFUSED', `${at} hung up`);
    case 'ETIMEDOUT':
      return failed('E_SSH_TIMEOUT', `connecting: ${at} did not answer`);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'EADDRNOTAVAIL':
      return failed('E_SSH_UNREACHABLE', `no route to ${at} (${code})`, [`ping ${endpoint.hostName}`, asSsh]);
    default:
      return failed('E_SSH_UNREACHABLE', `cannot reach ${at} (${code})`);
  }
}

/** The code of a socket's error; for a name with several addresses, the first one's. */
function socketCode(error: unknown): string {
  const { code, errors } = error as { code?: unknown; errors?: readonly unknown[] };
  if (typeof code === 'string' && code !== '') return code;
  if (errors?.[0] !== undefined) return socketCode(errors[0]);
  return printable(String((error as Error).message ?? error), 200);
}

/** An ssh2 error before the login completed; undefined if the connection just closed. */
export function translateSsh2(
  error: (Error & { level?: string; code?: unknown }) | undefined,
  situation: Ssh2Situation,
): DockerTlsError {
  const { options, endpoint, phase, authentication } = situation;
  const at = place(endpoint);
  const failed = failing(options, endpoint, error);
  if (error?.level === 'client-socket') return translateSocket(error, options, endpoint);
  if (error?.level === 'client-authentication') return authentication.error(error);
  if (phase === 'logging in' && error !== undefined && error.level === undefined) {
    // Not a login failure: ssh2 gave up on the host's data, such as a packet of more than 35,000 bytes.
    return needsOpenSsh(
      options,
      `it cannot read what ${at} sends during the login (${printable(error.message, 200)})`,
      error,
    );
  }
  if (phase === 'logging in') {
    // The host hung up: too many attempts (disconnect reason 2 of OpenSSH, 14 of RFC 4253), or LoginGraceTime.
    return authentication.error(error ?? new Error('the host hung up'));
  }
  if (error?.level === 'handshake' && /no matching/.test(error.message)) {
    return needsOpenSsh(options, `${at} shares no algorithm with it (${printable(error.message, 200)})`, error);
  }
  if (error === undefined || error.level === 'protocol') {
    const reason = error === undefined ? '' : ` (${printable(error.message, 200)})`;
    return failed('E_SSH_REFUSED', `${at} hung up before it spoke SSH to the end${reason}`, [
      sshVerbose(endpoint),
      'on the host, many at once: MaxStartups in sshd_config',
    ]);
  }
  return failed('E_SSH_REFUSED', `${phase} with ${at}: ${printable(error.message, 200)}`);
}

/** Only the system's ssh supports this; `connect` then uses the transport of a feature, unless the user asked for ssh2. */
export function needsOpenSsh(options: SshOptions, why: string, cause?: unknown): DockerTlsError {
  return new DockerTlsError('E_SSH_TRANSPORT', `the ssh2 transport cannot be used: ${why}`, {
    where: options.host,
    hints: TRANSPORTS.all.map(({ name }) => `--transport ${name}`),
    cause,
  });
}

/** The host hung up silently; a retry may succeed. */
export function isDrop(error: unknown): boolean {
  if (!(error instanceof DockerTlsError) || error.code !== 'E_SSH_REFUSED') return false;
  const { cause } = error;
  const { level, code } = (cause ?? {}) as { level?: unknown; code?: unknown };
  return cause === undefined || level === 'protocol' || code === 'ECONNRESET' || code === 'EPIPE';
}

/** The error for the connection time limit. Names the phase and the milliseconds. */
export function connectTimedOut(
  options: SshOptions,
  endpoint: Endpoint,
  phase: ConnectPhase,
  limitMs: number,
): DockerTlsError {
  const who = phase === 'signing' && endpoint.agent !== undefined ? `the agent ${endpoint.agent}` : place(endpoint);
  return failing(options, endpoint)('E_SSH_TIMEOUT', `${phase}: no answer from ${who} within ${limitMs} ms`);
}
