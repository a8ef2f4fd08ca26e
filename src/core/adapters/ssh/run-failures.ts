/** Failures of a script's run, derived from its progress and the host's output. */

import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError, type Hint, printable, printableLines } from '../../../errors/errors.ts';
import { distributionOf, installCommand } from '../../domain/dockerd/install-hints.ts';
import { isLimited, limitHint } from '../../domain/login-limits.ts';
import { sshCommand } from '../../domain/quote.ts';
import type { ScriptRequest } from '../../runtime.ts';
import type { ChannelEnd, ExecContext } from './channel.ts';
import { type Halt, haltHints, noShell } from './exec-errors.ts';
import type { FrameReader, FrameStage, SudoMode } from './frame.ts';

/** Only these messages, under LC_ALL=C, tell a user whom no password can help from one who gave none. */
const HOPELESS =
  /must have a tty|not in the sudoers|not allowed to|may not run|no new privileges|setuid root|setuid bit|uid is not 0|exec: .*Permission denied/i;

/** The fix for a refusal of sudo, by its message. */
function refusalHint(words: string, user: string): string {
  if (/must have a tty/i.test(words))
    return `write \`Defaults:${user} !requiretty\` into sudoers: visudo -f /etc/sudoers.d/docker-tls (on the host, as root)`;
  if (/setuid root|setuid bit/i.test(words))
    return 'give sudo its owner and mode again (on the host, as root): chown root:root /usr/bin/sudo && chmod 4755 /usr/bin/sudo';
  if (/uid is not 0/i.test(words)) return 'see where sudo is mounted (on the host): findmnt -T /usr/bin/sudo';
  if (/exec: .*Permission denied/i.test(words))
    return `what sudo starts may start nothing (noexec); write \`Defaults:${user} !noexec\` into sudoers: visudo -f /etc/sudoers.d/docker-tls (on the host, as root)`;
  return `see what ${user} may do: sudo -l -U ${user} (on the host, as root)`;
}

export class RunFailures {
  readonly #context: Pick<ExecContext, 'options' | 'login' | 'user'>;
  readonly #request: ScriptRequest;
  readonly #out: FrameReader;
  readonly #err: FrameReader;

  constructor(context: ExecContext, request: ScriptRequest, out: FrameReader, err: FrameReader) {
    this.#context = context;
    this.#request = request;
    this.#out = out;
    this.#err = err;
  }

