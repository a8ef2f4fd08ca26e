/** Owns which hosts a command is about: those of the fleet file, of an inventory, of the store, or the one that was typed. */

import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { StoreState } from '../adapters/store/records.ts';
import type { Fleet } from '../domain/fleet/fleet.ts';
import { parseShard, selectHosts } from '../domain/fleet/selection.ts';
import { type HostFlags, specsFor, storedSpecs, withFlags } from '../domain/fleet/specs.ts';
import { shellQuote } from '../domain/quote.ts';
import type { CaSpec, ClientSpec, HostSpec } from '../domain/settings.ts';
import { keepFromChildren } from '../environment.ts';
import { DockerTlsError, printable, usage } from '../errors/errors.ts';
import { keepHeapSmall, MANY_HOSTS } from '../heap.ts';
import { homeDirectory } from '../user.ts';
import type { ActionContext } from './action-context.ts';

/** What a host takes of a fleet file at least. */
const HOST_BYTES = 30;

export type SelectionOptions = {
  readonly inventory?: string | undefined;
  readonly limit: readonly string[];
  readonly shard?: string | undefined;
};

export type Selection = {
  readonly specs: readonly HostSpec[];
  /** From a fleet file; undefined where the store alone knows. */
  readonly ca?: CaSpec;
  readonly clients: readonly ClientSpec[];
  /** References to secrets in the fleet file. */
  readonly secrets: { readonly caPassphrase?: string; readonly sudoPassword?: Readonly<Record<string, string>> };
};

/** Reads and selects; `reached`: also hosts that only an imported client knows. Fails with E_FLEET, E_LIMIT, E_HOST_UNKNOWN, E_NO_HOSTS (exit 2). */
export async function selectSpecs(
  { global, runtime, progress }: Pick<ActionContext, 'global' | 'runtime' | 'progress'>,
  hosts: readonly string[],
  options: SelectionOptions,
  state: StoreState,
  flags: HostFlags | undefined,
  { reached = false }: { readonly reached?: boolean } = {},
): Promise<Selection> {
  const shard = options.shard === undefined ? undefined : parseShard(options.shard, runtime.env);
  if (global.file !== undefined && options.inventory !== undefined) {
    throw usage('hosts come from a fleet file or from an inventory, not from both at once', [
      'leave out -f or --inventory',
    ]);
  }
  if (global.file !== undefined) {
    const { parseFleet } = await import('../domain/fleet/fleet.ts');
    const { resolveFleetPaths } = await import('../domain/fleet/fleet-paths.ts');
    const path = resolve(runtime.cwd, global.file === '-' ? 'stdin' : global.file);
    const written = await readInput(global.file, runtime.cwd);
    if (written.length > MANY_HOSTS * HOST_BYTES) keepHeapSmall();
    const home = homeDirectory(runtime.env);
    const fleet = resolveFleetPaths({ ...parseFleet(written, shownPath(path, runtime.cwd)), path }, home);
    hideSecrets(fleet.secrets);
    const specs = selectHosts(fleet.hosts, { limit: meant(hosts, options.limit, fleet.hosts), shard });
    return {
      specs: specs.map((spec) => withFlags(spec, flags)),
      ca: fleet.ca,
      clients: fleet.clients,
      secrets: fleet.secrets,
    };
  }
  if (options.inventory !== undefined) {
    const { chosenSpecs, parseInventory } = await import('../domain/fleet/inventory.ts');
    const { resolveHostPaths } = await import('../domain/fleet/fleet-paths.ts');
    const printed = await readInput(options.inventory, runtime.cwd);
    const found = parseInventory(printed, options.inventory === '-' ? 'stdin' : options.inventory);
    // Hosts of another kind were not asked for by name.
    const named = hosts.length + options.limit.length > 0;
    const others = named ? [] : found.filter(({ connection }) => connection !== undefined);
    for (const { name, connection } of others) progress.note(`${printable(name)}: left out (${connection}, not ssh)`);
    const all = found.filter((host) => !others.includes(host));
    const chosen = chosenSpecs(selectHosts(all, { limit: meant(hosts, options.limit, all), shard }));
    const specs = resolveHostPaths(chosen, runtime.cwd, homeDirectory(runtime.env));
    return { specs: specs.map((spec) => withFlags(spec, flags)), clients: [], secrets: {} };
  }
  const specs =
    flags !== undefined && hosts.length > 0 ? specsFor(hosts, state, flags) : storedSpecs(hosts, state, reached);
  return { specs: selectHosts(specs, { limit: options.limit, shard }), clients: [], secrets: {} };
}

/** What a fleet file names as secret is ours to read, and no program that we start gets it, whether this run needs it or not. */
export function hideSecrets({ caPassphrase, sudoPassword, sudoDefault }: Fleet['secrets']): void {
  for (const reference of [caPassphrase, sudoDefault, ...Object.values(sudoPassword)])
    if (reference?.startsWith('env:')) keepFromChildren(reference.slice(4));
}

/** HOSTs and --limit both narrow: what is chosen has to be named by one and match the other. */
function meant(
  hosts: readonly string[],
  limit: readonly string[],
  all: readonly { readonly name: string }[],
): readonly string[] {
  if (hosts.length === 0 || limit.length === 0) return [...hosts, ...limit];
  // Each has to match something: selectHosts says which does not.
  const named = new Set(selectHosts(all, { limit: hosts }).map((spec) => spec.name));
  const both = selectHosts(all, { limit }).filter((spec) => named.has(spec.name));
  return both.length > 0 ? both.map((spec) => spec.name) : [`${hosts.join(', ')} and ${limit.join(', ')} at once`];
}

/** As a person would type it: relative where the file is below the working directory. */
export function shownPath(path: string, cwd: string): string {
  const below = relative(cwd, path);
  return below.startsWith('..') ? path : below;
}

/** It ends once: a command that looks at its fleet again, as `rotate ca` between stages, gets the same text. */
let standardInput: Promise<string> | undefined;

/** The text of a file, or of standard input (`-`). Fails with E_FLEET (exit 2). */
export async function readInput(path: string, cwd: string): Promise<string> {
  try {
    if (path === '-' || path.endsWith('/-')) {
      standardInput ??= text(process.stdin);
      return await standardInput;
    }
    return await readFile(resolve(cwd, path), 'utf8');
  } catch (cause) {
    throw new DockerTlsError('E_FLEET', `${path} cannot be read`, { hints: [`ls -l ${shellQuote(path)}`], cause });
  }
}
