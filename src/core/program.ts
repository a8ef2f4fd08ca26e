/** The program's own files and command line, next to its bundle or inside the single executable. */

import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { getAsset, isSea } from 'node:sea';

/** The first words of a command line that starts this program again. */
export function ownCommand(): readonly string[] {
  return isSea() ? [process.execPath] : [process.execPath, realpathSync(process.argv[1] ?? 'docker-tls')];
}

/** A file of the build; undefined without a build (tests). */
export function ownFile(name: string): string | undefined {
  if (isSea()) return getAsset(name, 'utf8');
  const file = new URL(name, import.meta.url);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
