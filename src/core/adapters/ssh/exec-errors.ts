/** Errors of running commands that several files report. */

import { DockerTlsError, interrupted as interruption } from '../../../errors/errors.ts';
import { type Login, sshCommand } from '../../domain/quote.ts';

/** The host cannot run commands; `what` says how much was seen. */
export function noShell(host: string, login: Login, what: string, details: string[] = []): DockerTlsError {
  const local = login.destination === 'local';
  return new DockerTlsError('E_SSH_NO_SHELL', local ? what : `${login.user} logged in, but ${what}`, {
    where: host,
    hints: [
      `see what a command prints: ${sshCommand(login, 'echo', 'ok')}`,
      ...(local
        ? []
        : [
            `if it prints anything but ok, see the login shell, its start-up files and forced commands; on the host, as root: getent passwd ${login.user}`,
          ]),
    ],
    details,
  });
}

/** The stage of a command that hung or was lost; the bootstrap's own status 98 means that its input had no script. */
export type Halt = 'login' | 'sudo' | 'script' | 'root script' | 'swallowed' | 'prints';

function forPeople(user: string): string {
  return `put this line at the top of ${user}'s ~/.bashrc: case $- in *i*) ;; *) return ;; esac`;
}

/** The most likely obstacles on the host, and the commands that show them. */
export function haltHints(login: Login, user: string, halt: Halt): string[] {
  switch (halt) {
    case 'login':
      return [
        `see how long a login takes: ${sshCommand(login, 'true')}`,
        `something runs or waits before our command: on the host, see the start-up files of ${user}'s shell (~/.bashrc, /etc/profile.d, /etc/ssh/sshrc) and forced commands (command= in authorized_keys, ForceCommand in sshd_config)`,
      ];
    case 'sudo':
      return [`see what sudo waits for: ${sshCommand({ ...login, terminal: true }, 'sudo', 'true')}`];
    case 'swallowed':
      return [`a start-up file of ${user}'s shell reads standard input, by which our script comes; ${forPeople(user)}`];
    case 'prints':
      return [`if it is a start-up file, ${forPeople(user)}`];
    case 'root script':
      return [
        ...haltHints(login, user, 'script'),
        `see whether sudo ends commands after a time (command_timeout): ${sshCommand(login, 'sudo', '-l')}`,
      ];
    case 'script':
      return [`see whether the host is still there, and how busy: ${sshCommand(login, 'uptime')}`];
  }
}

/** For a connection that ends right after its login. */
export const HANGS_UP =
  'if that happens each time, the log of sshd says why: journalctl -u ssh -u sshd -n 20 (on the host, as root); PermitRootLogin forced-commands-only in sshd_config is one cause';

/** The host hung up after it had accepted the login. */
export function hungUp(host: string, login: Login, cause?: unknown): DockerTlsError {
  return new DockerTlsError('E_SSH_LOST', 'the connection broke', {
    where: host,
    hints: [HANGS_UP, `to see it: ${sshCommand(login, 'true')}`],
    cause,
  });
}

/** Ctrl-C or another abort, during this phase. */
export function scriptInterrupted(host: string, phase: string): DockerTlsError {
  return interruption(`interrupted during ${phase}`, { where: host });
}
