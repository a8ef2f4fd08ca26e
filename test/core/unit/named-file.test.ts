/** Files named by a person, a store or a configuration: reading any of them ends soon, or fails with a reason. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readFileOrPipe, readNamedFile, readNamedFileSync, whyNotRead } from '../../../src/core/named-file.ts';

let directory: string;
const at = (name: string) => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-named-'));
  writeFileSync(at('text'), 'text');
  writeFileSync(at('large'), '');
  truncateSync(at('large'), 16 * 1024 * 1024 + 1);
  mkdirSync(at('directory'));
  symlinkSync('loop', at('loop'));
  execFileSync('mkfifo', [at('pipe')]);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('a file, an empty device and a file of the kernel', async () => {
  for (const path of [at('text'), '/dev/null', '/proc/self/status']) {
    const bytes = await readNamedFile(path);
    expect(readNamedFileSync(path).subarray(0, 4)).toEqual(bytes.subarray(0, 4));
    expect(bytes.length === 0).toBe(path === '/dev/null');
  }
});

test.each([
  ['/dev/zero', 'ENOTSUP', 'it is not a file'],
  ['directory', 'EISDIR', 'it is a directory'],
  ['loop', 'ELOOP', 'its symbolic links lead in a circle'],
  ['large', 'EFBIG', 'it is larger than 16 MiB'],
  ['pipe', 'ENOTSUP', 'it is not a file'],
  ['missing', 'ENOENT', 'there is no such file'],
])('%s: %s', async (name, code, why) => {
  const path = name.startsWith('/') ? name : at(name);
  const failure = await readNamedFile(path).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code });
  expect(whyNotRead(failure)).toBe(why);
  expect(() => readNamedFileSync(path)).toThrow(expect.objectContaining({ code }));
});

test('a pipe is read to its end where a person may name one, and given up when its other end stays open', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const given = readFileOrPipe(at('pipe'));
    const writer = await open(at('pipe'), 'w');
    await writer.writeFile('from a program');
    await writer.close();
    expect(String(await given)).toBe('from a program');
    const refused = readFileOrPipe(at('pipe')).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await refused).toMatchObject({ code: 'ETIMEDOUT' });
  } finally {
    vi.useRealTimers();
  }
});

test('a pipe that never ends is given up by its size', async () => {
  const writer = await open(at('pipe'), 'r+');
  const read = readFileOrPipe(at('pipe'), 1024).catch((error: unknown) => error);
  await writer.writeFile('x'.repeat(2048));
  expect(await read).toMatchObject({ code: 'EFBIG' });
  await writer.close();
});
