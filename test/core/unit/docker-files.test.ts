/** Key files have their final mode before they contain a byte of the key. */

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { replaceFiles } from '../../../src/core/adapters/docker/atomic-files.ts';
import { Secret } from '../../../src/core/domain/secret.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-files-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const modes = () => readdirSync(directory).map((name) => (statSync(join(directory, name)).mode & 0o777).toString(8));

/** Inspects the file at the moment of its write. */
class Watching extends Secret {
  seen: readonly string[] = [];
  override reveal(): Buffer {
    this.seen = modes();
    return super.reveal();
  }
}

test('a key file is never open to others, whatever the umask', async () => {
  const umask = process.umask(0);
  try {
    const key = new Watching('KEY');
    await replaceFiles([{ path: join(directory, 'key.pem'), data: key, mode: 0o600 }]);
    expect([key.seen, modes()]).toEqual([['600'], ['600']]);
  } finally {
    process.umask(umask);
  }
});
