/** The ssh2 login: the order of methods, the attempts, and the error that lists them. */

import type { AuthHandlerMiddleware, BaseAgent, ParsedKey } from 'ssh2';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import { listWords } from '../../domain/words.ts';
import type { SshOptions } from '../../runtime.ts';
import type { Deadline } from './deadline.ts';
import type { Endpoint } from './endpoint.ts';
import type { FoundKeys, KeySigner } from './login-keys.ts';
import { inTurn } from './questions.ts';
import { sshCopyId } from './ssh-errors.ts';

type Ssh2 = typeof import('ssh2');

/** OpenSSH's server hangs up after 6 failures (MaxAuthTries). On a terminal, keys leave room for a password. */
const KEYS_AT_MOST = 5;
const KEYS_BEFORE_ASKING_THE_SERVER = 3;
const PASSWORD_TRIES = 3;

/** Accepted passwords by user and host, so that the new connection for verification does not ask again. In memory only. */
const passwords = new Map<string, Secret>();

export class Authentication {
  readonly #ssh2: Ssh2;
  readonly #options: SshOptions;
  readonly #endpoint: Endpoint;
  readonly #keys: FoundKeys;
  readonly #clock: Deadline;
  readonly #queue: KeySigner[];
  readonly #tried: string[] = [];
  #methods: readonly string[] | undefined;
  #signed = false;
  #lastWasKey = false;
  #requested = false;
  #signing = false;
  #tries = { 'keyboard-interactive': 0, password: 0 };
  /** Our own failure (a passphrase, a cancelled question), more precise than "refused". */
  failure: unknown;

  constructor(ssh2: Ssh2, options: SshOptions, endpoint: Endpoint, keys: FoundKeys, clock: Deadline) {
    this.#ssh2 = ssh2;
    this.#options = options;
    this.#endpoint = endpoint;
    this.#keys = keys;
    this.#clock = clock;
    this.#queue = keys.signers.slice(0, KEYS_AT_MOST);
  }

  /** After the login: the last method was a key, and the user typed nothing. */
  get byKey(): boolean {
    return this.#lastWasKey && !this.#requested;
  }

  /** A key's signature is pending: the agent waits for a confirmation, or hangs. */
  get signing(): boolean {
    return this.#signing;
  }

  handler(): AuthHandlerMiddleware {
    return (methodsLeft, _partial, next) => {
      // After a key of an agent, ssh2 repeats the previous list: only different methods mean a new one.
      if (this.#lastWasKey) {
        if (this.#signed) this.#methods = undefined;
      } else this.#methods = methodsLeft ?? undefined;
      this.#lastWasKey = false;
      this.#next()
        .catch((error: unknown) => {
          this.failure = error;
          return false as const;
        })
        .then((method) => next(method as never));
    };
  }

  async #next(): Promise<object | false> {
    const username = this.#endpoint.user;
    if (this.failure !== undefined) return false;
    const unknown = this.#methods === undefined;
    const tooManyToGuess = this.#tried.length === 0 && this.#queue.length > KEYS_BEFORE_ASKING_THE_SERVER;
    if (this.#queue.length > 0 && !(unknown && (tooManyToGuess || this.#signed)) && this.#allows('publickey')) {
      const signer = this.#queue.shift() as KeySigner;
      this.#lastWasKey = true;
      this.#tried.push(`publickey ${signer.label}`);
      return { type: 'agent', username, agent: this.#agentOf(signer) };
    }
    if (unknown) {
      this.#signed = false;
      return { type: 'none', username };
    }
    if (this.#endpoint.keyboardInteractive && this.#mayTry('keyboard-interactive')) {
      return { type: 'keyboard-interactive', username, prompt: this.#prompt() };
    }
    if (this.#endpoint.passwords && this.#mayTry('password')) {
      const password = await this.#ask(`password of ${username}`, false, true, 'password');
      return { type: 'password', username, password: password.revealText() };
    }
    return false;
  }

  #allows(method: string): boolean {
    return this.#methods === undefined || this.#methods.includes(method);
  }

  #mayTry(method: 'keyboard-interactive' | 'password'): boolean {
    if (!this.#allows(method) || this.#options.ask === undefined) return false;
    if (this.#tries[method] >= PASSWORD_TRIES) return false;
    if (this.#tries[method] === 0) this.#tried.push(method);
    this.#tries[method] += 1;
    return true;
  }

  /** Presents one key as an agent with a single key: it offers the public half, and unlocks the key only if the host wants it. */
  #agentOf(signer: KeySigner): BaseAgent {
    const note = (signing: boolean): void => {
      this.#signed = true;
      this.#signing = signing;
    };
    const fail = (error: unknown): void => {
      this.failure = error;
    };
    // An agent may ask its user first. Only with a terminal does that stop the clock.
    const inItsTime: <T>(work: () => Promise<T>) => Promise<T> =
      this.#options.ask === undefined ? (work) => work() : (work) => this.#clock.during(work);
    class OneKey extends this.#ssh2.BaseAgent {
      getIdentities(callback: (error: undefined, keys: ParsedKey[]) => void): void {
        callback(undefined, [signer.publicKey]);
      }
      sign(_key: unknown, data: Buffer, options: unknown, callback?: unknown): void {
        const done = (callback ?? options) as (error: Error | undefined, signature?: Buffer) => void;
        const { hash } = typeof options === 'object' && options !== null ? (options as { hash?: string }) : {};
        note(true);
        inItsTime(() => signer.sign(data, hash))
          .finally(() => note(false))
          .then((signature) => done(undefined, signature))
          .catch((error: unknown) => {
            if (error instanceof DockerTlsError) fail(error);
            done(error instanceof Error ? error : new Error(String(error)));
          });
      }
    }
    return new OneKey() as BaseAgent;
  }

  #prompt() {
    return (
      _name: string,
      _instructions: string,
      _language: string,
      prompts: readonly { prompt: string; echo: boolean }[],
      finish: (answers: string[]) => void,
    ): void => {
      const answers: string[] = [];
      const work = async (): Promise<void> => {
        for (const { prompt, echo } of prompts.slice(0, 10)) {
          const plain = !echo && prompts.length === 1 && /passw/i.test(prompt);
          const answer = await this.#ask(printable(prompt.trim(), 200), echo, plain, 'keyboard-interactive');
          answers.push(answer.revealText());
        }
      };
      work()
        .then(() => finish(answers))
        .catch((error: unknown) => {
          this.failure = error;
          finish(prompts.map(() => ''));
        });
    };
  }

