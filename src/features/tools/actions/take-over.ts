/**
 * Takeover of hosts from docker-machine's store: hosts, credentials, their CA (trusted in addition to ours until `rotate ca` drops it), and
 * its client, as a recorded client. Changes no host; the next apply finds valid credentials and adds our CA.
 */

import type { StoreState } from '../../../core/adapters/store/records.ts';
import { checkName } from '../../../core/domain/names.ts';
import { DockerTlsError, failureOf } from '../../../errors/errors.ts';
import { readDockerMachine, readMachineCredentials } from '../adapters/docker-machine-store.ts';
import { type FoundHost, foundHost, type TakenOver, takenOver } from '../domain/take-over.ts';

const TAKEN = 'there is a host of this name in the store already';
const STATUS = { hints: ['docker-tls status'] };

/** `problems`: hosts that could not be taken over, with reasons. */
export type Found = TakenOver & { readonly problems: readonly DockerTlsError[] };

/** Reads the named hosts without changes; each unreadable one is a separate problem. */
export async function readDockerMachines(
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
