/** Fleet files and inventories as the core's files with hosts: everything that the seam asks for. */

import { resolve } from 'node:path';
import { shownPath } from '../../../core/actions/input-output.ts';
import type { FleetFiles } from '../../../core/seams/fleet-files.ts';
import { homeDirectory } from '../../../core/user.ts';
import { printable, usage } from '../../../errors/errors.ts';
import { parseFleet } from '../domain/fleet.ts';
import { fileClients } from '../domain/fleet-clients.ts';
import { resolveHostPaths } from '../domain/fleet-paths.ts';
import { chosenSpecs, parseInventory } from '../domain/inventory.ts';
import { offerFleetFile, openFleetFile } from './fleet-file.ts';
import { hideSecrets, openFleet, readFleetText, readInput } from './read-fleet.ts';

export const fleetFiles: FleetFiles = {
  async hostsOf({ file, inventory, named }, choose, { runtime, progress }) {
    const { cwd, env } = runtime;
    if (file !== undefined && inventory !== undefined) {
      throw usage('hosts come from a fleet file or from an inventory, not from both at once', [
        'leave out -f or --inventory',
      ]);
    }
    if (inventory === undefined) return fleetHosts(file as string, choose, { cwd, env });
    const printed = await readInput(inventory, cwd);
    const found = parseInventory(printed, inventory === '-' ? 'stdin' : inventory);
    // Skips hosts of another kind, unless the user named hosts.
    const others = named ? [] : found.filter(({ connection }) => connection !== undefined);
    for (const { name, connection } of others) progress.note(`${printable(name)}: left out (${connection}, not ssh)`);
    const chosen = chosenSpecs(choose(found.filter((host) => !others.includes(host))));
    return { specs: resolveHostPaths(chosen, cwd, homeDirectory(env)), secrets: {} };
  },
  open: openFleetFile,
  offer: offerFleetFile,
  async secretsIn(file) {
    const text = await readFleetText(file);
    return text === undefined ? undefined : parseFleet(text, file).secrets;
  },
  hideSecrets,
};

async function fleetHosts(
  file: string,
  choose: Parameters<FleetFiles['hostsOf']>[1],
  { cwd, env }: Parameters<FleetFiles['open']>[1],
): ReturnType<FleetFiles['hostsOf']> {
  const path = resolve(cwd, file === '-' ? 'stdin' : file);
  const text = await readInput(file, cwd);
  const { fleet } = await openFleet(text, { path, shown: shownPath(path, cwd), env });
  const { ca, clients, secrets } = fleet;
  return { specs: choose(fleet.hosts), ca, clients: fileClients(clients), secrets };
}