  #error(
    code: ErrorCode,
    message: string,
    rest: { hints?: Hint[]; details?: string[]; cause?: unknown } = {},
  ): DockerTlsError {
    return new DockerTlsError(code, message, { where: this.#context.options.host, ...rest });
  }

  #words(): string[] {
    // sudo repeats the whole command that it refuses.
    return printableLines(`${this.#err.noise()}\n${this.#out.noise()}`, 6).map((line) => printable(line, 200));
  }

  lost(how: string, cause: unknown): DockerTlsError {
    // A connection that ends before our command printed anything is not a slow login.
    const early = cause instanceof DockerTlsError && this.#out.stage === 'before';
    return this.#error('E_SSH_LOST', `lost while the phase ${this.#request.phase} ran: ${how}`, {
      hints: early ? [...cause.hints] : this.#halted(),
      cause,
    });
  }

  timedOut(): DockerTlsError {
    const { phase, timeoutMs } = this.#request;
    const how = this.#out.stage === 'running' ? 'is not done' : 'did not begin';
    return this.#error('E_SSH_TIMEOUT', `the phase ${phase} ${how} after ${timeoutMs} ms`, {
      hints: this.#halted(),
      details: this.#words(),
    });
  }

  #halted(): string[] {
    const { login, user } = this.#context;
    const halts: Partial<Record<FrameStage, Halt>> = { before: 'login', shell: 'sudo' };
    const halt = halts[this.#out.stage] ?? 'script';
    return haltHints(login, user, halt === 'script' && this.#request.asRoot && user !== 'root' ? 'root script' : halt);
  }

  /** The error for a login that ended before our script began, if its limits are the cause. */
  limited(): DockerTlsError | undefined {
    if (!isLimited(this.#err.noise())) return undefined;
    const { login, user } = this.#context;
    return this.#error(
      'E_SSH_NO_SHELL',
      `${user} logged in, but the limits of that login keep programs from starting`,
      {
        hints: [limitHint(login)],
        details: this.#words(),
      },
    );
  }

  swallowed(): DockerTlsError {
    const { login, user } = this.#context;
    return this.#error('E_SSH_NO_SHELL', '/bin/sh was started on the host, but its input ended before our script', {
      hints: haltHints(login, user, 'swallowed'),
      details: this.#words(),
    });
  }

  tooMuch(which: 'noise' | 'output'): DockerTlsError {
    if (which === 'output')
      return this.#error('E_SSH_OUTPUT', `the phase ${this.#request.phase} printed more than 64 MB`);
    const { login, user } = this.#context;
    const what = 'the start-up files of its shell, or a forced command, printed more than 1 MB before our script began';
    return this.#error('E_SSH_NO_SHELL', `${user} logged in, but ${what}`, {
      hints: [`see how much it is: ${sshCommand(login, 'true')} 2>&1 | wc -c`, ...haltHints(login, user, 'prints')],
      details: this.#words(),
    });
  }

  noShell(end: ChannelEnd): DockerTlsError {
    // Our command always starts with these two.
    if (end.status === 127 && /\benv: .*(?:No such file|not found)/i.test(this.#err.noise()))
      return this.#error('E_HOST_PROGRAM', 'this host has no /usr/bin/env, or no /bin/sh', {
        hints: ['check both: ls -l /usr/bin/env /bin/sh (on the host); env is part of coreutils'],
        details: this.#words(),
      });
    // Both streams carry our marks.
    if (this.#err.stage !== 'before') return this.#noShell('the standard output of our script did not arrive');
    const status = end.signal ?? (end.status === undefined ? 'no status' : `status ${end.status}`);
    return this.#noShell(`the command that starts our script ended with ${status} and printed nothing of it`);
  }

  #noShell(what: string): DockerTlsError {
    const { login, options, user } = this.#context;
    return noShell(options.host, { ...login, user }, what, this.#words());
  }

  sudoMissing(): DockerTlsError {
    return this.#error('E_SUDO_MISSING', `${this.#context.user} is not root and the host has no sudo`, {
      hints: [
        `log in as root: root@${this.#context.options.destination}`,
        `or, on the host as root: ${(installCommand(distributionOf(this.#out.noise()), ['sudo']) ?? ['install', 'sudo']).join(' ')}`,
      ],
    });
  }

  sudoPasswordNeeded(): DockerTlsError {
    // Under `-n`, sudo does not name the account.
    const { user } = this.#context;
    const whose = this.#err.whose === undefined ? '' : `: that of ${this.#err.whose}`;
    return this.#error('E_SUDO_PASSWORD', `sudo asks ${user} for a password${whose}`, {
      hints: ['--ask-sudo-password', '--sudo-password-file FILE'],
      details: this.#words(),
    });
  }

  sudoRefused(wrongPassword: boolean): DockerTlsError {
    const { user } = this.#context;
    const of = this.#err.whose ?? user;
    return wrongPassword
      ? this.#error('E_SUDO_REFUSED', `sudo did not take that password: it asks for the one of ${of}`, {
          hints: [
            '--ask-sudo-password',
            ...(of === user
              ? []
              : [
                  `sudoers sets rootpw, targetpw or runaspw for ${user}, so it takes no other; to change that: visudo (on the host, as root)`,
                ]),
          ],
          details: this.#words(),
        })
      : this.#error('E_SUDO_REFUSED', `sudo does not let ${user} run /bin/sh as root`, {
          hints: [refusalHint(this.#err.noise(), user)],
          details: this.#words(),
        });
  }

  /** sudo ended and the bootstrap never ran. In `-n` mode, no prompt mostly means that sudo would ask. */
  sudoFailed(mode: SudoMode, answered: number): DockerTlsError {
    const wrong = answered > 0 && !HOPELESS.test(this.#err.noise());
    if (mode === 'never-ask' && !HOPELESS.test(this.#err.noise())) return this.sudoPasswordNeeded();
    return this.sudoRefused(wrong);
  }
}
