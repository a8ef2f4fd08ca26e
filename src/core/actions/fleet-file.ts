/** The fleet file of `setup -f FILE`: the source of a host's values, and the file that gets a new host. */

import { realpath, stat } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { usage } from '../../errors/errors.ts';
import { replaceFiles, withFileErrors } from '../adapters/docker/atomic-files.ts';
import type { StoreState } from '../adapters/store/records.ts';
import type { FleetAdditions } from '../domain/fleet/fleet-host.ts';
import { fleetWith, specInFleet } from '../domain/fleet/fleet-host.ts';
import type { HostFlags } from '../domain/fleet/specs.ts';
import type { CaSpec, HostSpec } from '../domain/settings.ts';
import type { Runtime } from '../runtime.ts';
import type { ActionContext } from './action-context.ts';
import type { SecretOptions } from './given-secrets.ts';
import { openFleet, readFleetText } from './read-fleet.ts';
import type { HostSelection } from './select-hosts.ts';

export type WritableFleet = {
  readonly path: string;
  /** Its settings of a new CA; undefined if the file does not exist yet. */
  readonly ca?: CaSpec;
  /** Its references to secrets for a run over some hosts. */
  secretsOf(hosts: readonly HostSpec[]): HostSelection['secrets'];
  /** The file has a host of this name. */
  has(host: string): boolean;
  /** The host in the file, else in the store, else a new host with the file's defaults; flags override all of them. */
  specFor(host: string, state: StoreState, flags: HostFlags): HostSpec;
  /**
   * The edit that adds the host and its new client to the file; call it after the host is done. Undefined if the file has the host. Fails
   * with E_FLEET_DEFAULTS (exit 2) immediately, not in the edit.
   */
  edit(spec: HostSpec, more: FleetAdditions): Promise<(() => Promise<void>) | undefined>;
};

/** The file of `-f`, which may not exist yet; undefined without `-f`. Fails with E_FLEET, E_FILE (exit 2). */
export async function openFleetFile({
  global,
  runtime,
}: Pick<ActionContext, 'global' | 'runtime'>): Promise<WritableFleet | undefined> {
  if (global.file === undefined) return undefined;
  if (global.file === '-') {
    throw usage('a fleet file has a name here; standard input is read by plan and apply', ['-f fleet.yaml']);
  }
  return fleetFileAt(resolve(runtime.cwd, global.file), runtime);
}

/** Like openFleetFile, for any path. */
export async function fleetFileAt(path: string, { cwd, env }: Pick<Runtime, 'cwd' | 'env'>): Promise<WritableFleet> {
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
          // Others may have edited it in the meantime: their changes stay.
          const now = await read();
          if (!has(spec.name, now)) await replaceText(path, fleetWith(now, spec, { ...more, shown }));
        });
    },
  };
}

/** Writes atomically; an existing file keeps its mode and owner, and a link to it stays. */
async function replaceText(path: string, data: string): Promise<void> {
  const place = await realpath(path).catch(() => path);
  const before = await stat(place).catch(() => undefined);
  const { mode = 0o644, uid, gid } = before ?? {};
  const owner = uid === undefined || gid === undefined ? {} : { owner: { uid, gid } };
  await replaceFiles([{ path: place, data, mode: mode & 0o777, ...owner }]);
}

/** The fleet file's reference to the sudo password given by the flags. */
export function sudoReference(options: SecretOptions, cwd: string): string | undefined {
  if (options.sudoPasswordFile !== undefined) return `file:${resolve(cwd, options.sudoPasswordFile)}`;
  return options.askSudoPassword ? 'prompt' : undefined;
}
