/** Owns what `setup -f FILE` does with the fleet file: a host's values come from it, and a new host is written into it. */

import { readFile, realpath, stat } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { replaceFiles, withFileErrors } from '../adapters/docker/files.ts';
import type { StoreState } from '../adapters/store/records.ts';
import type { Fleet } from '../domain/fleet/fleet.ts';
import { type HostFlags, knownHost, specFor, withFlags } from '../domain/fleet/specs.ts';
import type { CaSpec, ClientSpec, HostSpec } from '../domain/settings.ts';
import { unreadable } from '../domain/unreadable.ts';
import { errnoOf, usage } from '../errors/errors.ts';
import type { Runtime } from '../runtime.ts';
import { homeDirectory } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import type { SecretOptions } from './secrets.ts';
import { hideSecrets, type Selection } from './selection.ts';

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

export type FleetAdditions = {
  /** Where the password for sudo comes from (sudoReference). */
  readonly sudoPassword?: string | undefined;
  readonly client?: ClientSpec | undefined;
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
export async function fleetFileAt(path: string, runtime: Pick<Runtime, 'cwd' | 'env'>): Promise<FleetFile> {
  const { parseFleet } = await import('../domain/fleet/fleet.ts');
  const { hostOf } = await import('../domain/fleet/fleet-entry.ts');
  const { resolveFleetPaths } = await import('../domain/fleet/fleet-paths.ts');
  const { addClientToFleet, addHostToFleet } = await import('../domain/fleet/edit.ts');
  const shown = relative(runtime.cwd, path);

  /** As written, and with every path made absolute; undefined where there is no file. */
  async function read() {
    const text = await readFleetText(path);
    if (text === undefined) return undefined;
    const written = parseFleet(text, shown);
    hideSecrets(written.secrets);
    return { text, written, fleet: resolveFleetPaths({ ...written, path }, homeDirectory(runtime.env)) };
  }

  const first = await read();
  const fleet = first?.fleet;
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
    has: (host) => fleet?.hosts.some(({ name }) => name === host) === true,
    specFor(host, state, flags) {
      const known = knownHost(fleet?.hosts ?? [], host, flags);
      if (known !== undefined) return known;
      const stored = specFor(host, state, flags);
      if (fleet === undefined || state.hosts.has(stored.name)) return stored;
      return withFlags(hostOf(stored.name, host, fleet.defaults), flags);
    },
    async edit(spec, { sudoPassword, client }) {
      const has = (file: typeof first) => file?.written.hosts.some(({ name }) => name === spec.name) === true;
      const edited = (file: typeof first): string => {
        const asWritten = file ? withWrittenPaths(spec, file.written, file.fleet) : spec;
        const text = addHostToFleet(file?.text, asWritten, { path: shown, sudoPassword });
        const known = client === undefined || file?.written.clients.some(({ name }) => name === client.name);
        return known ? text : addClientToFleet(text, client, shown);
      };
      if (has(first)) return undefined;
      edited(first);
      return () =>
        withFileErrors(path, async () => {
          // Others may have written to it since: what they wrote stays.
          const now = await read();
          if (!has(now)) await replaceText(path, edited(now));
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

/** Paths that came from the defaults stay as they are written there. */
function withWrittenPaths(spec: HostSpec, written: Fleet, resolved: Fleet): HostSpec {
  const ssh = { ...spec.ssh };
  if (isDeepStrictEqual(ssh.identities, resolved.defaults.ssh?.identities))
    ssh.identities = written.defaults.ssh?.identities;
  if (ssh.configFile === resolved.defaults.ssh?.configFile) ssh.configFile = written.defaults.ssh?.configFile;
  return { ...spec, ssh };
}

export async function readFleetText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw unreadable('E_FLEET', path, cause);
  }
}
