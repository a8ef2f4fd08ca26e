/**
 * Owns one run of a script over a channel, the same for every transport: the frame, sudo, limits, time-outs and abort.
 * A transport gives a Channel per exec; what goes wrong on its own level it throws from there.
 */

import { randomBytes } from 'node:crypto';
import { distributionOf, installCommand } from '../../domain/dockerd/packages.ts';
import type { Login } from '../../domain/quote.ts';
import { Secret } from '../../domain/secret.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import { DockerTlsError, printable, printableLines } from '../../errors/errors.ts';
import type { ScriptRequest, ScriptResult, SshOptions } from '../../runtime.ts';
import { Deadline } from './deadline.ts';
import { type Halt, haltHints, interrupted, noShell } from './exec-errors.ts';
import { commandWords, FrameReader, type FrameStage, type Mark, requestHead, type SudoMode } from './frame.ts';

/** How a command ended, as the transport says it. `lost` holds the error when the connection broke. */
export type ChannelEnd = { readonly status?: number; readonly signal?: string; readonly lost?: Error };

/** One command that runs on the host. */
export type Channel = {
  /** Queues bytes for the command's stdin; errors of a closed pipe are not reported here. */
  write(bytes: Uint8Array): void;
  endInput(): void;
  onOutput(listener: (stream: 'stdout' | 'stderr', chunk: Buffer) => void): void;
  readonly ended: Promise<ChannelEnd>;
  /** The answer is complete: lets go of the command and of what it may have left running. May be called twice. */
  close(): void;
  /** Gives the command up: ends it as well as the transport can, then closes. May be called twice. */
  kill(): void;
};

/** Starts a command of these words. Rejects with a DockerTlsError when the host refuses or the connection is lost. */
export type OpenChannel = (words: readonly string[]) => Promise<Channel>;

/** What is known about sudo on a host for the life of a session. */
export type SudoKnowledge = {
  /** Undefined until a first run as root came through. */
  asks?: boolean;
  password?: Secret;
};

export type ExecContext = {
  readonly options: SshOptions;
  readonly user: string;
  /** For the commands in hints. */
  readonly login: Login;
  /** Told to the scripts as OPERATOR. */
  readonly operator: string;
  readonly open: OpenChannel;
  readonly sudo: SudoKnowledge;
};

/** The bootstrap's status where its input ended before the script came (src/adapters/ssh/frame.ts). */
const NO_SCRIPT = 98;

/** As many as sudo's own passwd_tries (sudoers(5)). */
const SUDO_TRIES = 3;

/** Runs a script and gives what it printed. Errors: see HostSession. */
export async function runScript(context: ExecContext, request: ScriptRequest): Promise<ScriptResult> {
  const { options, sudo } = context;
  const canAnswer = sudo.password !== undefined || options.ask?.sudoPassword !== undefined;
  if (!request.asRoot) return new Run(context, request, 'plain').result();
  // `sudo -n` reads nothing from stdin: script and data can follow at once. The name root is nearly always uid 0.
  if (sudo.asks === false || !canAnswer || (sudo.asks === undefined && context.user === 'root')) {
    try {
      return await new Run(context, request, 'never-ask').result();
    } catch (error) {
      const retry = error instanceof DockerTlsError && error.code === 'E_SUDO_PASSWORD' && canAnswer;
      if (!retry) throw error;
      sudo.asks = undefined;
    }
  }
  return new Run(context, request, 'may-ask').result();
}

