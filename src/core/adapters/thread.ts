/** A worker thread for a fleet: opens connections, runs scripts on hosts and probes for the main thread (threads.ts). */

import { parentPort } from 'node:worker_threads';
import { Secret } from '../domain/secret.ts';
import type { HostSession, SshQuestions } from '../runtime.ts';
import { probe } from './docker/probe.ts';
import { connect } from './ssh/connect.ts';
import {
  asBytes,
  asSecret,
  asThrown,
  type FromThread,
  type Question,
  type ToThread,
  thrownForm,
} from './thread-messages.ts';

const port = parentPort as NonNullable<typeof parentPort>;
const sessions = new Map<number, HostSession>();
const underWay = new Map<number, AbortController>();
const questions = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
let questionCount = 0;

function say(message: FromThread): void {
  port.postMessage(message);
}

type Request = Extract<ToThread, { kind: 'connect' | 'run' | 'close' | 'probe' }>;

async function carryOut(
  message: Request,
  signal: AbortSignal,
): Promise<Extract<FromThread, { kind: 'done' }>['value']> {
  switch (message.kind) {
    case 'connect': {
      const { questions: known, sudoPassword, ...options } = message.options;
      const ask = known.length === 0 ? undefined : questionsOf(message.id, known);
      const session = await connect({ ...options, sudoPassword: asSecret(sudoPassword), ask, signal });
      sessions.set(message.id, session);
      const { host, login, user, dialled, hostKey, transport, authenticatedBy } = session;
      return { host, login, user, dialled, hostKey, transport, authenticatedBy };
    }
    case 'run': {
      const { input, lines, ...request } = message.request;
      const onLine = lines ? (line: string) => say({ kind: 'line', id: message.id, line }) : undefined;
      const session = sessions.get(message.session) as HostSession;
      return await session.run({ ...request, input: input.map(asBytes), onLine, signal });
    }
    case 'close':
      await sessions.get(message.session)?.close();
      sessions.delete(message.session);
      return undefined;
    case 'probe': {
      const { credentials, ...request } = message.request;
      const key = asSecret(credentials?.key);
      return await probe({ ...request, credentials: credentials && key && { cert: credentials.cert, key } });
    }
  }
}

/** Forwards questions to the main thread, which owns the terminal. */
function questionsOf(id: number, known: readonly Question[]): SshQuestions {
  const put = (what: Question) => (about: unknown) =>
    new Promise((resolve, reject) => {
      questionCount += 1;
      questions.set(questionCount, { resolve, reject });
      say({ kind: 'ask', id, question: questionCount, what, about });
    });
  const secret = (what: Question) => async (about: unknown) => new Secret((await put(what)(about)) as Uint8Array);
  const forms = {
    hostKey: put('hostKey'),
    passphrase: secret('passphrase'),
    password: secret('password'),
    touch: (about: unknown) => say({ kind: 'ask', id, question: 0, what: 'touch', about }),
    sudoPassword: secret('sudoPassword'),
  };
  return Object.fromEntries(known.map((what) => [what, forms[what]])) as unknown as SshQuestions;
}

port.on('message', (message: ToThread) => {
  if (message.kind === 'abort') underWay.get(message.id)?.abort();
  else if (message.kind === 'answer') questions.get(message.question)?.resolve(message.value);
  else if (message.kind === 'no-answer') questions.get(message.question)?.reject(asThrown(message.error));
  else {
    const { id } = message;
    const controller = new AbortController();
    underWay.set(id, controller);
    carryOut(message, controller.signal)
      .then(
        (value) => say({ kind: 'done', id, value }),
        (error: unknown) => say({ kind: 'failed', id, error: thrownForm(error) }),
      )
      .finally(() => underWay.delete(id));
  }
});
