/** `import docker-machine`: hosts of docker-machine's store, added to our store only. */

import { join, resolve } from 'node:path';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { openStoredRun, type StoredOptions } from '../../../core/actions/run.ts';
import { firstCa } from '../../../core/domain/trust/changes.ts';
import { refreshCopies } from '../../../core/engine/installed-copies.ts';
import { openIssuer } from '../../../core/engine/issue.ts';
import { homeDirectory } from '../../../core/user.ts';
import { type DockerTlsError, usage } from '../../../errors/errors.ts';
import { dockerMachineNames } from '../adapters/docker-machine-store.ts';
import { takeOverChange } from '../domain/take-over.ts';
import { type Found, readDockerMachines } from './take-over.ts';

export type Imported = Found & { readonly copies: readonly DockerTlsError[] };

export type MachineOptions = StoredOptions & { readonly storagePath: string | undefined };

/**
 * Reads the named hosts, or all, and stores those that can be taken over; others are problems of the result. Fails with E_USAGE (exit 2).
 */
export async function importDockerMachines(
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
    for (const client of Object.values(change.clients))
      copies.push(...(await refreshCopies(client, state, runtime)).problems);
    return { ...taken, copies };
  });
}
