/** Owns `import docker-machine`: hosts of docker-machine's store become hosts of ours, in the store alone. */

import type { CaSpec } from '../domain/settings.ts';
import { firstCa } from '../domain/trust/changes.ts';
import { refreshCopies } from '../engine/installed-copies.ts';
import type { Run } from '../engine/intent.ts';
import { openIssuer } from '../engine/issue.ts';
import type { DockerTlsError } from '../errors/errors.ts';
import { readDockerMachines, type TakenOver, takeOverChange } from './take-over.ts';

export type Imported = TakenOver & { readonly copies: readonly DockerTlsError[] };

/** Reads the named hosts, and stores those that can be taken; hosts that cannot are problems of the result. */
export async function importDockerMachines(
  directory: string,
  names: readonly string[],
  ca: CaSpec,
  { store, runtime, passphrase, dryRun }: Run,
): Promise<Imported> {
  const now = runtime.now();
  const before = await store.read();
  const found = await readDockerMachines(directory, names, { state: before, now });
  if (dryRun || found.hosts.length === 0) return { ...found, copies: [] };
  await openIssuer(before, { passphrase, sign: runtime.sign, now }).unlock(firstCa(before.ca, ca));
  return store.withLock('docker-tls import docker-machine', async () => {
    const state = await store.read();
    const taken = await readDockerMachines(directory, names, { state, now });
    const issuer = openIssuer(state, { passphrase, sign: runtime.sign, now });
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
