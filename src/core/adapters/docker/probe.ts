/**
 * The TLS probe: one connection to a daemon as a given client (or without a certificate). It returns the daemon's answer or, on failure,
 * the cause as one stable word. Causes come from error codes and never from message text.
 */

import http from 'node:http';
import { connect, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { bareAddress } from '../../domain/destination.ts';
import { pemEncode } from '../../domain/pki/pem.ts';
import type { ProbeOutcome, ProbeRequest } from '../../runtime.ts';
import { type Refusal, refusalOf } from './refusal.ts';
import { contextFor } from './secure-context.ts';
import { checkServerName, describeUntrusted, holdsCertificate } from './served.ts';

/** More than any answer to `/version` or `/info`; a server that sends more is not a known daemon. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** An alert arrives a round trip after the handshake; a server that accepts the client stays silent for longer than a probe can wait. */
const ALERT_MS = 3000;

type Answer = { readonly status: number; readonly body: string };
type Connected = { readonly protocol: string; readonly chain: string };
type Stage = 'connect' | 'handshake' | 'answer';

/** The progress of one attempt; kept outside the promise chain so that a time-out can report it. */
type Attempt = { stage: Stage; chain: string; protocol: string; keyed: boolean; socket?: Duplex | undefined };

/** Ends an attempt with a cause found by the probe and not by the socket. */
class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.reason);
    this.refusal = refusal;
  }
}

/**
 * Dials `address:port`, verifies the server against `ca` and `serverName` (names come from the SAN only, as in Go's clients), sends one GET
 * and reads its answer. Failures of the network or the server never throw: they are an outcome, with the certificates that the server sent
 * even if they are not trusted. An unverified server receives no HTTP (unless `anyServer` asks for it); it may see the client certificate,
 * which is public (TLS sends it in the handshake). `plain` speaks HTTP without TLS: a daemon under TLS answers 400, reported as `refused`
 * with `protocol`. `maxVersion: 'TLSv1.1'` speaks exactly that. `timeoutMs` covers the whole probe. Never writes anything anywhere. Fails
 * with E_PROBE_CREDENTIALS if certificate and key are unusable, E_PROBE_TRUST if `ca` contains no certificate.
 */
export async function probe(request: ProbeRequest): Promise<ProbeOutcome> {
  const started = performance.now();
  const deadline = started + request.timeoutMs;
  const first = await attempt(request, deadline, 'ask');
  let found = first;
  if (first.kind === 'refused' && first.cause === 'reset' && first.stage === 'answer') {
    // The request may have crossed the server's alert on the way: the reset then swallows the alert. Send nothing and listen.
    const second = await attempt(request, Math.min(deadline, performance.now() + ALERT_MS), 'listen');
    if (second.kind === 'refused' && second.cause === 'client-refused') found = second;
  } else if (first.kind === 'refused' && first.notTls) {
    if (await answersPlainHttp(request, deadline)) {
      found = { ...first, cause: 'plain-http', reason: 'the port speaks plain HTTP, not TLS' };
    }
  }
  const elapsedMs = Math.round(performance.now() - started);
  if (found.kind === 'accepted') return { ...found, elapsedMs };
  const { kind, cause, reason, alert, chain, stage, notTls } = found;
  return { kind, cause, reason: printable(reason, 500), alert, chain, elapsedMs, stage, notTls: notTls || undefined };
}

type Found =
  | ({ readonly kind: 'accepted' } & Answer & Connected)
  | ({ readonly kind: 'refused'; readonly chain: string; readonly stage: Stage } & Refusal);

async function attempt(request: ProbeRequest, deadline: number, manner: 'ask' | 'listen'): Promise<Found> {
  const state: Attempt = { stage: 'connect', chain: '', protocol: '', keyed: false };
  const options = request.plain ? undefined : await tlsOptions(request);
  const left = deadline - performance.now();
  if (left <= 0) return refused(state, timedOut(state, request));
  const { promise: expired, timer } = expiry(left, () => new Refused(timedOut(state, request)));
  try {
    const work = options === undefined ? askPlain(request, state) : askOverTls(request, options, state, manner);
    work.catch(() => undefined); // A time-out may abandon it.
    const answer = await Promise.race([work, expired]);
    return { kind: 'accepted', ...answer, protocol: state.protocol, chain: state.chain };
  } catch (error) {
    if (error instanceof Refused) return refused(state, error.refusal);
    if (error instanceof DockerTlsError) throw error;
    return refused(state, refusalOf(error, { ...state, maxVersion: request.maxVersion }));
  } finally {
    clearTimeout(timer);
    state.socket?.destroy();
  }
}

function refused(state: Attempt, refusal: Refusal): Found {
  return { kind: 'refused', chain: state.chain, stage: state.stage, ...refusal };
}

function timedOut(state: Attempt, request: ProbeRequest): Refusal {
  const within = `within ${request.timeoutMs / 1000} s`;
  const reason = {
    connect: `no answer to the connection attempt ${within}`,
    handshake: `connected, but the TLS handshake was not answered ${within}`,
    answer: `connected, but the request was not answered ${within}`,
  }[state.stage];
  return { cause: 'timed-out', reason };
}

function expiry(milliseconds: number, error: () => Error): { promise: Promise<never>; timer: NodeJS.Timeout } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(error()), milliseconds);
  });
  return { promise, timer: timer as unknown as NodeJS.Timeout };
}

/** A TCP connection. Node tries all addresses of a name; its default of 250 ms for each is too short for a slow network. */
async function dial(request: ProbeRequest, state: Attempt): Promise<Duplex> {
  if (request.dial !== undefined) {
    const stream = await request.dial();
    state.socket = stream;
    return stream;
  }
  const socket = connect({
    host: bareAddress(request.address),
    port: request.port,
    autoSelectFamilyAttemptTimeout: Math.max(1000, Math.floor(request.timeoutMs / 3)),
  });
  state.socket = socket;
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.setNoDelay(true);
  return socket;
}

