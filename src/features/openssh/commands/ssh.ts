/** `ssh HOST`: a shell or a command on a host, with the stored login. */

import { defineCommand } from '../../../cli/command.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import { consentTo } from '../../../core/actions/store-consent.ts';
import { given } from '../../../core/domain/given.ts';
import { storedHost } from '../../../core/domain/trust/resolve.ts';
import type { ExitStatus } from '../../../errors/catalogue.ts';
import { usage } from '../../../errors/errors.ts';
import { openTerminal } from '../adapters/terminal.ts';

export const command = defineCommand({
  scope: ['host', 'store'],
  about:
    "Starts the system's ssh with the user, port, keys, configuration and jump hosts that the store has, and accepts only the host key that it has recorded. The exit status is ssh's own.",
  examples: ['docker-tls ssh build-1', 'docker-tls ssh build-1 -- journalctl -u docker -n 50'],
  args: {
    host: { summary: "the host's name in the store", required: true, completes: 'host' },
    command: { summary: 'what to run there (default: a shell)', many: true },
  },
  options: {},
  /** The exit status is that of the remote command, whatever it is. */
  async run(context) {
    const { host, command: words } = context.args;
    if (context.global.json)
      throw usage('--json: standard output belongs to what runs on the host', [`docker-tls ssh ${host}`]);
    const state = await storeOf(context).read();
    const { ssh } = storedHost(state, host, context.again).record;
    const { destination, user, port, identities, configFile, jump, hostKey } = ssh;
    if (destination === 'local') throw usage(`${host} is this machine`, ['sudo -i']);
    await (await consentTo(context))?.way({ ...ssh, host });
    const login = { destination, ...given({ user, port, identities, configFile, jump, hostKey }) };
    const status = (await openTerminal(login, words)) as ExitStatus;
    return { exit: status, result: undefined, text: '' };
  },
});
