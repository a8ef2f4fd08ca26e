/** Owns `import docker-machine`: hosts of docker-machine's store become hosts of ours; the apply that follows moves them. */

import { join, resolve } from 'node:path';
import { dockerMachineNames, readDockerMachines, takeOverChange } from '../../actions/take-over.ts';
import { shellQuote } from '../../domain/quote.ts';
import { refreshCopies } from '../../engine/installed-copies.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { homeDirectory } from '../../user.ts';
import { defineCommand } from '../command.ts';
import { startStored } from '../fleet-session.ts';
import { CA_OPTIONS } from '../host-options.ts';
import { usage } from '../options.ts';

export const command = defineCommand({
  name: 'import docker-machine',
  summary: "Take over hosts from docker-machine's store",
  about:
    "Reads hosts, SSH keys and credentials; changes no host and nothing of docker-machine's. The apply that follows lets hosts accept our CA beside docker-machine's, so clients of both get in.\n`rotate ca` later issues from ours, and drops the other.",
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
    const { session } = await startStored(context, options, 'import docker-machine');
    return session.store.withLock('docker-tls import docker-machine', async () => {
      const taken = await readDockerMachines(directory, names, { state: session.state, now: runtime.now() });
      const hosts = taken.hosts.map((host) => host.record.name);
      const clients = taken.clients.map((client) => client.name);
      const result = { hosts, cas: taken.oldCas.length, clients, dryRun: global.dryRun };
      const problems = [...taken.problems];
      if (hosts.length > 0 && !global.dryRun) {
        const { keyring, state, store } = session;
        const trusted = [await keyring.caCert(), ...state.oldCas.map((old) => old.cert)].join('');
        const oldCas = await Promise.all(
          taken.oldCas.map(async (old) =>
            old.keyPem === undefined ? old : { ...old, keyPem: await keyring.protect(old.keyPem) },
          ),
        );
        const change = takeOverChange({ ...taken, oldCas }, { state, trusted, now: runtime.now() });
        await store.write({ ...keyring.change(), ...change });
        for (const client of Object.values(change.clients))
          problems.push(...(await refreshCopies({ state, client })).problems);
      }
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
      // What was taken over is done, whatever became of the others: no status that says that nothing was touched.
      const errors = hosts.length === 0 || global.dryRun ? problems : problems.map(partly);
      return { exit: 0, result, text, next, errors };
    });
  },
});

function partly({ code, message, where, hints, details, cause }: DockerTlsError): DockerTlsError {
  return new DockerTlsError({ code, exit: 4, message, ...(where && { where }), hints, details, cause });
}
