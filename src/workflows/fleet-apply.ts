/** Owns plan and apply over hosts: the same for one host and for a fleet. Reads like a table of contents. */

import type { ClientSpec, HostSpec } from '../config/spec.ts';
import type { Progress } from '../runtime.ts';
import type { StoredClient } from '../store/records.ts';
import { type FleetOptions, type HostResult, overHosts } from './fleet-run.ts';
import {
  applyHost,
  type HostOutcome,
  type PreparedHost,
  prepareHost,
  type RunContext,
  refuseProblems,
} from './host-run.ts';

/** Makes the clients that the fleet names and that are not there yet. */
export async function ensureClients(
  clients: readonly ClientSpec[],
  keyring: RunContext['keyring'],
): Promise<StoredClient[]> {
  const made: StoredClient[] = [];
  for (const client of clients) made.push(await keyring.client(client));
  return made;
}

/** The plan of every host; sessions are closed, nothing is changed. A host with problems fails with them. */
export function planHosts(
  specs: readonly HostSpec[],
  context: RunContext,
  options: FleetOptions,
  progress: Progress,
): Promise<HostResult<PreparedHost>[]> {
  return overHosts(specs, options, progress, context.runtime.now, async (spec, line) => {
    const prepared = await prepareHost(spec, context, line);
    await prepared.session.close();
    refuseProblems(prepared);
    line.done('planned');
    return prepared;
  });
}

/** Connects, plans, changes and proves every host, each on its own way. */
export function applyHosts(
  specs: readonly HostSpec[],
  context: RunContext,
  options: FleetOptions,
  progress: Progress,
): Promise<HostResult<HostOutcome>[]> {
  return overHosts(specs, options, progress, context.runtime.now, async (spec, line) => {
    const prepared = await prepareHost(spec, context, line);
    const outcome = await applyHost(prepared, context, line);
    line.done(outcome.changed ? 'done' : 'nothing to do');
    return outcome;
  });
}
