/** `import docker-machine`: hosts of docker-machine's store, added to our store; the next apply moves them. */

import { join, resolve } from 'node:path';
import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { CA_OPTIONS } from '../../../cli/host-options.ts';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { openStoredRun, type StoredOptions } from '../../../core/actions/run.ts';
import type { StoreState } from '../../../core/adapters/store/records.ts';
import { checkName } from '../../../core/domain/names.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { firstCa } from '../../../core/domain/trust/changes.ts';
import { openIssuer } from '../../../core/engine/issue.ts';
import type { RenderContext } from '../../../core/render/change-result.ts';
import { refreshCopies } from '../../../core/seams/copies.ts';
import { offeredCommands } from '../../../core/seams/offered-commands.ts';
import { homeDirectory } from '../../../core/user.ts';
import { DockerTlsError, failureOf, usage } from '../../../errors/errors.ts';
import { dockerMachineNames, readDockerMachine, readMachineCredentials } from '../adapters/docker-machine-store.ts';
import { type FoundHost, foundHost, type TakenOver, takenOver, takeOverChange } from '../domain/take-over.ts';

export type ImportDockerMachineDocument = {
  readonly hosts: readonly string[];
  /** How many CAs of docker-machine stay trusted. */
  readonly cas: number;
  readonly clients: readonly string[];
  readonly dryRun?: true;
};

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about: `Reads hosts, SSH keys and credentials; changes no host and nothing of docker-machine's. The apply that follows lets hosts accept our CA in addition to docker-machine's, so clients of both are accepted.${offeredCommands(
    'new CA',
  )
    .map((one) => `\nLater ${one} issues from ours, and drops the other.`)
    .join('')}`,
  examples: [
    'docker-tls import docker-machine',
    'docker-tls import docker-machine build-1 --storage-path /mnt/old/machine',
  ],
  args: { names: { summary: 'hosts (default: all)', many: true } },
  options: {
    ...CA_OPTIONS,
    storagePath: {
      kind: 'text',
      value: 'DIRECTORY',
      summary: "docker-machine's store (default: MACHINE_STORAGE_PATH, ~/.docker/machine)",
      completes: 'directory',
    },
  },
  async run(context) {
    return renderTakenOver(await importDockerMachines(context, context.args.names, context.options), context);
  },
});

type Imported = Found & { readonly copies: readonly DockerTlsError[] };

type MachineOptions = StoredOptions & { readonly storagePath: string | undefined };

/**
 * Reads the named hosts, or all, and stores those that can be taken over; others are problems of the result. Fails with E_USAGE (exit 2).
 */
async function importDockerMachines(
  context: ActionContext,
  named: readonly string[],
  options: MachineOptions,
): Promise<Imported> {
  const { cwd, env } = context.runtime;
  const usual = () => join(homeDirectory(env), '.docker', 'machine');
  const directory = resolve(cwd, options.storagePath ?? env.MACHINE_STORAGE_PATH ?? usual());
  const there = await dockerMachineNames(directory);
  const unknown = named.filter((name) => !there.includes(name));
  if (unknown.length > 0)
    throw usage(`docker-machine has no ${unknown.join(', ')}; it has ${there.join(', ') || 'none'}`, [
      'docker-tls import docker-machine',
    ]);
  const names = named.length > 0 ? named : there;
  const { run, ca } = await openStoredRun(context, options);
  const { store, runtime, passphrase, approve, dryRun } = run;
  const now = runtime.now();
  const before = await store.read();
  const found = await readDockerMachines(directory, names, { state: before, now });
  if (dryRun || found.hosts.length === 0) return { ...found, copies: [] };
  await openIssuer(before, { passphrase, runtime, approve, now }).unlock(firstCa(before.ca, ca));
  return store.withLock('docker-tls import docker-machine', async () => {
    const state = await store.read();
    const taken = await readDockerMachines(directory, names, { state, now });
    const issuer = openIssuer(state, { passphrase, runtime, approve, now });
    const made = await issuer.carryOut(firstCa(state.ca, ca));
    const trusted = [made.ca ?? state.ca, ...state.oldCas].map((one) => one?.cert ?? '').join('');
    const oldCas = await Promise.all(
      taken.oldCas.map(async (old) =>
        old.keyPem === undefined ? old : { ...old, keyPem: await issuer.protect(old.keyPem) },
      ),
    );
    const change = takeOverChange({ ...taken, oldCas }, { state, trusted, now });
    await store.write({ ...made, ...change });
    const copies: DockerTlsError[] = [];
    for (const client of Object.values(change.clients)) copies.push(...(await refreshCopies(client, state)).problems);
    return { ...taken, copies };
  });
}

const TAKEN = 'there is a host of this name in the store already';
const STATUS = { hints: ['docker-tls status'] };

/** `problems`: hosts that could not be taken over, with reasons. */
type Found = TakenOver & { readonly problems: readonly DockerTlsError[] };

/** Reads the named hosts without changes; each unreadable one is a separate problem. */
async function readDockerMachines(
  storeDirectory: string,
  names: readonly string[],
  { state, now }: { readonly state: StoreState; readonly now: Date },
): Promise<Found> {
  const found: FoundHost[] = [];
  const problems: DockerTlsError[] = [];
  for (const name of names) {
    try {
      const machine = await readDockerMachine(storeDirectory, name);
      if (state.hosts.has(checkName('host', name))) throw new DockerTlsError('E_HOST_TAKEN', TAKEN, STATUS);
      found.push(foundHost(machine, await readMachineCredentials(machine), now));
    } catch (error) {
      problems.push(failureOf(error).orAt(name));
    }
  }
  return { ...takenOver(found, state, now), problems };
}

function renderTakenOver(taken: Imported, { global }: RenderContext): CommandResult<ImportDockerMachineDocument> {
  const hosts = taken.hosts.map((host) => host.record.name);
  const clients = taken.clients.map((client) => client.name);
  const text =
    hosts.length === 0
      ? 'nothing was taken over'
      : [
          `${global.dryRun ? 'would take over' : 'taken over'}: ${hosts.join(', ')}`,
          "docker-machine's CA stays trusted until it is dropped: with the next apply its client gets into every host of this store.",
          ...clients.map((name) => `It is the client ${name}; \`client revoke ${name}\` ends that.`),
        ].join('\n');
  const next =
    hosts.length === 0 ? [] : [`docker-tls apply ${hosts.map(shellQuote).join(' ')}`, ...offeredCommands('new CA')];
  const result = { hosts, cas: taken.oldCas.length, clients, dryRun: global.dryRun || undefined } as const;
  const errors = [...taken.problems, ...taken.copies];
  // Imported hosts are done whatever happened to the others, so the status must not say that nothing changed.
  const partly = errors.length > 0 && hosts.length > 0 && !global.dryRun;
  return { exit: partly ? 4 : 0, result, text, next, errors };
}
