/** Owns that programs which a shared store starts do not inherit the fleet's secrets. */

import { resolve } from 'node:path';
import { parseFleet } from '../domain/fleet/fleet.ts';
import { hideSecrets, readInput, shownPath } from './selection.ts';

/** What the fleet file names as secret is taken out of the environment. Fails as the reading of the file does, but for one that is not there. */
export async function hideFleetSecrets(file: string | undefined, cwd: string): Promise<void> {
  if (file === undefined) return;
  const text = await readInput(file, cwd).catch(() => undefined);
  if (text === undefined) return;
  const shown = file === '-' ? 'stdin' : shownPath(resolve(cwd, file), cwd);
  hideSecrets(parseFleet(text, shown).secrets);
}