async function tlsOptions(request: ProbeRequest): Promise<ConnectionOptions> {
  if (request.anyServer !== true && !holdsCertificate(request.ca)) {
    throw new DockerTlsError('E_PROBE_TRUST', 'the CA certificate to trust is missing or damaged');
  }
  const name = bareAddress(request.serverName ?? request.address);
  try {
    return {
      secureContext: await contextFor(request),
      // Verified by hand after the handshake, so that the served chain is known even if it is not trusted.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      // RFC 6066: addresses are not allowed in SNI.
      servername: isIP(name.replace(/%.*$/, '')) === 0 ? name : undefined,
    };
  } catch (cause) {
    throw new DockerTlsError(
      'E_PROBE_CREDENTIALS',
      'the client certificate and its key cannot be used together: one is damaged, or they do not belong together',
      { cause },
    );
  }
}

async function askOverTls(
  request: ProbeRequest,
  options: ConnectionOptions,
  state: Attempt,
  manner: 'ask' | 'listen',
): Promise<Answer> {
  const tcp = await dial(request, state);
  state.stage = 'handshake';
  const socket = tls.connect({ ...options, socket: tcp });
  state.socket = socket;
  // Errors after the handshake belong to the reader; without a listener they would end the process.
  let broken: Error | undefined;
  socket.on('error', (error) => {
    broken ??= error;
  });
  // Keys exist once the server has shown its certificate and only waits for the client's part (TLS 1.2), or has answered the hello (1.3). A
  // refusal after that concerns the client and not the protocol. The keys themselves are not read.
  socket.on('keylog', () => {
    state.keyed = true;
    if (state.chain === '') state.chain = pemOf(socket.getPeerCertificate().raw);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
    socket.once('close', () =>
      reject(
        broken ?? new Refused({ cause: 'reset', reason: 'the server closed the connection during the TLS handshake' }),
      ),
    );
  });
  state.protocol = socket.getProtocol() ?? '';
  const untrusted = socket.authorized ? undefined : socket.authorizationError;
  const leaf = socket.getPeerCertificate();
  state.chain = await servedChain(socket);
  if (request.anyServer !== true && untrusted !== undefined && untrusted !== null)
    throw new Refused(describeUntrusted(String(untrusted), state.chain, request.ca, new Date()));
  const wrongName =
    request.anyServer === true
      ? undefined
      : checkServerName(request.serverName ?? request.address, leaf, tls.checkServerIdentity);
  if (wrongName !== undefined) throw new Refused(wrongName);
  state.stage = 'answer';
  return manner === 'listen' ? listen(socket, () => broken) : get(socket, request.path ?? '/_ping');
}

/** All certificates as the server sent them, PEM, its own first. Reading them empties OpenSSL's list, so call this once. */
async function servedChain(socket: TLSSocket): Promise<string> {
  const pems: string[] = [];
  for (let next = socket.getPeerX509Certificate(); next !== undefined; next = next.issuerCertificate) {
    pems.push(next.toString());
  }
  return pems.join('');
}

/** Only the server's own certificate, for a handshake that never ends. */
function pemOf(der: Buffer | undefined): string {
  return der === undefined || der.length === 0 ? '' : pemEncode('CERTIFICATE', der);
}

async function askPlain(request: ProbeRequest, state: Attempt): Promise<Answer> {
  const socket = await dial(request, state);
  state.stage = 'answer';
  const answer = await get(socket, request.path ?? '/_ping');
  state.protocol = 'HTTP/1.1';
  if (answer.status === 400) {
    throw new Refused({ cause: 'protocol', reason: 'plain HTTP is refused: the port speaks TLS only' });
  }
  return answer;
}

/** One GET over an existing connection. */
async function get(socket: Duplex, path: string): Promise<Answer> {
  return new Promise<Answer>((resolve, reject) => {
    const request = http.get({
      createConnection: () => socket,
      path,
      // As docker's own CLI sends it; any value works, and an address would need escaping.
      headers: { host: 'docker', connection: 'close', accept: 'application/json', 'user-agent': 'docker-tls' },
    });
    // Several may come: the other end hangs up, and the stream destroyed for it reports an error too.
    request.on('error', reject);
    request.once('response', (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        size += part.length;
        if (size <= MAX_BODY_BYTES) parts.push(part);
        else reject(new Refused({ cause: 'other', reason: `the answer is longer than ${MAX_BODY_BYTES} bytes` }));
      });
      response.once('error', reject);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }),
      );
    });
  });
}

/** Sends nothing and waits for the server's alert, which comes after the handshake in TLS 1.3. Never resolves. */
function listen(socket: TLSSocket, broken: () => Error | undefined): Promise<never> {
  return new Promise<never>((_resolve, reject) => {
    const end = (): void =>
      reject(broken() ?? new Refused({ cause: 'reset', reason: 'the server closed the connection' }));
    if (socket.destroyed) return end();
    socket.once('error', reject);
    socket.once('close', end);
    socket.resume();
  });
}

/** True if the port answers HTTP without TLS; tried only after it has answered a TLS handshake with something else. */
async function answersPlainHttp(request: ProbeRequest, deadline: number): Promise<boolean> {
  const plain: ProbeRequest = { ...request, plain: true, path: '/_ping' };
  const found = await attempt(plain, deadline, 'ask');
  if (found.kind === 'accepted') return true;
  // 400 to the ping, without an error code: still an HTTP server.
  return found.cause === 'protocol' && found.code === undefined;
}
