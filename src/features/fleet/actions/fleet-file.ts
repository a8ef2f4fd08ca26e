/** The fleet file of `setup -f FILE`: the source of a host's values, and the file that gets a new host. */

import { realpath, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Prompts } from '../../../core/actions/ask.ts';
import type { SecretOptions } from '../../../core/actions/given-secrets.ts';
import { replaceFiles, withFileErrors } from '../../../core/adapters/docker/atomic-files.ts';
import type { Runtime } from '../../../core/runtime.ts';
import type { WritableFleet } from '../../../core/seams/fleet-files.ts';
import { usage } from '../../../errors/errors.ts';
import { fleetWith, specInFleet } from '../domain/fleet-host.ts';
import { openFleet, readFleetText } from './read-fleet.ts';

/** As FleetFiles.open. */
export async function openFleetFile(file: string, runtime: Pick<Runtime, 'cwd' | 'env'>): Promise<WritableFleet> {
  if (file === '-') {
    throw usage('a fleet file has a name here; standard input is read by plan and apply', ['-f fleet.yaml']);
  }
  return fleetFileAt(resolve(runtime.cwd, file), runtime);
}

/** As FleetFiles.offer. */
export async function offerFleetFile(
  prompts: Prompts,
  runtime: Pick<Runtime, 'cwd' | 'env'>,
): Promise<WritableFleet | undefined> {
  const file = await fleetFileAt(join(runtime.cwd, 'fleet.yaml'), runtime).catch(() => undefined);
  if (file === undefined) return undefined;
  const agreed = await prompts.confirm({
    explain:
      'A fleet file keeps many hosts in one place, for docker-tls plan and apply (-f fleet.yaml). It holds no secret.',
    message:
      file.ca === undefined
        ? 'Begin a fleet file here, fleet.yaml, with this host?'
        : 'Write the host into fleet.yaml here?',
    default: false,
    flag: '-f fleet.yaml',
    typedAs: () => ['-f', 'fleet.yaml'],
  });
  return agreed ? file : undefined;
}

async function fleetFileAt(path: string, { cwd, env }: Pick<Runtime, 'cwd' | 'env'>): Promise<WritableFleet> {
  const shown = relative(cwd, path);
  const read = async () => {
    const text = await readFleetText(path);
    return text === undefined ? undefined : openFleet(text, { path, shown, env });
  };
  const first = await read();
  const fleet = first?.fleet;
  const has = (host: string, file = first) => file?.fleet.hosts.some(({ name }) => name === host) === true;
  return {
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
    async edit(spec, { secrets, client }) {
      if (has(spec.name)) return undefined;
      const more = { sudoPassword: sudoReference(secrets, cwd), client, shown };
      fleetWith(first, spec, more);
      return () =>
        withFileErrors(path, async () => {
          // Others may have edited it in the meantime: their changes stay.
          const now = await read();
          if (!has(spec.name, now)) await replaceText(path, fleetWith(now, spec, more));
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
function sudoReference(options: SecretOptions, cwd: string): string | undefined {
  if (options.sudoPasswordFile !== undefined) return `file:${resolve(cwd, options.sudoPasswordFile)}`;
  return options.askSudoPassword ? 'prompt' : undefined;
}
