/**
 * etcd client over its JSON gateway (https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/): TLS, a user's token if configured, and
 * failover between cluster members. It handles keys and values without their meaning.
 */

import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent, request as tlsRequest } from 'node:https';
import { isObject, parseJson } from '../../../core/domain/json.ts';
import { splitBundle } from '../../../core/domain/pki/inspect.ts';
import type { EtcdAddress } from '../store/etcd-address.ts';
import type { EtcdCredentials } from './etcd-credentials.ts';
import { AnswerTooLarge, answerFailure, connectionFailure, EtcdFailure, gravest } from './etcd-failure.ts';

export type KeyValue = { readonly key: string; readonly value: Buffer; readonly modRevision: string };

/** An operation of a transaction: `{ request_put: … }` and similar, keys and values in base64. */
export type Operation = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
export type Answer = Readonly<Record<string, unknown>>;

const CONNECT_MS = 3000;
/** Longer than the 7 s after which a member reports a lost quorum. */
const ANSWER_MS = 10_000;
/** Idle connections close, because `status --watch` reopens the store for days. */
const IDLE_MS = 3000;
/** Several of the largest values; whoever can write may store as many of these as they like. */
const LARGEST_ANSWER = 16 * 1024 * 1024;
/** Attempts per endpoint. */
const ROUNDS = 2;

export type EtcdClient = ReturnType<typeof etcdClient>;

/** `stopReading` returns the signal that aborts read requests. A pending write is awaited, because its result counts. */
export function etcdClient(
  address: EtcdAddress,
  credentials: () => Promise<EtcdCredentials>,
  stopReading: () => AbortSignal | undefined,
) {
  const { endpoints, tls } = address;
  let at = 0;
  let token: string | undefined;
  let agent: Agent | PlainAgent | undefined;
  let known: Promise<EtcdCredentials> | undefined;

  function access(): Promise<EtcdCredentials> {
    known ??= credentials();
    return known;
  }

  async function agentOf(): Promise<Agent | PlainAgent> {
    const { ca, cert, key } = await access();
    if (agent !== undefined) return agent;
    const idle = { keepAlive: true, timeout: IDLE_MS };
    agent = tls
      ? new Agent({
          ...idle,
          // Otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would decide.
          rejectUnauthorized: true,
          minVersion: 'TLSv1.2',
          ca: ca && splitBundle(ca),
          cert,
          key: key?.reveal(),
        })
      : new PlainAgent(idle);
    return agent;
  }

  /** Sends one request, and resolves at the start of its answer. Fails with EtcdFailure. */
  async function send(endpoint: string, path: string, body: object, signal?: AbortSignal): Promise<IncomingMessage> {
    const text = JSON.stringify(body);
    const through = await agentOf();
    return new Promise((resolve, reject) => {
      let late: string | undefined;
      const fail = (error: unknown) => {
        clearTimeout(timer);
        reject(signal?.aborted ? signal.reason : connectionFailure(endpoint, error, late));
      };
      const [host, port] = splitEndpoint(endpoint);
      const request = (tls ? tlsRequest : plainRequest)({
        ...{ host, port, path, method: 'POST', agent: through },
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
        signal,
      });
      if (token !== undefined) request.setHeader('authorization', token);
      const stop = (what: string) => () => {
        late = what;
        request.destroy(new Error(what));
      };
      let timer = setTimeout(stop(`no connection within ${CONNECT_MS / 1000} s`), CONNECT_MS);
      const connected = () => {
        clearTimeout(timer);
        timer = setTimeout(stop(`no answer within ${ANSWER_MS / 1000} s`), ANSWER_MS);
      };
      request.on('socket', (socket) => {
        if (socket.connecting) socket.once(tls ? 'secureConnect' : 'connect', connected);
        else connected();
      });
      request.on('error', fail);
      request.on('response', (response) => {
        response.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
        // The timeout covers only the start of a stream; the rest may take its time.
        if (path === WATCH) clearTimeout(timer);
        resolve(response);
      });
      request.end(text);
    });
  }

  async function ask(endpoint: string, path: string, body: object, signal?: AbortSignal): Promise<Answer> {
    const response = await send(endpoint, path, body, signal);
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > LARGEST_ANSWER) throw new AnswerTooLarge('an answer of etcd is too large');
        chunks.push(chunk);
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof AnswerTooLarge) throw error;
      throw connectionFailure(endpoint, error, undefined);
    }
    const text = Buffer.concat(chunks).toString('utf8');
    const value = parseJson(text);
    const parsed = isObject(value) ? value : undefined;
    const status = response.statusCode ?? 0;
    if (status !== 200 || parsed === undefined) throw answerFailure(endpoint, status, parsed, text);
    return parsed;
  }

  async function login(endpoint: string, signal?: AbortSignal): Promise<void> {
    const { user, password } = await access();
    if (user === undefined) return;
    token = undefined;
    try {
      const named = { name: user, password: password?.revealText() };
      const answer = await ask(endpoint, '/v3/auth/authenticate', named, signal);
      token = String(answer.token);
    } catch (error) {
      // Any refusal at this point concerns the user.
      if (error instanceof EtcdFailure && error.problem === 'refused')
        throw new EtcdFailure('auth', endpoint, error.message);
      throw error;
    }
  }

  /** With a token, renewed after it expires. */
  async function askAs(endpoint: string, path: string, body: object, signal?: AbortSignal): Promise<Answer> {
    const given = token !== undefined;
    if (!given) await login(endpoint, signal);
    try {
      return await ask(endpoint, path, body, signal);
    } catch (error) {
      if (!(error instanceof EtcdFailure)) throw error;
      if ((await access()).user === undefined) throw withoutUser(error);
      if (!given || !['auth', 'refused'].includes(error.problem)) throw error;
      await login(endpoint, signal);
      return ask(endpoint, path, body, signal);
    }
  }

  /** Starts with the member that answered last. Fails with EtcdFailure, the gravest if no member answers; and with the signal's reason. */
  async function post(path: string, body: object, signal?: AbortSignal): Promise<Answer> {
    const failures: EtcdFailure[] = [];
    for (let turn = 0; turn < ROUNDS * endpoints.length; turn++) {
      try {
        return await askAs(endpoints[at] as string, path, body, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof EtcdFailure)) throw error;
        // An earlier member may have forwarded the request anyway.
        if (!error.othersMayAnswer) throw failures.length > 0 ? error.afterOthers() : error;
        failures.push(error);
        at = (at + 1) % endpoints.length;
        // The server may just have closed an idle connection; the first round retries at once.
        if (turn >= endpoints.length - 1)
          await new Promise((resolve) => setTimeout(resolve, 100 + 200 * Math.random()));
      }
    }
    throw gravest(failures);
  }

  return {
    post,

    /** Keys from `from` up to `to`, or one key, at `revision` or now. */
    async range(from: string, to?: string, options: Readonly<Record<string, unknown>> = {}) {
      return rangeOf(await post('/v3/kv/range', { ...rangeRequest(from, to), ...options }, stopReading()));
    },

    /** All operations, if the conditions in `compare` hold. */
    async txn(compare: readonly object[], success: readonly Operation[]) {
      const reads = success.every((one) => 'request_range' in one);
      const answer = await post('/v3/kv/txn', { compare, success }, reads ? stopReading() : undefined);
      const responses = (answer.responses ?? []) as readonly { readonly response_range?: Answer }[];
      return {
        succeeded: answer.succeeded === true,
        ranges: responses.flatMap(({ response_range: one }) => (one === undefined ? [] : [rangeOf(one)])),
        revision: String((answer.header as Answer | undefined)?.revision ?? '0'),
      };
    },

    /** Resolves when `key` changes after `revision`. Fails with EtcdFailure if the connection ends, and with the signal's reason. */
    async watch(key: string, revision: string, signal: AbortSignal): Promise<void> {
      const endpoint = endpoints[at] as string;
      if (token === undefined) await login(endpoint, signal);
      const start = (BigInt(revision) + 1n).toString();
      const response = await send(
        endpoint,
        WATCH,
        { create_request: { key: base64(key), start_revision: start } },
        signal,
      );
      let text = '';
      try {
        for await (const chunk of response as AsyncIterable<Buffer>) {
          text += chunk.toString('latin1');
          if (response.statusCode !== 200 || text.length > 1024 * 1024) break;
          // Every message after the first is a reason to read again: a change, or a compacted revision.
          if (/"events"|"canceled"|"error"/.test(text)) return;
        }
      } catch (error) {
        signal.throwIfAborted();
        throw connectionFailure(endpoint, error, undefined);
      } finally {
        response.destroy();
      }
      throw new EtcdFailure('unreachable', endpoint, 'it ended the watch');
    },
  };
}

