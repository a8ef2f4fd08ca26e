/** Owns what `setup -f FILE` does with the fleet file: a host's values come from it, and a new host is written into it. */

import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseDestination } from '../config/destination.ts';
import type { Fleet } from '../config/fleet.ts';
import { completeHost, type HostSpec } from '../config/spec.ts';
import { replaceFiles, withFileErrors } from '../docker/files.ts';
import { DockerTlsError } from '../errors.ts';
import type { StoreState } from '../store/records.ts';
import { homeFolder } from '../user.ts';
import { type HostFlags, knownHost, specFor, withFlags } from '../workflows/specs.ts';
import type { CommandContext } from './command.ts';

export type FleetFile = {
  readonly path: string;
  /** What the file has under this name, else what the store has, else a new host on the file's defaults; flags come on top. */
  specFor(host: string, state: StoreState, flags: HostFlags): HostSpec;
  /**
   * The edit that puts the host into the file, to be called once the host is done; undefined when the file has it. Fails with
   * E_FLEET_DEFAULTS (exit 2) now, not then.
   */
  edit(spec: HostSpec, sudoPassword: string | undefined): Promise<(() => Promise<void>) | undefined>;
};

/** The file of `-f`, which need not be there yet; undefined without `-f`. Fails with E_FLEET, E_FILE (exit 2). */
export async function openFleetFile({
  global,
  runtime,
}: Pick<CommandContext<unknown, unknown>, 'global' | 'runtime'>): Promise<FleetFile | undefined> {
  if (global.file === undefined) return undefined;
  if (global.file === '-') {
    throw new DockerTlsError({
      code: 'E_USAGE',
      exit: 2,
      message: 'setup writes into the fleet file, which standard input can’t be',
      hints: ['docker-tls setup HOST -f fleet.yaml'],
    });
  }
  const path = resolve(runtime.cwd, global.file);
  const { parseFleet } = await import('../config/fleet.ts');
  const { resolveFleetPaths } = await import('../config/fleet-paths.ts');
  const { addHostToFleet } = await import('../config/edit.ts');
  const text = await readIfThere(path);
  const shown = relative(runtime.cwd, path);
  const written = text === undefined ? undefined : parseFleet(text, shown);
  const fleet = written && resolveFleetPaths({ ...written, path }, homeFolder(runtime.env));
  return {
    path,
    specFor(host, state, flags) {
      const known = knownHost(fleet?.hosts ?? [], host, flags);
      if (known !== undefined) return known;
      const stored = specFor(host, state, flags);
      if (fleet === undefined || state.hosts.has(stored.name)) return stored;
      const { ssh, ...defaults } = fleet.defaults;
      return withFlags(
        completeHost({ ...defaults, name: stored.name, ssh: { ...ssh, ...parseDestination(host) } }),
        flags,
      );
    },
    async edit(spec, sudoPassword) {
      if (written?.hosts.some(({ name }) => name === spec.name)) return undefined;
      const asWritten = written && fleet ? withWrittenPaths(spec, written, fleet) : spec;
      const reference = written?.secrets.sudoPassword[spec.name] ?? sudoPassword;
      const data = addHostToFleet(text, asWritten, { path: shown, ...(reference ? { sudoPassword: reference } : {}) });
      return () => withFileErrors(path, () => replaceFiles([{ path, data, mode: 0o644 }]));
    },
  };
}

/** Where the password for sudo comes from, as the fleet file says it, of what the flags said. */
export function sudoReference(
  options: {
    readonly askSudoPassword: boolean;
    readonly sudoPasswordFile?: string | undefined;
  },
  cwd: string,
): string | undefined {
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

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new DockerTlsError({
      code: 'E_FLEET',
      exit: 2,
      where: path,
      message: `it can't be read: ${(cause as NodeJS.ErrnoException).code ?? 'unknown'}`,
      hints: [`ls -l ${path}`],
      cause,
    });
  }
}
