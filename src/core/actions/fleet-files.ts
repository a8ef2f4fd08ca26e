/** Fleet files and inventories of a run. Without the feature, no option names one. */

import { usage } from '../../errors/errors.ts';
import { type FileSecrets, FLEET_FILES, type FleetFiles, type WritableFleet } from '../seams/fleet-files.ts';
import type { ActionContext } from './action-context.ts';

async function loaded(): Promise<FleetFiles> {
  const [files] = FLEET_FILES.all;
  if (files === undefined) throw usage('this build of docker-tls reads no file with hosts', ['docker-tls version']);
  return files.load();
}

/** Fails as FleetFiles.hostsOf does. */
export async function hostsOfFile(...about: Parameters<FleetFiles['hostsOf']>): ReturnType<FleetFiles['hostsOf']> {
  return (await loaded()).hostsOf(...about);
}

/** The file of `-f`, which may not exist yet; undefined without `-f`. Fails with E_FLEET, E_FILE (exit 2). */
export async function openFleetFile({
  global,
  runtime,
}: Pick<ActionContext, 'global' | 'runtime'>): Promise<WritableFleet | undefined> {
  return global.file === undefined ? undefined : (await loaded()).open(global.file, runtime);
}

/** The references in the file of `-f`, which may exist only where it is used. Fails with E_FLEET (exit 2). */
export async function fleetSecrets({ global }: Pick<ActionContext, 'global'>): Promise<FileSecrets | undefined> {
  return global.file === undefined ? undefined : (await loaded()).secretsIn(global.file);
}

/** For programs that a shared store starts. Fails as reading the file does, except for a missing file. */
export async function hideFleetSecrets(file: string | undefined, cwd: string): Promise<void> {
  if (file !== undefined) await (await loaded()).hideSecrets(file, cwd);
}
