/** The system's ssh on this terminal: input goes to the host, and its exit status comes back. */

import { spawn } from 'node:child_process';
import { DockerTlsError } from '../../../errors/errors.ts';
import { installHereHint } from '../../domain/dockerd/install-hints.ts';
import { type Login, sshArguments } from '../../domain/quote.ts';
import { osReleaseHere } from '../../user.ts';

/** Runs a command on the host, or a login shell without one. Resolves to ssh's exit status. Fails with E_PROGRAM_MISSING (exit 2). */
export async function openTerminal(login: Login, command: readonly string[]): Promise<number> {
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

function runInTerminal(login: Login, command: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    // ssh joins the words with blanks and the host's shell splits them: quoting is up to the user, as with ssh itself.
    const child = spawn('ssh', [...sshArguments(login), ...(command.length === 0 ? [] : ['--', ...command])], {
      stdio: 'inherit',
    });
    child.once('error', reject);
    child.once('close', (status, signal) => resolve(status ?? (signal === 'SIGINT' ? 130 : 255)));
  });
}
