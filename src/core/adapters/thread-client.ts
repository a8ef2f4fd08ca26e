/** The main thread's side of a worker thread for fleets (thread.ts): its requests, their answers, and its questions to the user. */

import { Worker } from 'node:worker_threads';
import { DockerTlsError, printable } from '../../errors/errors.ts';
import type { Secret } from '../domain/secret.ts';
import type { HostSession, Probe, ProbeOutcome, ScriptResult, SshOptions, SshQuestions } from '../runtime.ts';
import {
  asThrown,
  bareSecret,
  type FromThread,
  type OpenSession,
  type Question,
  type ResultForm,
  type ToThread,
  thrownForm,
} from './thread-messages.ts';

type Waiting = {
  resolve(value: never): void;
  reject(error: unknown): void;
  readonly ask?: SshQuestions | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
};

/** The error of requests in progress in a thread that died. Its cause has the reason, for instance a full memory. */
export class ThreadEnded extends Error {
  constructor(cause?: unknown) {
    super('a thread of docker-tls has ended', { cause });
  }
}

/** One worker thread for a fleet. If it dies, requests fail with ThreadEnded, and runs with E_SSH_LOST (their connection died too). */
export class Thread {
  ended = false;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #asks = new Map<number, SshQuestions>();
  #last = 0;

  constructor(code: URL | string, onEnd: () => void) {
    this.#worker = new Worker(code, {
      eval: typeof code === 'string',
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    });
    this.#worker.on('message', (message: FromThread) => this.#read(message));
    const end = (cause?: unknown): void => {
      if (this.ended) return;
      this.ended = true;
      onEnd();
      for (const { reject } of this.#waiting.values()) reject(new ThreadEnded(cause));
      this.#waiting.clear();
    };
    this.#worker.on('error', end);
    this.#worker.on('exit', () => end());
    // Only a pending request keeps the process alive.
    this.#worker.unref();
  }

  /** Pending requests and open connections. */
  get load(): number {
    return this.#waiting.size + this.#asks.size;
  }

  async connect(options: SshOptions): Promise<HostSession> {
    const { ask, signal, sudoPassword, ...rest } = options;
    const questions = Object.keys(ask ?? {}) as Question[];
    const id = this.#next();
    const bare = { ...rest, questions, sudoPassword: bareSecret(sudoPassword) };
    this.#asks.set(id, ask ?? ({} as SshQuestions));
    const session = await this.#ask<OpenSession>({ kind: 'connect', id, options: bare }, signal).catch((error) => {
      this.#asks.delete(id);
      throw error;
    });
    const close = async (): Promise<void> => {
      if (!this.#asks.delete(id) || this.ended) return;
      await this.#ask({ kind: 'close', id: this.#next(), session: id });
    };
    return {
      ...session,
      run: async ({ signal: stop, onLine, input, ...request }): Promise<ScriptResult> => {
        if (!this.#asks.has(id))
          throw new DockerTlsError('E_SSH_LOST', 'the session is closed', { where: options.host });
        const parts = (input ?? []).map((part) => (part instanceof Uint8Array ? part : (bareSecret(part) as never)));
        const form = { ...request, input: parts, lines: onLine !== undefined };
        const message = { kind: 'run', id: this.#next(), session: id, request: form } as const;
        const { status, stdout, stderr } = await this.#ask<ResultForm>(message, stop, onLine).catch((error) => {
          throw error instanceof ThreadEnded ? lostIn(error, options.host) : error;
        });
        return { status, stderr, stdout: Buffer.from(stdout.buffer, stdout.byteOffset, stdout.byteLength) };
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  probe({ dial: _, credentials, ...request }: Parameters<Probe>[0]): Promise<ProbeOutcome> {
    const bare = credentials && { cert: credentials.cert, key: bareSecret(credentials.key) as never };
    return this.#ask({ kind: 'probe', id: this.#next(), request: { ...request, credentials: bare } });
  }

  #next(): number {
    this.#last += 1;
    return this.#last;
  }

  #ask<T>(message: ToThread & { id: number }, signal?: AbortSignal, onLine?: (line: string) => void): Promise<T> {
    const { id } = message;
    if (this.ended) return Promise.reject(new ThreadEnded());
    const abort = (): void => this.#worker.postMessage({ kind: 'abort', id } satisfies ToThread);
    const settled = (): void => {
      signal?.removeEventListener('abort', abort);
      if (this.#waiting.size === 0) this.#worker.unref();
    };
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onLine });
      this.#worker.ref();
      this.#worker.postMessage(message);
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort, { once: true });
    }).finally(settled);
  }

  #read(message: FromThread): void {
    const waiting = this.#waiting.get(message.id);
    if (message.kind === 'line') waiting?.onLine?.(message.line);
    else if (message.kind === 'ask') this.#put(message);
    else {
      this.#waiting.delete(message.id);
      if (message.kind === 'done') waiting?.resolve(message.value as never);
      else waiting?.reject(asThrown(message.error));
    }
  }

  #put({ id, question, what, about }: Extract<FromThread, { kind: 'ask' }>): void {
    const put = this.#asks.get(id)?.[what] as ((about: unknown) => Promise<boolean | Secret>) | undefined;
    if (what === 'touch' || put === undefined) return void put?.(about);
    put(about).then(
      (value) =>
        this.#worker.postMessage({
          kind: 'answer',
          question,
          value: typeof value === 'boolean' ? value : new Uint8Array(value.reveal()),
        }),
      (error: unknown) => this.#worker.postMessage({ kind: 'no-answer', question, error: thrownForm(error) }),
    );
  }
}

function lostIn({ cause }: ThreadEnded, host: string): DockerTlsError {
  const why = cause instanceof Error ? ` (${printable(cause.message, 200)})` : '';
  return new DockerTlsError('E_SSH_LOST', `the thread that had the connection ended${why}`, {
    where: host,
    hints: ['run the same command again', 'with fewer hosts at a time: --parallel 4'],
    cause,
  });
}
