/** Files for openssl in a directory of their own, which is gone after the tests of a file. */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll } from 'vitest';

const run = promisify(execFile);

export function opensslFiles() {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-pki-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return {
    directory,
    /** Writes a file with mode 0600; returns its path. */
    async file(name: string, content: string | Uint8Array): Promise<string> {
      const path = join(directory, name);
      await writeFile(path, content, { mode: 0o600 });
      return path;
    },
    /** Standard output of openssl; fails with its status. */
    openssl: async (...args: readonly string[]): Promise<string> => (await run('openssl', [...args])).stdout,
  };
}