  async #ask(
    prompt: string,
    echo: boolean,
    remember: boolean,
    method: 'keyboard-interactive' | 'password',
  ): Promise<Secret> {
    const { ask, host } = this.#options;
    this.#requested = true;
    if (ask === undefined) throw this.error();
    const id = `${this.#endpoint.user}@${this.#endpoint.hostName}:${this.#endpoint.port}`;
    const known = passwords.get(id);
    if (
      remember &&
      known !== undefined &&
      this.#tries[method] === 1 &&
      this.#tries.password + this.#tries['keyboard-interactive'] === 1
    ) {
      return known;
    }
    const why = this.#whyAsked();
    const answer = await this.#clock.during(() => inTurn(() => ask.password({ host, prompt, echo, why })));
    if (remember) passwords.set(id, answer);
    return answer;
  }

  /** The methods that the host rejected before this question. */
  #whyAsked(): string | undefined {
    if (this.#tries.password + this.#tries['keyboard-interactive'] > 1) return 'That was not accepted.';
    const keys = this.#tried.flatMap((one) => (one.startsWith('publickey ') ? [one.slice('publickey '.length)] : []));
    return keys.length === 0 ? undefined : `The host did not accept ${listWords(keys, 4)}.`;
  }

  error(cause?: unknown): DockerTlsError {
    const { user, hostName } = this.#endpoint;
    const tried = this.#tried.length === 0 ? 'nothing (no key, no agent, no terminal)' : this.#tried.join(', ');
    const left = this.#queue.length + Math.max(0, this.#keys.signers.length - KEYS_AT_MOST);
    return new DockerTlsError('E_SSH_AUTH', `authentication failed for ${user}@${hostName}`, {
      where: this.#options.host,
      details: [
        `tried: ${tried}`,
        ...(this.#methods === undefined ? [] : [`the host allows: ${printable(this.#methods.join(', '), 200)}`]),
        ...(this.#options.ask === undefined && (this.#methods ?? []).some((method) => method !== 'publickey')
          ? ['passwords were not tried: that needs a terminal, and no --yes']
          : []),
        ...(left > 0 ? [`not tried: ${left} more keys, since hosts hang up after 6 tries`] : []),
        ...this.#keys.passedOver,
      ],
      hints: ['-i KEYFILE', 'ssh-add KEYFILE', sshCopyId(this.#endpoint)],
      cause,
    });
  }
}
