/** A rollback script as a file, for tests that source its functions. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { BY_SYSTEMD, type KindModules, rollbackScript as renderScript } from '../../src/core/host/scripts.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-script-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Returns its path. */
export function scriptOf(kind: string, modules: KindModules): string {
  const path = join(directory, `${kind}.sh`);
  writeFileSync(path, renderScript(modules));
  return path;
}

export const rollbackScript = scriptOf('systemd', BY_SYSTEMD);
