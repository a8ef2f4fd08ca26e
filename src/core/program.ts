/** The program's own files, next to its bundle or inside the single executable. */

import { existsSync, readFileSync } from 'node:fs';
import { getAsset, isSea } from 'node:sea';

/** A file of the build; undefined without a build (tests). */
export function ownFile(name: string): string | undefined {
  if (isSea()) return getAsset(name, 'utf8');
  const file = new URL(name, import.meta.url);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
