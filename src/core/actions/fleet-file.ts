/** The fleet file of `setup -f FILE`: a host's values come from it, and a new host is written into it. */

import { realpath, stat } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { usage } from '../../errors/errors.ts';
import { replaceFiles, withFileErrors } from '../adapters/docker/files.ts';
import type { StoreState } from '../adapters/store/records.ts';
import type { FleetAdditions } from '../domain/fleet/fleet-host.ts';
import { fleetWith, specInFleet } from '../domain/fleet/fleet-host.ts';
import type { HostFlags } from '../domain/fleet/specs.ts';
import type { CaSpec, HostSpec } from '../domain/settings.ts';
import type { Runtime } from '../runtime.ts';
import type { ActionContext } from './action-context.ts';
import { openFleet, readFleetText } from './read-fleet.ts';
import type { SecretOptions } from './secrets.ts';
import type { Selection } from './selection.ts';

export type FleetFile = {
  readonly path: string;
  /** What it says of a new CA; undefined where there is no file yet. */
  readonly ca?: CaSpec;
  /** What it says of the secrets of a run over some hosts: references. */
  secretsOf(hosts: readonly HostSpec[]): Selection['secrets'];
  /** The file has a host of this name. */
  has(host: string): boolean;
  /** What the file has under this name, else what the store has, else a new host on the file's defaults; flags come on top. */
  specFor(host: string, state: StoreState, flags: HostFlags): HostSpec;
  /**
   * The edit that puts the host into the file, and the client that was made for it, to be called once the host is done; undefined when
   * the file has the host. Fails with E_FLEET_DEFAULTS (exit 2) now, not then.
   */
  edit(spec: HostSpec, more: FleetAdditions): Promise<(() => Promise<void>) | undefined>;
};

/** The file of `-f`, which need not be there yet; undefined without `-f`. Fails with E_FLEET, E_FILE (exit 2). */
export async function openFleetFile({
  global,
  runtime,
}: Pick<ActionContext, 'global' | 'runtime'>): Promise<FleetFile | undefined> {
  if (global.file === undefined) return undefined;
  if (global.file === '-') {
    throw usage('a fleet file has a name here; standard input is read by plan and apply', ['-f fleet.yaml']);
  }
  return fleetFileAt(resolve(runtime.cwd, global.file), runtime);
}

/** The same for any path. */
export async function fleetFileAt(path: string, { cwd, env }: Pick<Runtime, 'cwd' | 'env'>): Promise<FleetFile> {
  const shown = relative(cwd, path);
  const read = async () => {
    const text = await readFleetText(path);
    return text === undefined ? undefined : openFleet(text, { path, shown, env });
  };
  const first = await read();
  const fleet = first?.fleet;
  const has = (host: string, file = first) => file?.fleet.hosts.some(({ name }) => name === host) === true;
  return {
    path,
    ca: fleet?.ca,
    secretsOf(hosts) {
      if (fleet === undefined) return {};
      const { caPassphrase, sudoPassword, sudoDefault } = fleet.secrets;
      const named = hosts.map(({ name }) => [name, sudoPassword[name] ?? sudoDefault] as const);
      return {
        caPassphrase,
        sudoPassword: Object.fromEntries(named.flatMap(([name, from]) => (from ? [[name, from]] : []))),
      };
    },
    has: (host) => has(host),
    specFor: (host, state, flags) => specInFleet(fleet, host, state, flags),
    async edit(spec, more) {
      if (has(spec.name)) return undefined;
      fleetWith(first, spec, { ...more, shown });
      return () =>
        withFileErrors(path, async () => {
          // Others may have written to it since: what they wrote stays.
          const now = await read();
          if (!has(spec.name, now)) await replaceText(path, fleetWith(now, spec, { ...more, shown }));
        });
    },
  };
}

/** Whole or not at all; a file that is there keeps its mode and owner, and a link goes on leading to it. */
async function replaceText(path: string, data: string): Promise<void> {
  const place = await realpath(path).catch(() => path);
  const before = await stat(place).catch(() => undefined);
  const { mode = 0o644, uid, gid } = before ?? {};
  const owner = uid === undefined || gid === undefined ? {} : { owner: { uid, gid } };
  await replaceFiles([{ path: place, data, mode: mode & 0o777, ...owner }]);
}

/** The fleet file's reference to the sudo password that the flags gave. */
export function sudoReference(options: SecretOptions, cwd: string): string | undefined {
  if (options.sudoPasswordFile !== undefined) return `file:${resolve(cwd, options.sudoPasswordFile)}`;
  return options.askSudoPassword ? 'prompt' : undefined;
}
