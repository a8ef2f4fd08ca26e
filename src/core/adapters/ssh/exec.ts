/**
 * One run of a script over a channel, shared by all transports: the frame, sudo, limits, time-outs and abort. A transport supplies a
 * Channel per exec and throws errors at its own level.
 */

import { randomBytes } from 'node:crypto';
import { DockerTlsError } from '../../../errors/errors.ts';
import { Secret } from '../../domain/secret.ts';
import type { ScriptRequest, ScriptResult } from '../../runtime.ts';
import type { Channel, ChannelEnd, ExecContext, WaitingExec } from './channel.ts';
import { Deadline } from './deadline.ts';
import { scriptInterrupted } from './exec-errors.ts';
import { commandWords, FrameReader, type Mark, requestHead, type SudoMode } from './frame.ts';
import { RunFailures } from './run-failures.ts';

/** The bootstrap's status if its input ended before the script came (src/core/adapters/ssh/frame.ts). */
const NO_SCRIPT = 98;

/** Same as sudo's own passwd_tries (sudoers(5)). */
const SUDO_TRIES = 3;

/** Runs a script and returns its output. Errors: see HostSession. */
export async function runScript(context: ExecContext, request: ScriptRequest): Promise<ScriptResult> {
  const mode = modeOf(context, request.asRoot);
  if (mode !== 'never-ask') return new Run(context, request, mode).result();
  try {
    return await new Run(context, request, mode).result();
  } catch (error) {
    const retry = error instanceof DockerTlsError && error.code === 'E_SUDO_PASSWORD' && canAnswer(context);
    if (!retry) throw error;
    context.sudo.asks = undefined;
  }
  return new Run(context, request, 'may-ask').result();
}

/** `sudo -n` reads nothing from stdin, so script and data can follow at once. The user root nearly always has uid 0. */
function modeOf(context: ExecContext, asRoot: boolean): SudoMode {
  const { options, sudo, user } = context;
  if (!asRoot || options.rootless) return 'plain';
  const neverAsks = sudo.asks === false || !canAnswer(context) || (sudo.asks === undefined && user === 'root');
  return neverAsks ? 'never-ask' : 'may-ask';
}

function canAnswer({ options, sudo }: ExecContext): boolean {
  return sudo.password !== undefined || options.ask?.sudoPassword !== undefined;
}

/**
 * Starts the exec of the next run as root, up to the point where it waits for its script. This saves the run two round trips and the start
 * of its shells. Does nothing if sudo would ask. An exec that fails, or has ended by then, has no effect.
 */
export function prepareRun(context: ExecContext): void {
  const mode = modeOf(context, true);
  if (mode === 'may-ask' || context.waiting.exec !== undefined) return;
  const mark = drawMark();
  const exec: WaitingExec = { mark, mode, channel: context.open(commandWords(mark, mode, context.operator)) };
  const forget = (): void => {
    if (context.waiting.exec === exec) context.waiting.exec = undefined;
  };
  context.waiting.exec = exec;
  exec.channel.then(({ ended }) => ended.then(forget), forget);
}

/** Takes the waiting exec, if it was started in this mode. */
function takeWaiting({ waiting }: ExecContext, mode: SudoMode): WaitingExec | undefined {
  const { exec } = waiting;
  if (exec?.mode !== mode) return undefined;
  waiting.exec = undefined;
  return exec;
}

function drawMark(): Mark {
  return { first: randomBytes(8).toString('hex'), second: randomBytes(8).toString('hex') };
}

class Run {
  readonly #context: ExecContext;
  readonly #request: ScriptRequest;
  readonly #mode: SudoMode;
  readonly #waiting: WaitingExec | undefined;
  readonly #mark: Mark;
  readonly #out: FrameReader;
  readonly #err: FrameReader;
  readonly #failures: RunFailures;
  #channel: Channel | undefined;
  #sent = false;
  #answered = 0;
  /** The user typed the password for this run. */
  #typed = false;
  #clock: Deadline | undefined;
  #settled = false;
  #resolve: (result: ScriptResult) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(context: ExecContext, request: ScriptRequest, mode: SudoMode) {
    this.#context = context;
    this.#request = request;
    this.#mode = mode;
    this.#waiting = takeWaiting(context, mode);
    this.#mark = this.#waiting?.mark ?? drawMark();
    this.#out = new FrameReader(this.#mark, request.onLine);
    this.#err = new FrameReader(this.#mark);
    this.#failures = new RunFailures(context, request, this.#out, this.#err);
  }

  result(): Promise<ScriptResult> {
    return new Promise((resolve, reject) => {
      const { signal } = this.#request;
      const abort = (): void => this.#fail(scriptInterrupted(this.#context.options.host, this.#request.phase));
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
      this.#clock = new Deadline(this.#request.timeoutMs, () => this.#fail(this.#failures.timedOut()));
      this.#start().catch((error: unknown) => this.#fail(error));
    });
  }

  async #start(): Promise<void> {
    const head = requestHead(this.#mark, this.#request.script);
    const alone = (this.#request.input ?? []).length === 0;
    const open = () => this.#context.open(commandWords(this.#mark, this.#mode, this.#context.operator, alone));
    const channel = await (this.#waiting?.channel.catch(open) ?? open());
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
      // The password was right before, so it and the script can travel together.
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
    if (reader.overflow !== undefined) this.#fail(this.#failures.tooMuch(reader.overflow));
    else if (this.#out.stage === 'no-sudo') this.#fail(this.#failures.sudoMissing());
    else if (this.#out.stage === 'ended' && this.#err.stage === 'ended') this.#finish();
    else if (this.#out.stage === 'running') {
      if (this.#mode === 'may-ask' && !this.#sent) this.#context.sudo.asks = this.#answered > 0;
      if (!this.#sent) this.#send(requestHead(this.#mark, this.#request.script));
    } else if (this.#err.requested > this.#answered) this.#answer();
  }

  /**
   * sudo wants a password; a second prompt means that the previous one was wrong. A typed password may be retried as often as sudo itself
   * allows; a preset one is not retried.
   */
  #answer(): void {
    const again = this.#answered > 0;
    this.#answered = this.#err.requested;
    if (again) this.#context.sudo.password = undefined;
    if (again && (!this.#typed || this.#answered > SUDO_TRIES)) {
      this.#fail(this.#failures.sudoRefused(true));
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
    if (options.ask?.sudoPassword === undefined) throw this.#failures.sudoPasswordNeeded();
    this.#typed = true;
    return await options.ask.sudoPassword({ host: options.host, user, of: this.#err.whose, again });
  }

  #finish(): void {
    // A background process of the script may hold the channel open: the verified output is enough.
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
    else if (end.lost !== undefined) this.#fail(this.#failures.lost('the connection broke', end.lost));
    else if (this.#out.stage === 'running' && end.status === NO_SCRIPT) this.#fail(this.#failures.swallowed());
    else if (this.#out.stage === 'running') {
      this.#fail(
        this.#failures.lost(end.signal ? `its shell was killed by ${end.signal}` : 'its shell went away', undefined),
      );
    } else if (this.#out.stage === 'before') this.#fail(this.#failures.limited() ?? this.#failures.noShell(end));
    else if (this.#failures.limited() !== undefined) this.#fail(this.#failures.limited());
    else if (this.#mode === 'plain') this.#fail(this.#failures.lost('its shell went away', undefined));
    else this.#fail(this.#failures.sudoFailed(this.#mode, this.#answered));
  }

  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#reject(error);
    this.#channel?.kill();
  }
}
