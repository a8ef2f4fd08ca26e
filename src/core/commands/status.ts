/** `status`: every CA, host and client with its expiry, and differences between hosts and the store. */

import { defineCommand } from '../../cli/command.ts';
import { DUE_OPTIONS, FILE, SELECTION_OPTIONS, SSH_OPTIONS } from '../../cli/host-options.ts';
import { status } from '../actions/status.ts';
import { watchStatus } from '../actions/watch-status.ts';
import { renderStatus, showStatus } from '../render/status.ts';
import { streamStatus } from '../render/status-table.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'store'],
  about:
    'Asks hosts over TLS and SSH what they really serve, and the hosts of imported clients whether they accept them; --offline looks at the store alone. Something is due after two thirds of its lifetime, or, with --within, that long before its end.\nWith --check the exit status is 3 when something is due or differs.',
  examples: [
    'docker-tls status',
    'docker-tls status --offline --within 30d --check',
    'docker-tls status -f fleet.yaml --check',
    'docker-tls status --watch',
    'docker-tls status --prometheus /var/lib/node_exporter/docker-tls.prom',
  ],
  args: { hosts: { summary: 'hosts; default: all', many: true, completes: 'host' } },
  options: {
    ...SELECTION_OPTIONS,
    offline: { kind: 'flag', summary: 'ask no host' },
    noSsh: { kind: 'flag', summary: 'ask hosts over TLS only' },
    ...DUE_OPTIONS,
    check: { kind: 'flag', summary: 'exit with status 3 when something is due or differs' },
    watch: { kind: 'flag', summary: 'show it again at every change of the store, and each 30 s, until Ctrl-C' },
    prometheus: { ...FILE, summary: "write a text file for Prometheus' node exporter" },
    askSudoPassword: SSH_OPTIONS.askSudoPassword,
    sudoPasswordFile: SSH_OPTIONS.sudoPasswordFile,
  },
  run: async (context) => {
    const { args, options } = context;
    if (!options.watch) {
      const { json, quiet } = context.global;
      const stream = json || quiet || options.offline ? undefined : streamStatus(context);
      return renderStatus(await status(context, args.hosts, options, stream), context, stream);
    }
    await watchStatus(context, args.hosts, options, (now) => showStatus(now, context));
    return { exit: 130, result: {}, text: '' };
  },
});
