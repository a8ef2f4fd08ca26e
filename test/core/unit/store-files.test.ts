/** Files and directories of the store are new and made by us: docker-tls never writes to existing ones in their place. */

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type FileKind, isForeign, openTo } from '../../../src/core/adapters/store/modes.ts';
import { createFile, makeDirectory, settleMode } from '../../../src/core/adapters/store/store-files.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-files-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const at = (name: string) => join(directory, name);

test('a file that is there, or what a link leads to, is not written to', () => {
  writeFileSync(at('theirs'), 'theirs');
  symlinkSync(at('theirs'), at('link'));
  for (const name of ['theirs', 'link'])
    expect(() => createFile(at(name), { kind: 'record', bytes: 'ours' })).toThrow(/EEXIST/);
  expect(readFileSync(at('theirs'), 'utf8')).toBe('theirs');
});

test('a directory that is there is used; a link or a file in its place is not', () => {
  mkdirSync(at('directory'));
  symlinkSync(at('directory'), at('to-directory'));
  writeFileSync(at('file'), '');
  expect([makeDirectory(at('new')), makeDirectory(at('directory'))]).toEqual([true, false]);
  for (const name of ['to-directory', 'file'])
    expect(() => makeDirectory(at(name))).toThrow(expect.objectContaining({ code: 'E_STORE_DAMAGED' }));
});

test('a mode that the umask has narrowed is made good; where the file system keeps another one, nothing is written', () => {
  writeFileSync(at('narrow'), '', { mode: 0o400 });
  settleMode(at('narrow'), 0o600, 0o400, (mode) => chmodSync(at('narrow'), mode));
  expect(statSync(at('narrow')).mode & 0o777).toBe(0o600);
  const refused = expect.objectContaining({ code: 'E_STORE_MODES' });
  expect(() => settleMode(at('narrow'), 0o640, 0o600, () => {})).toThrow(refused);
  expect(() => settleMode(at('narrow'), 0o400, 0o600, () => {})).toThrow(refused);
});

test.each<readonly [number, FileKind | 'directory', 'read' | 'changed' | undefined]>([
  [0o400, 'key', undefined],
  [0o440, 'key', 'read'],
  [0o404, 'key', 'read'],
  [0o444, 'certificate', undefined],
  [0o644, 'record', undefined],
  [0o620, 'record', 'changed'],
  [0o602, 'record', 'changed'],
  [0o770, 'directory', 'changed'],
])('a file of mode %o, a %s, is open to others: %s', (mode, kind, open) => {
  expect(openTo({ mode } as Stats, kind)).toBe(open);
});

test('what belongs to another user is foreign', () => {
  const uid = process.geteuid?.() ?? 0;
  expect([isForeign({ uid } as Stats), isForeign({ uid: uid + 1 } as Stats)]).toEqual([false, true]);
});
