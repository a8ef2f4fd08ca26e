/** The path that a schedule names: the link by which the executable was called. */

import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeSync } from 'fs-extra/esm';
import { afterAll, expect, test } from 'vitest';
import { calledPath } from '../../../../src/features/tools/adapters/own-command.ts';

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'docker-tls-called-')));
const executable = join(directory, 'Cellar/0.1.0/docker-tls');
const link = join(directory, 'bin/docker-tls');
mkdirSync(join(directory, 'Cellar/0.1.0'), { recursive: true });
mkdirSync(join(directory, 'bin'));
writeFileSync(executable, '');
writeFileSync(join(directory, 'other'), '');
symlinkSync(executable, link);
afterAll(() => removeSync(directory));

test.each([
  ['a link on PATH', 'docker-tls', `/nowhere:${directory}/bin`, link],
  ['a link by its path', link, '', link],
  ['the executable itself', executable, '', executable],
  ['another program of that name', join(directory, 'other'), '', executable],
  ['a relative PATH', 'docker-tls', 'bin', executable],
  ['nothing on PATH', 'docker-tls', undefined, executable],
])('%s', (_, argv0, path, expected) => {
  expect(calledPath(executable, argv0, path)).toBe(expected);
});
