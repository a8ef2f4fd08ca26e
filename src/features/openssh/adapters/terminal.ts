/** The system's ssh on this terminal: input goes to the host, and its exit status comes back. */

import { spawn } from 'node:child_process';
import { pinOf } from '../../../core/adapters/ssh/known-hosts.ts';
import { installHereHint } from '../../../core/domain/dockerd/install-hints.ts';
import { type Login, sshArguments } from '../../../core/domain/quote.ts';
import type { SshOptions } from '../../../core/runtime.ts';
import { osReleaseHere } from '../../../core/user.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { checkOpenSsh } from './openssh-errors.ts';

type PinnedLogin = Login & Pick<SshOptions, 'hostKey'>;

/**
 * Runs a command on the host, or a login shell without one. Resolves to ssh's exit status. Fails with E_PROGRAM_MISSING (exit 2), and with
 * E_SSH_OPENSSH_OLD for a recorded key.
 */
export async function openTerminal(login: PinnedLogin, command: readonly string[]): Promise<number> {
  const { destination, hostKey } = login;
  if (pinOf(hostKey) !== undefined) await checkOpenSsh({ host: destination, destination });
  try {
    return await runInTerminal(login, command);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new DockerTlsError('E_PROGRAM_MISSING', 'ssh is not installed on this computer', {
      hints: [installHereHint(osReleaseHere(), ['openssh-client'])],
      cause,
    });
  }
}

/** Options for ssh that accept the recorded key alone, whatever its files know. They do not apply to jump hosts. */
export function pinArguments(hostKey: string | undefined): string[] {
  const pin = pinOf(hostKey);
  if (pin === undefined || hostKey === undefined) return [];
  // ssh also asks before the handshake, for the key types to request first: a whole key answers that too.
  const printed =
    pin.base64 === undefined
      ? `'[ "$1" != ${pin.fingerprint} ] || echo "* $2 $3"' sh %f %t %K`
      : `'echo "* ${pin.type} ${pin.base64}"'`;
  const options = [
    `KnownHostsCommand=/bin/sh -c ${printed}`,
    ...['UserKnownHostsFile=/dev/null', 'GlobalKnownHostsFile=/dev/null', 'StrictHostKeyChecking=yes'],
    ...['NoHostAuthenticationForLocalhost=no', 'VerifyHostKeyDNS=no', 'UpdateHostKeys=no', 'ControlPath=none'],
  ];
  return options.flatMap((option) => ['-o', option]);
}

function runInTerminal(login: PinnedLogin, command: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    // ssh joins the words with blanks and the host's shell splits them: quoting is up to the user, as with ssh itself.
    const args = [...pinArguments(login.hostKey), ...sshArguments(login)];
    const child = spawn('ssh', [...args, ...(command.length === 0 ? [] : ['--', ...command])], { stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (status, signal) => resolve(status ?? (signal === 'SIGINT' ? 130 : 255)));
  });
}
