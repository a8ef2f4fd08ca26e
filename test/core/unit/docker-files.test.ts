/** Key files have their final mode before they contain a byte of the key. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { replaceFiles } from '../../../src/core/adapters/docker/atomic-files.ts';
import { currentContext, editConfig } from '../../../src/core/adapters/docker/config-file.ts';
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

test('a config.json that is no JSON object is refused, and stays', async () => {
  const dockerConfig = mkdtempSync(join(tmpdir(), 'docker-tls-config-'));
  const file = join(dockerConfig, 'config.json');
  writeFileSync(file, '{"auths": ');
  for (const call of [() => currentContext(dockerConfig), () => editConfig(dockerConfig, [[['a'], 'b']])])
    await expect(call()).rejects.toMatchObject({ code: 'E_DOCKER_CONFIG', exit: 2, where: file });
  expect(readFileSync(file, 'utf8')).toBe('{"auths": ');
  rmSync(dockerConfig, { recursive: true });
});
