/** `tunnel HOST`: docker on a host reachable only over SSH, until this command ends. */

import { defineCommand } from '../../cli/command.ts';
import { CLIENT_OPTION, FILE } from '../../cli/host-options.ts';
import { runTunnel } from '../actions/tunnel.ts';

export const command = defineCommand({
  scope: ['host', 'store'],
  about:
    'For hosts whose TLS port cannot be dialled from here: connections go through the jump host, or through the host itself where there is none.\nThe local socket (mode 0600) needs no TLS: inside the tunnel docker-tls connects as the client, so the host accepts and rejects it as anywhere else. With --port, programs do TLS themselves; the certificate has to name 127.0.0.1 (setup --san 127.0.0.1).\nWith a COMMAND it runs that with DOCKER_HOST set, and ends with it.',
  examples: [
    'docker-tls tunnel build-1 -- docker ps',
    'docker-tls tunnel build-1 --socket ~/build-1.sock   # in another shell: docker -H unix://$HOME/build-1.sock ps',
  ],
  args: {
    host: { summary: "the host's name in the store", required: true, completes: 'host' },
    command: { summary: 'run this with DOCKER_HOST set', many: true },
  },
  options: {
    client: CLIENT_OPTION,
    socket: { ...FILE, value: 'PATH', summary: 'the local socket (default: in a directory of its own)' },
    port: {
      kind: 'number',
      value: 'N',
      min: 1,
      max: 65_535,
      summary: 'a port of 127.0.0.1 instead, without TLS of ours',
    },
  },
  async run(context) {
    const { args, options } = context;
    const { status, ...result } = await runTunnel(context, args.host, args.command, options);
    return { exit: status, result, text: '' };
  },
});
