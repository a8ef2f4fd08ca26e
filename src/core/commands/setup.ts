/** `setup`: the wizard, or the same from flags. */

import { defineCommand } from '../../cli/command.ts';
import { CA_OPTIONS, HOST_OPTIONS, REJECT_OPTION, SSH_OPTIONS, TAKE_OVER_OPTION } from '../../cli/host-options.ts';
import { setUpHost } from '../actions/setup.ts';
import { renderSetup } from '../render/setup.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    'Asks what it cannot find out, shows what it would change, and asks once before it changes the host.\nEvery question has a flag, so with --yes it asks nothing. A second run changes nothing.',
  examples: [
    'docker-tls setup',
    'docker-tls setup root@build-1 -i ~/.ssh/id_ed25519 --host-key accept-new --no-ca-passphrase --client laptop --yes',
  ],
  args: { host: { summary: '[user@]name[:port], ssh://…, or local' } },
  options: {
    ...SSH_OPTIONS,
    ...HOST_OPTIONS,
    ...TAKE_OVER_OPTION,
    ...REJECT_OPTION,
    ...CA_OPTIONS,
    noContext: { kind: 'flag', group: 'Output', summary: 'make no docker context' },
    client: {
      kind: 'text',
      value: 'NAME',
      summary: "name of this computer's client; default: your user name",
      completes: 'client',
    },
  },
  run: async (context) => {
    const done = await setUpHost(context, context.args.host, context.options);
    return renderSetup(done, context);
  },
});
