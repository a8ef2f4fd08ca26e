/** Hash of the running program, for evidence. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';

/**
 * SHA-256 of the single executable, or of the checksums of all files beside this module: what
 * `cd dist && find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum` prints.
 */
export function programHash(): string {
  if (isSea()) return sha256(readFileSync(process.execPath));
  const directory = new URL('.', import.meta.url);
  const lines = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(fileURLToPath(directory).length).replaceAll('\\', '/'))
    .map((name) => name.replace(/^\/+/, ''))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map((name) => `${sha256(readFileSync(new URL(encodeURI(name), directory)))}  ./${name}\n`);
  return sha256(lines.join(''));
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