class Run {
  readonly #context: ExecContext;
  readonly #request: ScriptRequest;
  readonly #mode: SudoMode;
  readonly #mark: Mark = { first: randomBytes(8).toString('hex'), second: randomBytes(8).toString('hex') };
  readonly #out: FrameReader;
  readonly #err: FrameReader;
  #channel: Channel | undefined;
  #sent = false;
  #answered = 0;
  /** Somebody typed the password for this run. */
  #typed = false;
  #clock: Deadline | undefined;
  #settled = false;
  #resolve: (result: ScriptResult) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(context: ExecContext, request: ScriptRequest, mode: SudoMode) {
    this.#context = context;
    this.#request = request;
    this.#mode = mode;
    this.#out = new FrameReader(this.#mark, request.onLine);
    this.#err = new FrameReader(this.#mark);
  }

  result(): Promise<ScriptResult> {
    return new Promise((resolve, reject) => {
      const { signal } = this.#request;
      const abort = (): void => this.#fail(interrupted(this.#context.options.host, this.#request.phase));
      const settle = (): void => {
        this.#settled = true;
        this.#clock?.pause();
        signal?.removeEventListener('abort', abort);
      };
      this.#resolve = (result) => {
        settle();
        resolve(result);
      };
      this.#reject = (error) => {
        settle();
        reject(error);
      };
      if (signal?.aborted) {
        abort();
        return;
      }
      signal?.addEventListener('abort', abort, { once: true });
      this.#clock = new Deadline(this.#request.timeoutMs, () => this.#fail(this.#timedOut()));
      this.#start().catch((error: unknown) => this.#fail(error));
    });
  }

  async #start(): Promise<void> {
    const head = requestHead(this.#mark, this.#request.script);
    const channel = await this.#context.open(commandWords(this.#mark, this.#mode, this.#context.operator));
    this.#channel = channel;
    if (this.#settled) {
      channel.kill();
      return;
    }
    channel.onOutput((stream, chunk) => this.#read(stream, chunk));
    void channel.ended.then((end) => this.#ended(end));
    const { sudo } = this.#context;
    if (this.#mode !== 'may-ask') this.#send(head);
    else if (sudo.asks === true && sudo.password !== undefined) {
      // The password was right before: it and the script can travel together.
      this.#answered = 1;
      channel.write(sudo.password.reveal());
      channel.write(Buffer.from('\n'));
      this.#send(head);
    }
  }

  #send(head: Buffer): void {
    if (this.#sent) return;
    this.#sent = true;
    this.#channel?.write(head);
    for (const part of this.#request.input ?? []) {
      this.#channel?.write(part instanceof Secret ? part.reveal() : part);
    }
    this.#channel?.endInput();
  }

  #read(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    if (this.#settled) return;
    const reader = stream === 'stdout' ? this.#out : this.#err;
    try {
      reader.push(chunk);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (reader.overflow !== undefined) this.#fail(this.#tooMuch(reader.overflow));
    else if (this.#out.stage === 'no-sudo') this.#fail(this.#sudoMissing());
    else if (this.#out.stage === 'ended' && this.#err.stage === 'ended') this.#finish();
    else if (this.#out.stage === 'running') {
      if (this.#mode === 'may-ask' && !this.#sent) this.#context.sudo.asks = this.#answered > 0;
      if (!this.#sent) this.#send(requestHead(this.#mark, this.#request.script));
    } else if (this.#err.requested > this.#answered) this.#answer();
  }

  /**
   * sudo wants a password; asking again means that the one before was wrong. Whoever types it may try as often as sudo itself allows; one
   * that was given beforehand stays wrong.
   */
  #answer(): void {
    const again = this.#answered > 0;
    this.#answered = this.#err.requested;
    if (again) this.#context.sudo.password = undefined;
    if (again && (!this.#typed || this.#answered > SUDO_TRIES)) {
      this.#fail(this.#sudoRefused(true));
      return;
    }
    this.#clock?.pause();
    this.#password(again)
      .then((password) => {
        if (this.#settled) return;
        this.#context.sudo.password = password;
        this.#clock?.resume();
        this.#channel?.write(Buffer.concat([password.reveal(), Buffer.from('\n')]));
      })
      .catch((error: unknown) => this.#fail(error));
  }

  async #password(again: boolean): Promise<Secret> {
    const { options, sudo, user } = this.#context;
    if (sudo.password !== undefined) return sudo.password;
    if (options.ask?.sudoPassword === undefined) throw this.#sudoPasswordNeeded();
    this.#typed = true;
    return await options.ask.sudoPassword({ host: options.host, user, again });
  }

  #finish(): void {
    // A background process of the script may hold the channel open: what was verified is enough.
    this.#channel?.close();
    this.#resolve({
      status: this.#out.status ?? 0,
      stdout: this.#out.output(),
      stderr: this.#err.output().toString('utf8'),
    });
  }

  #ended(end: ChannelEnd): void {
    if (this.#settled) return;
    if (this.#out.stage === 'ended') this.#finish();
    else if (end.lost !== undefined) this.#fail(this.#lost('the connection broke', end.lost));
    else if (this.#out.stage === 'running' && end.status === NO_SCRIPT) this.#fail(this.#swallowed());
    else if (this.#out.stage === 'running') {
      this.#fail(this.#lost(end.signal ? `its shell was killed by ${end.signal}` : 'its shell went away', undefined));
    } else if (this.#out.stage === 'before') this.#fail(this.#noShell(end));
    else if (this.#mode === 'plain') this.#fail(this.#lost('its shell went away', undefined));
    else this.#fail(this.#sudoFailed());
  }

  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#reject(error);
    this.#channel?.kill();
  }

  #error(
    code: ErrorCode,
    message: string,
    rest: { hints?: string[]; details?: string[]; cause?: unknown } = {},
  ): DockerTlsError {
    return new DockerTlsError({ code, message, where: this.#context.options.host, ...rest });
  }

  #words(): string[] {
    // sudo repeats the whole command that it refuses.
    return printableLines(`${this.#err.noise()}\n${this.#out.noise()}`, 6).map((line) => printable(line, 200));
  }

  #lost(how: string, cause: unknown): DockerTlsError {
    // A connection that ends before our command said a word is another matter than a slow login.
    const early = cause instanceof DockerTlsError && this.#out.stage === 'before';
    return this.#error('E_SSH_LOST', `lost while the phase ${this.#request.phase} ran: ${how}`, {
      hints: early ? [...cause.hints] : this.#halted(),
      cause,
    });
  }

  #timedOut(): DockerTlsError {
    const { phase, timeoutMs } = this.#request;
    const how = this.#out.stage === 'running' ? 'is not done' : 'did not begin';
    return this.#error('E_SSH_TIMEOUT', `the phase ${phase} ${how} after ${timeoutMs} ms`, {
      hints: this.#halted(),
      details: this.#words(),
    });
  }

  #halted(): string[] {
    const halts: Partial<Record<FrameStage, Halt>> = { before: 'login', shell: 'sudo' };
    return haltHints(this.#context.login, this.#context.user, halts[this.#out.stage] ?? 'script');
  }

  #swallowed(): DockerTlsError {
    const { login, options, user } = this.#context;
    return this.#error('E_SSH_NO_SHELL', `${user} logged in, but our script did not reach /bin/sh on ${options.host}`, {
      hints: haltHints(login, user, 'swallowed'),
      details: this.#words(),
    });
  }

  #tooMuch(which: 'noise' | 'output'): DockerTlsError {
    return which === 'output'
      ? this.#error('E_SSH_OUTPUT', `the phase ${this.#request.phase} printed more than 64 MB`)
      : noShell(this.#context.options.host, this.#context.user, 'prints without end and starts nothing', this.#words());
  }

  #noShell(end: ChannelEnd): DockerTlsError {
    const status = end.signal ?? (end.status === undefined ? 'no status' : `status ${end.status}`);
    return noShell(
      this.#context.options.host,
      this.#context.user,
      `ended with ${status} and ran nothing`,
      this.#words(),
    );
  }

  #sudoMissing(): DockerTlsError {
    return this.#error('E_SUDO_MISSING', `${this.#context.user} is not root and the host has no sudo`, {
      hints: [
        `log in as root: root@${this.#context.options.destination}`,
        `or, on the host as root: ${(installCommand(distributionOf(this.#out.noise()), ['sudo']) ?? ['install', 'sudo']).join(' ')}`,
      ],
    });
  }

  #sudoPasswordNeeded(): DockerTlsError {
    return this.#error('E_SUDO_PASSWORD', `sudo needs the password of ${this.#context.user}`, {
      hints: ['--ask-sudo-password', '--sudo-password-file FILE'],
      details: this.#words(),
    });
  }

  #sudoRefused(wrongPassword: boolean): DockerTlsError {
    const { user } = this.#context;
    return wrongPassword
      ? this.#error('E_SUDO_REFUSED', `sudo did not take the password of ${user}`, {
          hints: ['--ask-sudo-password'],
          details: this.#words(),
        })
      : this.#error('E_SUDO_REFUSED', `sudo does not let ${user} run /bin/sh as root`, {
          hints: [
            /must have a tty/i.test(this.#err.noise())
              ? `write \`Defaults:${user} !requiretty\` into sudoers: visudo -f /etc/sudoers.d/docker-tls (on the host, as root)`
              : `see what ${user} may do: sudo -l -U ${user} (on the host, as root)`,
          ],
          details: this.#words(),
        });
  }

  /** sudo ended and the bootstrap never ran. That it never came to asking under `-n` mostly means that it would ask. */
  #sudoFailed(): DockerTlsError {
    // Only these words tell a user that no password can help from one that has none given; they are read under LC_ALL=C.
    const hopeless = /must have a tty|not in the sudoers|not allowed to|may not run|no new privileges|setuid root/i;
    const wrong = this.#answered > 0 && !hopeless.test(this.#err.noise());
    if (this.#mode === 'never-ask' && !hopeless.test(this.#err.noise())) return this.#sudoPasswordNeeded();
    return this.#sudoRefused(wrong);
  }
}
