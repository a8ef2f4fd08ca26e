/** Owns `ssh HOST`: a shell or a command on a host, by the login that the store has. */

import { unknownName } from '../../actions/resolve-target.ts';
import { storeOf } from '../../actions/store.ts';
import { openTerminal } from '../../adapters/ssh/terminal.ts';
import type { ExitStatus } from '../../errors/catalogue.ts';
import { DockerTlsError, usage } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  name: 'ssh',
  withoutFleet: true,
  summary: 'Log in to a host by SSH, as docker-tls does',
  about:
    "Starts the system's ssh with the user, port, keys, configuration and jump hosts that the store has. The exit status is ssh's own.",
  examples: ['docker-tls ssh build-1', 'docker-tls ssh build-1 -- journalctl -u docker -n 50'],
  args: {
    host: { summary: "the host's name in the store", required: true, completes: 'host' },
    command: { summary: 'what to run there; default: a shell', many: true },
  },
  options: {},
  async run({ args, global, runtime }) {
    if (global.json)
      throw usage('--json: standard output belongs to what runs on the host', [`docker-tls ssh ${args.host}`]);
    const { hosts, clients } = await storeOf({ global, runtime }).read();
    const host = hosts.get(args.host);
    if (host === undefined) {
      const reached = [...clients.values()].some(({ record }) =>
        record.reaches?.some(({ name }) => name === args.host),
      );
      if (!reached) throw unknownName('host', 'E_HOST_UNKNOWN', args.host, [...hosts.keys()], 'docker-tls ssh');
      throw new DockerTlsError({
        code: 'E_HOST_UNKNOWN',
        where: args.host,
        message: 'this host came with an imported client: the store has no login for it',
        hints: [`docker-tls env ${args.host}`],
      });
    }
    const { destination, user, port, identities, configFile, jump } = host.record.ssh;
    if (destination === 'local') throw usage(`${args.host} is this machine`, ['sudo -i']);
    const requested = { user, port, identities, configFile, jump };
    const known = Object.fromEntries(Object.entries(requested).filter(([, value]) => value !== undefined));
    const status = await openTerminal({ destination, ...known }, args.command);
    // The status of what ran there, whatever it is.
    return { exit: status as ExitStatus, result: { host: args.host, status }, text: '' };
  },
});
