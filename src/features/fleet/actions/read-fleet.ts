/** Reading of fleet files and inventories. Secrets in a fleet file are hidden from child processes. */

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { shownPath } from '../../../core/actions/input-output.ts';
import { unreadable } from '../../../core/domain/unreadable.ts';
import { keepFromChildren } from '../../../core/environment.ts';
import { readFileOrPipe, readStandardInput } from '../../../core/named-file.ts';
import type { Runtime } from '../../../core/runtime.ts';
import { homeDirectory } from '../../../core/user.ts';
import { errnoOf } from '../../../errors/errors.ts';
import type { Fleet } from '../domain/fleet.ts';
import { parseFleet } from '../domain/fleet.ts';
import type { OpenedFleet } from '../domain/fleet-host.ts';
import { resolveFleetPaths } from '../domain/fleet-paths.ts';

/** A fleet file as written, and with absolute paths. `shown`: its path for messages. Fails with E_FLEET (exit 2). */
export async function openFleet(
  text: string,
  { path, shown, env }: Pick<Runtime, 'env'> & { readonly path: string; readonly shown: string },
): Promise<OpenedFleet> {
  const written = await parseHiding(text, shown);
  return { text, written, fleet: resolveFleetPaths({ ...written, path }, homeDirectory(env)) };
}

/** Hides the secrets that a fleet file names from child processes, whether or not this run needs them. */
async function parseHiding(text: string, shown: string): Promise<Fleet> {
  const fleet = parseFleet(text, shown);
  const { caPassphrase, sudoPassword, sudoDefault } = fleet.secrets;
  for (const reference of [caPassphrase, sudoDefault, ...Object.values(sudoPassword)])
    if (reference?.startsWith('env:')) keepFromChildren(reference.slice(4));
  return fleet;
}

/** As FleetFiles.hideSecrets. */
export async function hideSecrets(file: string, cwd: string): Promise<void> {
  const text = await readInput(file, cwd).catch(() => undefined);
  if (text === undefined) return;
  const shown = file === '-' ? 'stdin' : shownPath(resolve(cwd, file), cwd);
  await parseHiding(text, shown);
}

/**
 * Standard input and pipes end once: a command that rereads its fleet, such as one with a shared store, or one with several stages, gets the
 * same bytes.
 */
const endedOnce = new Map<string, Promise<Buffer>>();

/** Size limit of an inventory in bytes: Ansible's output for some thousand hosts with all their variables. */
const LARGEST_INVENTORY = 64 * 1024 * 1024;

/** The text of a file, a pipe, or standard input (`-`). Fails with E_FLEET (exit 2). */
export async function readInput(path: string, cwd: string): Promise<string> {
  const place = path === '-' || path.endsWith('/-') ? '-' : resolve(cwd, path);
  try {
    return await textAt(place, LARGEST_INVENTORY);
  } catch (cause) {
    throw unreadable('E_FLEET', path, cause);
  }
}

/** Undefined if the file does not exist. Fails with E_FLEET (exit 2). */
export async function readFleetText(path: string): Promise<string | undefined> {
  try {
    return await textAt(resolve(path));
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw unreadable('E_FLEET', path, cause);
  }
}

async function textAt(place: string, largest?: number): Promise<string> {
  const read = () => (place === '-' ? readStandardInput(largest) : readFileOrPipe(place, largest));
  if (place !== '-' && !statSync(place).isFIFO()) return (await read()).toString('utf8');
  const bytes = endedOnce.get(place) ?? read();
  endedOnce.set(place, bytes);
  return (await bytes).toString('utf8');
}
