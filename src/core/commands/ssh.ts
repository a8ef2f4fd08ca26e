/** `ssh HOST`: a shell or a command on a host, with the stored login. */

import { defineCommand } from '../../cli/command.ts';
import { openShell } from '../actions/ssh.ts';

export const command = defineCommand({
  scope: ['host', 'store'],
  about:
    "Starts the system's ssh with the user, port, keys, configuration and jump hosts that the store has. The exit status is ssh's own.",
  examples: ['docker-tls ssh build-1', 'docker-tls ssh build-1 -- journalctl -u docker -n 50'],
  args: {
    host: { summary: "the host's name in the store", required: true, completes: 'host' },
    command: { summary: 'what to run there; default: a shell', many: true },
  },
  options: {},
  async run(context) {
    const { host, command: words } = context.args;
    const status = await openShell(context, host, words);
    return { exit: status, result: { host, status }, text: '' };
  },
});
