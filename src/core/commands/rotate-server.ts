/** `rotate server`: new keys and certificates for hosts, through the same transaction as setup. */

import { defineCommand } from '../../cli/command.ts';
import { DUE_OPTIONS, STORED_OPTIONS } from '../../cli/host-options.ts';
import { rotateServer } from '../actions/rotate-server.ts';
import { renderChange } from '../render/change.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about: 'Same names, new key, same transaction as setup: verified from here, rolled back automatically if that fails.',
  examples: ['docker-tls rotate server build-1', 'docker-tls rotate server --due --yes'],
  args: { hosts: { summary: 'hosts', many: true, completes: 'host' } },
  options: {
    ...STORED_OPTIONS,
    due: { kind: 'flag', summary: 'those whose renewal is due' },
    all: { kind: 'flag', summary: 'every host' },
    ...DUE_OPTIONS,
  },
  async run(context) {
    const changed = await rotateServer(context, context.args.hosts, context.options);
    return changed === undefined
      ? { exit: 0, result: { hosts: [] }, text: 'Nothing is due.', attention: '' }
      : renderChange(changed, context);
  },
});
