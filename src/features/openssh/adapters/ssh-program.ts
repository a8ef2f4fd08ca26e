/** Short runs of the ssh program, for an answer of a few lines. */

import { execFile } from 'node:child_process';
import { scriptInterrupted } from '../../../core/adapters/ssh/exec-errors.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { SshOptions } from '../../../core/runtime.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

/** Time limit for lookups and commands of the configuration (CanonicalizeHostname, Match exec). */
const ANSWER_MS = 20_000;

type SshAnswer = { readonly status: number | 'missing'; readonly stdout: string; readonly stderr: string };

/**
 * Runs the ssh program with node's own spawn: every connection uses this, and loading execa takes longer than the rest of a login. Fails
 * with E_INTERRUPTED (Ctrl-C goes to the terminal's whole foreground group, ssh included), and with E_SSH_CONFIG on a time-out.
 */
export function runSsh(args: readonly string[], { host, signal }: SshOptions): Promise<SshAnswer> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: 'C' };
    const limits = { maxBuffer: 1024 * 1024, timeout: ANSWER_MS, killSignal: 'SIGKILL' } as const;
    const child = execFile('ssh', [...args], { env, signal, ...limits }, (error, stdout, stderr) => {
      if (error?.name === 'AbortError' || error?.signal === 'SIGINT')
        return reject(scriptInterrupted(host, 'connecting'));
      if (error?.killed === true && error.signal === 'SIGKILL') return reject(unanswered(host, args));
      const status = error === null ? 0 : error.code === 'ENOENT' ? 'missing' : Number(error.code ?? 255);
      resolve({ status: Number.isNaN(status) ? 255 : status, stdout, stderr });
    });
    child.stdin?.end();
  });
}

function unanswered(host: string, args: readonly string[]): DockerTlsError {
  return new DockerTlsError(
    'E_SSH_CONFIG',
    `ssh did not read its configuration within ${ANSWER_MS / 1000} s: a file of it may be a pipe, or a command in it may hang`,
    { where: host, hints: [['ssh', '-v', ...args].map(shellQuote).join(' ')] },
  );
}
