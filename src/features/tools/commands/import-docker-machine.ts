/** `import docker-machine`: hosts of docker-machine's store, added to our store; the next apply moves them. */

import { defineCommand } from '../../../cli/command.ts';
import { CA_OPTIONS } from '../../../cli/host-options.ts';
import { importDockerMachines } from '../actions/import-docker-machine.ts';
import { renderTakenOver } from '../render/docker-machine.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    "Reads hosts, SSH keys and credentials; changes no host and nothing of docker-machine's. The apply that follows lets hosts accept our CA in addition to docker-machine's, so clients of both are accepted.\n`rotate ca` later issues from ours, and drops the other.",
  examples: [
    'docker-tls import docker-machine',
    'docker-tls import docker-machine build-1 --storage-path /mnt/old/machine',
  ],
  args: { names: { summary: 'hosts; default: all', many: true } },
  options: {
    ...CA_OPTIONS,
    storagePath: {
      kind: 'text',
      value: 'DIRECTORY',
      summary: "docker-machine's store (MACHINE_STORAGE_PATH; default ~/.docker/machine)",
      completes: 'directory',
    },
  },
  async run(context) {
    return renderTakenOver(await importDockerMachines(context, context.args.names, context.options), context);
  },
});
