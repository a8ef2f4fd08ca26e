/** Reading of fleet files and inventories. Secrets in a fleet file are hidden from child processes. */

import { relative, resolve } from 'node:path';
import { errnoOf } from '../../errors/errors.ts';
import type { Fleet } from '../domain/fleet/fleet.ts';
import { parseFleet } from '../domain/fleet/fleet.ts';
import type { OpenedFleet } from '../domain/fleet/fleet-host.ts';
import { resolveFleetPaths } from '../domain/fleet/fleet-paths.ts';
import { unreadable } from '../domain/unreadable.ts';
import { keepFromChildren } from '../environment.ts';
import { readFileOrPipe, readStandardInput } from '../named-file.ts';
import type { Runtime } from '../runtime.ts';
import { homeDirectory } from '../user.ts';

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

/** For programs that a shared store starts. Fails as reading the file does, except for a missing file. */
export async function hideFleetSecrets(file: string | undefined, cwd: string): Promise<void> {
  if (file === undefined) return;
  const text = await readInput(file, cwd).catch(() => undefined);
  if (text === undefined) return;
  const shown = file === '-' ? 'stdin' : shownPath(resolve(cwd, file), cwd);
  await parseHiding(text, shown);
}

/** The path as a user would type it: relative if the file is below the working directory. */
export function shownPath(path: string, cwd: string): string {
  const below = relative(cwd, path);
  return below.startsWith('..') ? path : below;
}

/** Standard input ends once: a command that rereads its fleet, such as `rotate ca` between stages, gets the same text. */
let standardInput: Promise<Buffer> | undefined;

/** Size limit of an inventory in bytes: Ansible's output for some thousand hosts with all their variables. */
const LARGEST_INVENTORY = 64 * 1024 * 1024;

/** The text of a file, or of standard input (`-`). Fails with E_FLEET (exit 2). */
export async function readInput(path: string, cwd: string): Promise<string> {
  try {
    if (path === '-' || path.endsWith('/-')) {
      standardInput ??= readStandardInput(LARGEST_INVENTORY);
      return (await standardInput).toString('utf8');
    }
    return (await readFileOrPipe(resolve(cwd, path), LARGEST_INVENTORY)).toString('utf8');
  } catch (cause) {
    throw unreadable('E_FLEET', path, cause);
  }
}

/** Undefined if the file does not exist. Fails with E_FLEET (exit 2). */
export async function readFleetText(path: string): Promise<string | undefined> {
  try {
    return (await readFileOrPipe(path)).toString('utf8');
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw unreadable('E_FLEET', path, cause);
  }
}
