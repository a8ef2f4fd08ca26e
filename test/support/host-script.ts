/** A rollback script as a file, for tests that source its functions. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BY_SYSTEMD, type KindModules, rollbackScript as renderScript } from '../../src/core/host/scripts.ts';
import type { ChangePart } from '../../src/core/seams/change-parts.ts';
import { builtProgram } from './build-once.ts';

/** Beside the build, and gone with it: files of tests that share a process share this module. */
const directory = mkdtempSync(join(dirname(builtProgram()), 'script-'));

/** Returns its path. */
export function scriptOf(name: string, modules: KindModules, parts: readonly ChangePart[] = []): string {
  const path = join(directory, `${name}.sh`);
  writeFileSync(
    path,
    renderScript(
      modules,
      parts.flatMap(({ rollback }) => rollback),
    ),
  );
  return path;
}

export const rollbackScript = scriptOf('systemd', BY_SYSTEMD);
