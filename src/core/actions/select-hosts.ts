/** The hosts of a command: from the fleet file, an inventory, the store, or the command line. */

import { resolve } from 'node:path';
import { printable, usage } from '../../errors/errors.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { resolveHostPaths } from '../domain/fleet/fleet-paths.ts';
import { withRecordedKey } from '../domain/fleet/recorded-key.ts';
import { meantHosts, type Named, parseShard, selectHosts } from '../domain/fleet/selection.ts';
import { type HostFlags, specsFor, storedSpecs, withFlags } from '../domain/fleet/specs.ts';
import type { CaSpec, ClientSpec, HostSpec } from '../domain/settings.ts';
import { INVENTORIES } from '../seams/inventories.ts';
import { homeDirectory } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { openFleet, readInput, shownPath } from './read-fleet.ts';

export type SelectionOptions = {
  readonly inventory?: string | undefined;
  readonly limit: readonly string[];
  readonly shard?: string | undefined;
};

export type HostSelection = {
  readonly specs: readonly HostSpec[];
  /** From a fleet file; undefined if only the store is used. */
  readonly ca?: CaSpec;
  readonly clients: readonly ClientSpec[];
  /** References to secrets in the fleet file. */
  readonly secrets: { readonly caPassphrase?: string; readonly sudoPassword?: Readonly<Record<string, string>> };
};

/**
 * Reads and selects; `reached`: also hosts known only through an imported client. Fails with E_FLEET, E_LIMIT, E_HOST_UNKNOWN, E_NO_HOSTS
 * (exit 2).
 */
export async function selectSpecs(
  { global, runtime, progress, again }: Pick<ActionContext, 'global' | 'runtime' | 'progress' | 'again'>,
  hosts: readonly string[],
  options: SelectionOptions,
  state: StoreState,
  flags: HostFlags | undefined,
  more: { readonly reached?: boolean } = {},
): Promise<HostSelection> {
  const shard = options.shard === undefined ? undefined : parseShard(options.shard, runtime.env);
  if (global.file !== undefined && options.inventory !== undefined) {
    throw usage('hosts come from a fleet file or from an inventory, not from both at once', [
      'leave out -f or --inventory',
    ]);
  }
  const inFile = (spec: HostSpec) => withRecordedKey(withFlags(spec, flags), state);
  const choose = <Host extends Named>(all: readonly Host[]) =>
    selectHosts(all, { limit: meantHosts(hosts, options.limit, all), shard });
  if (global.file !== undefined) {
    const path = resolve(runtime.cwd, global.file === '-' ? 'stdin' : global.file);
    const text = await readInput(global.file, runtime.cwd);
    const { fleet } = await openFleet(text, { path, shown: shownPath(path, runtime.cwd), env: runtime.env });
    const { ca, clients, secrets } = fleet;
    return { specs: choose(fleet.hosts).map(inFile), ca, clients, secrets };
  }
  if (options.inventory !== undefined) {
    const printed = await readInput(options.inventory, runtime.cwd);
    const [inventories] = INVENTORIES.all;
    if (inventories === undefined)
      throw usage('this build of docker-tls does not read inventories', ['docker-tls version']);
    const { chosenSpecs, parseInventory } = await inventories.load();
    const found = parseInventory(printed, options.inventory === '-' ? 'stdin' : options.inventory);
    // Skips hosts of another kind, unless the user named hosts.
    const named = hosts.length + options.limit.length > 0;
    const others = named ? [] : found.filter(({ connection }) => connection !== undefined);
    for (const { name, connection } of others) progress.note(`${printable(name)}: left out (${connection}, not ssh)`);
    const chosen = chosenSpecs(choose(found.filter((host) => !others.includes(host))));
    const specs = resolveHostPaths(chosen, runtime.cwd, homeDirectory(runtime.env));
    return { specs: specs.map(inFile), clients: [], secrets: {} };
  }
  const specs =
    flags !== undefined && hosts.length > 0 ? specsFor(hosts, state, flags) : storedSpecs(hosts, state, again, more);
  return { specs: selectHosts(specs, { limit: options.limit, shard }), clients: [], secrets: {} };
}
