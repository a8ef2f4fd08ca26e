/** Which tests share a process (test/support/own-process.ts), and that none of them counts on having one alone. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { needsOwnProcess, WITH_HOOKS } from '../../support/own-process.ts';

const root = new URL('../../../', import.meta.url);
const files = readdirSync(new URL('test', root), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ path: `test/${name}`, text: readFileSync(new URL(`test/${name}`, root), 'utf8') }));
const support = files.filter(({ path }) => /\/support\//.test(path) && !path.endsWith('.test.ts'));
const sharing = files.filter(({ path, text }) => path.endsWith('.test.ts') && !needsOwnProcess(path, text));

test.each([
  ['test/core/unit/a.test.ts', "import { b } from '../../support/store.ts';", false],
  ['test/features/team/golden/a.test.ts', '', false],
  ['test/core/unit/a.test.ts', "vi.mock('../b.ts');", true],
  ['test/core/unit/a.test.ts', "LISTENERS.add({ name: 'b' });", true],
  ['test/core/property/a.test.ts', "import { Sandbox } from '../../support/host-sandbox.ts';", true],
  ['test/core/integration/a.test.ts', '', true],
  ['test/cli/a.test.ts', '', false],
  ['test/features/team/cli/a.test.ts', '', false],
  ['test/features/team/cli/a.test.ts', 'const code = COPIES.all as Copies[];', true],
  ['test/features/team/unit/a.test.ts', 'PARTS.splice(-1);', true],
])('%s with %j: a process of its own is %s', (path, text, own) => {
  expect(needsOwnProcess(path, text)).toBe(own);
});

test('modules with a hook of a test file are known, and no other module hides them', () => {
  const withHooks = support.filter(({ text }) => /^(?:after|before)(?:All|Each)\(/m.test(text));
  expect(withHooks.map(({ path }) => basename(path, '.ts')).filter((name) => !WITH_HOOKS.includes(name))).toEqual([]);
  const imported = new RegExp(`/(?:${WITH_HOOKS.join('|')})\\.ts'`);
  const hiding = support.filter(({ path, text }) => !WITH_HOOKS.includes(basename(path, '.ts')) && imported.test(text));
  expect(hiding.map(({ path }) => path)).toEqual([]);
});

test('those that share a process leave it as it was', () => {
  expect(sharing.length).toBeGreaterThan(100);
  const changing = /process\.chdir\(|process\.env = |vi\.(?:doMock|stubGlobal|hoisted)\(|syncBuiltinESMExports/;
  expect(
    sharing
      .filter(({ text, path }) => changing.test(text) && !path.endsWith('own-process.test.ts'))
      .map(({ path }) => path),
  ).toEqual([]);
});
