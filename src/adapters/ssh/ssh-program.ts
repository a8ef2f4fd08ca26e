/** Owns runs of the ssh program for an answer of a few lines. */

import { execFile } from 'node:child_process';
import type { SshOptions } from '../../runtime.ts';
import { interrupted } from './exec-errors.ts';

export type SshAnswer = { readonly status: number | 'missing'; readonly stdout: string; readonly stderr: string };

/**
 * Runs the ssh program. By node itself: every connection comes through here, and execa takes longer to load than the rest of a login.
 * Fails with E_INTERRUPTED: Ctrl-C goes to the terminal's whole foreground group, ssh included.
 */
export function runSsh(args: readonly string[], { host, signal }: SshOptions): Promise<SshAnswer> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: 'C' };
    const child = execFile('ssh', [...args], { env, maxBuffer: 1024 * 1024, signal }, (error, stdout, stderr) => {
      if (error?.name === 'AbortError' || error?.signal === 'SIGINT') return reject(interrupted(host, 'connecting'));
      const status = error === null ? 0 : error.code === 'ENOENT' ? 'missing' : Number(error.code ?? 255);
      resolve({ status: Number.isNaN(status) ? 255 : status, stdout, stderr });
    });
    child.stdin?.end();
  });
}
