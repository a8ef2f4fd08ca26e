/** The hosts of a command: from a fleet file, an inventory, the store, or the command line. */

import type { StoreState } from '../adapters/store/records.ts';
import { withRecordedKey } from '../domain/hosts/recorded-key.ts';
import { meantHosts, type Named, parseShard, selectHosts } from '../domain/hosts/selection.ts';
import { type HostFlags, specsFor, storedSpecs, withFlags } from '../domain/hosts/specs.ts';
import type { HostsOfFile } from '../seams/fleet-files.ts';
import type { ActionContext } from './action-context.ts';
import { hostsOfFile } from './fleet-files.ts';

export type SelectionOptions = {
  readonly inventory?: string | undefined;
  readonly limit: readonly string[];
  readonly shard?: string | undefined;
};

/**
 * Reads and selects; `reached`: also hosts known only through an imported client. Fails with E_LIMIT, E_HOST_UNKNOWN, E_NO_HOSTS (exit 2),
 * and as hostsOfFile does.
 */
export async function selectSpecs(
  { global, runtime, progress, again }: Pick<ActionContext, 'global' | 'runtime' | 'progress' | 'again'>,
  hosts: readonly string[],
  options: SelectionOptions,
  state: StoreState,
  flags: HostFlags | undefined,
  more: { readonly reached?: boolean } = {},
): Promise<HostsOfFile> {
  const { inventory, limit } = options;
  const shard = options.shard === undefined ? undefined : parseShard(options.shard, runtime.env);
  if (global.file !== undefined || inventory !== undefined) {
    const files = { file: global.file, inventory, named: hosts.length + limit.length > 0 };
    const choose = <Host extends Named>(all: readonly Host[]) =>
      selectHosts(all, { limit: meantHosts(hosts, limit, all), shard });
    const found = await hostsOfFile(files, choose, { runtime, progress });
    return { ...found, specs: found.specs.map((spec) => withRecordedKey(withFlags(spec, flags), state)) };
  }
  const specs =
    flags !== undefined && hosts.length > 0 ? specsFor(hosts, state, flags) : storedSpecs(hosts, state, again, more);
  return { specs: selectHosts(specs, { limit, shard }), secrets: {} };
}
