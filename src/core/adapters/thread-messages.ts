/** Messages between the main thread and the worker threads for fleets (threads.ts, thread.ts), and their forms. */

import { DockerTlsError } from '../../errors/errors.ts';
import { Secret } from '../domain/secret.ts';
import type { HostSession, ProbeOutcome, ProbeRequest, ScriptRequest, SshOptions, SshQuestions } from '../runtime.ts';

/** A secret travels as its bytes, within this process. */
export type Bare<T> = T extends Secret ? { readonly secret: Uint8Array } : T;

/** The methods of SshQuestions, by name. */
export type Question = keyof SshQuestions;

export type ConnectOptions = Omit<SshOptions, 'ask' | 'signal' | 'sudoPassword'> & {
  readonly sudoPassword?: Bare<Secret> | undefined;
  /** The questions that the user can answer. */
  readonly questions: readonly Question[];
};

export type RunOptions = Omit<ScriptRequest, 'onLine' | 'signal' | 'input'> & {
  readonly input: readonly (Uint8Array | Bare<Secret>)[];
  readonly lines: boolean;
};

export type ProbeOptions = Omit<ProbeRequest, 'dial' | 'credentials'> & {
  readonly credentials?: { readonly cert: string; readonly key: Bare<Secret> } | undefined;
};

/** `id` names a request; `session` the request that opened the connection. */
export type ToThread =
  | { readonly kind: 'connect'; readonly id: number; readonly options: ConnectOptions }
  | { readonly kind: 'run'; readonly id: number; readonly session: number; readonly request: RunOptions }
  | { readonly kind: 'close'; readonly id: number; readonly session: number }
  | { readonly kind: 'probe'; readonly id: number; readonly request: ProbeOptions }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'answer'; readonly question: number; readonly value: unknown }
  | { readonly kind: 'no-answer'; readonly question: number; readonly error: ThrownForm };

export type OpenSession = Pick<
  HostSession,
  'host' | 'login' | 'user' | 'dialled' | 'hostKey' | 'transport' | 'authenticatedBy'
>;

export type FromThread =
  | { readonly kind: 'done'; readonly id: number; readonly value: OpenSession | ResultForm | ProbeOutcome | undefined }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ThrownForm }
  | { readonly kind: 'line'; readonly id: number; readonly line: string }
  /** From the connection `id`; a `touch` has no answer. */
  | {
      readonly kind: 'ask';
      readonly id: number;
      readonly question: number;
      readonly what: Question;
      readonly about: unknown;
    };

export type ResultForm = { readonly status: number; readonly stdout: Uint8Array; readonly stderr: string };

/** An error in parts: the structured clone drops an error's name, and fails on a cause that holds a function. */
export type ThrownForm =
  | { readonly ours: Pick<DockerTlsError, 'code' | 'message' | 'where' | 'hints' | 'details'> }
  | { readonly other: { readonly name: string; readonly message: string; readonly stack: string | undefined } };

export function bareSecret(secret: Secret | undefined): Bare<Secret> | undefined {
  // A copy: a view into a pool would send the whole pool.
  return secret && { secret: new Uint8Array(secret.reveal()) };
}

export function asSecret(bare: Bare<Secret> | undefined): Secret | undefined {
  return bare && new Secret(bare.secret);
}

export function asBytes(part: Uint8Array | Bare<Secret>): Uint8Array | Secret {
  return part instanceof Uint8Array ? part : new Secret(part.secret);
}

export function thrownForm(error: unknown): ThrownForm {
  if (error instanceof DockerTlsError) {
    const { code, message, where, hints, details } = error;
    return { ours: { code, message, where, hints, details } };
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { other: { name, message, stack } };
}

export function asThrown(form: ThrownForm): unknown {
  if ('other' in form) return Object.assign(new Error(form.other.message), form.other);
  const { code, message, ...more } = form.ours;
  return new DockerTlsError(code, message, more);
}
