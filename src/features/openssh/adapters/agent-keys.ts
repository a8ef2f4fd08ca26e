/** Keys of an agent that only the system's ssh can use. */

import { execFile } from 'node:child_process';
import { LISTS_MS, OPENSSH_ALONE } from '../../../core/adapters/ssh/login-keys.ts';
import { printable } from '../../../errors/errors.ts';

/** By the agent's socket: one process, however many hosts. */
const types = new Map<string, Promise<string | undefined>>();

/** The type of an agent key that ssh2 silently ignores. Never rejects: an agent that does not answer is skipped. */
export function agentKey(socket: string): Promise<string | undefined> {
  const found = types.get(socket) ?? listAgent(socket);
  types.set(socket, found);
  return found;
}

function listAgent(socket: string): Promise<string | undefined> {
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  return new Promise((resolve) => {
    execFile('ssh-add', ['-L'], { env, timeout: LISTS_MS }, (_error, stdout) =>
      resolve(
        stdout
          .split('\n')
          .map((line) => printable(line.split(' ')[0] ?? '', 60))
          .find((type) => OPENSSH_ALONE.test(type)),
      ),
    );
  });
}