const WATCH = '/v3/watch';

export function base64(text: string | Uint8Array): string {
  return Buffer.from(text as string).toString('base64');
}

export function rangeRequest(from: string, to?: string): Readonly<Record<string, unknown>> {
  return { key: base64(from), range_end: to && base64(to) };
}

/** End of the key range with this prefix. */
export function endOf(prefix: string): string {
  return `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;
}

export type Range = { readonly kvs: readonly KeyValue[]; readonly more: boolean; readonly revision: string };

function rangeOf({ kvs, more, header }: Answer): Range {
  const found = (kvs ?? []) as readonly { key: string; value?: string; mod_revision: string }[];
  return {
    kvs: found.map(({ key, value = '', mod_revision: modRevision }) => ({
      key: Buffer.from(key, 'base64').toString('utf8'),
      value: Buffer.from(value, 'base64'),
      modRevision,
    })),
    more: more === true,
    revision: String((header as Answer | undefined)?.revision ?? '0'),
  };
}

function splitEndpoint(endpoint: string): [string, number] {
  const at = endpoint.lastIndexOf(':');
  return [endpoint.slice(0, at).replace(/^\[|\]$/g, ''), Number(endpoint.slice(at + 1))];
}

/** etcd reports an empty user name like an invalid argument. */
function withoutUser(failure: EtcdFailure): EtcdFailure {
  if (failure.problem !== 'refused' || !failure.message.includes('user name is empty')) return failure;
  return new EtcdFailure('auth', failure.endpoint, 'it wants a user and a password');
}
