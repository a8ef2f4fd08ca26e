/** Owns `import docker-machine`: hosts of docker-machine's store become hosts of ours; the apply that follows moves them. */

import { join, resolve } from 'node:path';
import { importDockerMachines } from '../../actions/import-docker-machine.ts';
import { openStoredRun } from '../../actions/run.ts';
import { dockerMachineNames } from '../../actions/take-over.ts';
import { shellQuote } from '../../domain/quote.ts';
import { usage } from '../../errors/errors.ts';
import { homeDirectory } from '../../user.ts';
import { defineCommand } from '../command.ts';
import { CA_OPTIONS } from '../host-options.ts';

export const command = defineCommand({
  name: 'import docker-machine',
  summary: "Take over hosts from docker-machine's store",
  about:
    "Reads hosts, SSH keys and credentials; changes no host and nothing of docker-machine's. The apply that follows lets hosts accept our CA beside docker-machine's, so clients of both are accepted.\n`rotate ca` later issues from ours, and drops the other.",
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
    const { args, options, global, runtime } = context;
    const directory = resolve(
      runtime.cwd,
      options.storagePath ?? runtime.env.MACHINE_STORAGE_PATH ?? join(homeDirectory(runtime.env), '.docker', 'machine'),
    );
    const there = await dockerMachineNames(directory);
    const unknown = args.names.filter((name) => !there.includes(name));
    if (unknown.length > 0)
      throw usage(`docker-machine has no ${unknown.join(', ')}; it has ${there.join(', ') || 'none'}`, [
        'docker-tls import docker-machine',
      ]);
    const names = args.names.length > 0 ? args.names : there;
    const { run, ca } = await openStoredRun(context, options);
    const taken = await importDockerMachines(directory, names, ca, run);
    const hosts = taken.hosts.map((host) => host.record.name);
    const clients = taken.clients.map((client) => client.name);
    const text =
      hosts.length === 0
        ? 'nothing was taken over'
        : [
            `${global.dryRun ? 'would take over' : 'taken over'}: ${hosts.join(', ')}`,
            "docker-machine's CA stays trusted until `rotate ca` drops it: with the next apply its client gets into every host of this store.",
            ...clients.map((name) => `It is the client ${name}; \`client revoke ${name}\` ends that.`),
          ].join('\n');
    const next =
      hosts.length === 0 ? [] : [`docker-tls apply ${hosts.map(shellQuote).join(' ')}`, 'docker-tls rotate ca'];
    const result = { hosts, cas: taken.oldCas.length, clients, dryRun: global.dryRun };
    const errors = [...taken.problems, ...taken.copies];
    // What was taken over is done, whatever became of the others: no status that says that nothing was touched.
    const partly = errors.length > 0 && hosts.length > 0 && !global.dryRun;
    return { exit: partly ? 4 : 0, result, text, next, errors };
  },
});
