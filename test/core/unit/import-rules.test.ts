import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { brokenRules, circles, featuresInTests, type SourceFile } from '../../support/import-rules.ts';

const root = new URL('../../..', import.meta.url).pathname;

function sources(directory: string): SourceFile[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ path: join(directory, name), text: readFileSync(join(root, directory, name), 'utf8') }));
}

test('the directories keep to the rules of CONTRIBUTING.md', () => {
  const files = sources('src');
  expect(files.length).toBeGreaterThan(20);
  expect(brokenRules(files)).toEqual([]);
});

test('no test of the core or of the command line imports a feature', () => {
  // Except for the samples of this file.
  expect(featuresInTests(sources('test').filter(({ path }) => !path.endsWith('/import-rules.test.ts')))).toEqual([]);
  const sample = (path: string, from: string) => featuresInTests([{ path, text: `import { a } from '${from}';` }]);
  expect(sample('test/cli/a.test.ts', '../../src/features/audit/a.ts')).toHaveLength(1);
  expect(sample('test/support/a.ts', '../features/audit/support/a.ts')).toHaveLength(1);
  expect(sample('test/features/audit/unit/a.test.ts', '../support/a.ts')).toEqual([]);
});

test('no files import one another, not even for a type', () => {
  expect(circles(sources('src'))).toEqual([]);
  const a = { path: 'src/a.ts', text: "import type { B } from './b.ts';" };
  const b = { path: 'src/b.ts', text: "import { c } from './c.ts';" };
  expect(circles([a, b, { path: 'src/c.ts', text: "import { a } from './a.ts';" }])).toEqual([
    'src/a.ts -> src/b.ts -> src/c.ts -> src/a.ts',
  ]);
  expect(circles([a, { path: 'src/b.ts', text: "const { a } = await import('./a.ts');" }])).toEqual([
    'src/a.ts -> src/b.ts -> src/a.ts',
  ]);
});

test.each([
  ['src/core/host', 150],
  ['scripts', 300],
])('no file below %s that is not TypeScript is longer than %d lines', (directory, most) => {
  const files = readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
    .map(({ parentPath, name }) => join(parentPath, name));
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((file) => readFileSync(file, 'utf8').trimEnd().split('\n').length > most)).toEqual([]);
});

/** Each sample breaks exactly the named rule. */
const SAMPLES: readonly [path: string, text: string, broken: RegExp][] = [
  ['src/core/domain/pki/a.ts', "import { readFileSync } from 'node:fs';", /node:fs in the domain/],
  ['src/core/domain/plan/a.ts', "import { connect } from 'node:net';", /node:net in the domain/],
  ['src/core/domain/plan/a.ts', "const fs = await import('node:fs');", /node:fs in the domain/],
  ['src/core/domain/plan/a.ts', 'export const now = Date.now();', /clock/],
  ['src/features/audit/domain/a.ts', 'export const now = new Date();', /clock/],
  ['src/core/domain/hosts/a.ts', 'export const home = process.env.HOME;', /process/],
  ['src/core/domain/dockerd/a.ts', "console.log('x');", /console/],
  ['src/core/adapters/ssh/a.ts', "import { openStore } from '../store/store.ts';", /stay apart/],
  ['src/core/adapters/docker/a.ts', "import type { HostRecord } from '../store/records.ts';", /stay apart/],
  ['src/core/engine/a.ts', "import { main } from '../../cli/main.ts';", /engine may not use cli/],
  [
    'src/core/engine/a.ts',
    "import { openStore } from '../adapters/store/store.ts';",
    /engine may not use core.adapters.store/,
  ],
  ['src/core/engine/a.ts', "import { setup } from '../actions/setup.ts';", /engine may not use core.actions/],
  ['src/core/domain/pki/a.ts', "import { plan } from '../plan/plan.ts';", /domain.pki may not use core.domain.plan/],
  ['src/core/engine/a.ts', "import { audit } from '../../features/audit/engine/audit-hosts.ts';", /sees no feature/],
  ['src/cli/a.ts', "import '../features/audit/feature.ts';", /sees no feature/],
  ['src/features/team/actions/a.ts', "import { a } from '../../audit/domain/a.ts';", /features stay apart/],
  ['src/core/domain/pki/a.ts', "import { verifies } from '../../../formats/a.ts';", /use formats/],
  ['src/core/commands/a.ts', "import { verifies } from '../../formats/a.ts';", /use formats/],
  ['src/cli/a.ts', "import { verifies } from '../formats/a.ts';", /use formats/],
  ['src/formats/a.ts', "import { SEAM } from '../core/seams/a.ts';", /use core.seams/],
  ['src/formats/a.ts', "import { run } from '../core/engine/a.ts';", /use core.engine/],
  ['src/formats/a.ts', "import { a } from '../features/team/domain/a.ts';", /no feature/],
  ['src/formats/a.ts', "import { readFileSync } from 'node:fs';", /node:fs in/],
  ['src/features/audit/domain/a.ts', "import { run } from '../engine/a.ts';", /may not use/],
  ['src/cli/a.ts', "import { Client } from 'ssh2';", /ssh2, which belongs to core.adapters.ssh/],
  ['src/cli/a.ts', "import x from 'left-pad';", /no owner/],
  ['src/core/engine/a.ts', 'process.exit(1);', /ends the process/],
  ['src/cli/a.ts', 'export default 1;', /default export/],
  ['src/cli/a.ts', "export * from './b.ts';", /barrel/],
  ['src/cli/a.ts', "export { b } from './b.ts';\nexport { c } from './c.ts';", /barrel/],
  ['src/utils/a.ts', 'export const a = 1;', /no rules|says nothing/],
  ['src/cli/helpers.ts', 'export const a = 1;', /says nothing/],
  ['src/cli/a.ts', "import { b } from './b';", /extension/],
  ['src/cli/a.ts', 'x;\n'.repeat(400), /lines long/],
  ['src/core/engine/a.ts', "import { command } from '../commands/setup.ts';", /engine may not use core.commands/],
  ['src/core/actions/a.ts', "import { command } from '../commands/setup.ts';", /actions may not use core.commands/],
  ['src/core/render/a.ts', "import { command } from '../commands/setup.ts';", /render may not use core.commands/],
  ['src/cli/a.ts', "import type { Run } from '../core/engine/intent.ts';", /cli may not use core.engine/],
  [
    'src/cli/a.ts',
    "import type { StoreState } from '../core/adapters/store/records.ts';",
    /cli may not use core.adapters.store/,
  ],
  [
    'src/core/actions/a.ts',
    "import { createRuntime } from '../adapters/runtime.ts';",
    /actions may not use core.adapters/,
  ],
  ['src/core/actions/a.ts', "import { usage } from '../../cli/options.ts';", /actions may not use cli/],
  [
    'src/core/adapters/create-runtime.ts',
    "import { change } from '../engine/change.ts';",
    /adapters may not use core.engine/,
  ],
];

test.each(SAMPLES)('sample %#, %s, breaks its rule', (path, text, broken) => {
  const found = brokenRules([{ path, text: `/** Sample. */\n${text}` }]);
  expect(found.join('\n')).toMatch(broken);
});

test('what is allowed is not refused', () => {
  const allowed = [
    ['src/core/domain/pki/a.ts', "import { X509Certificate } from 'node:crypto';\nimport forge from 'node-forge';"],
    ['src/core/domain/hosts/a.ts', "import { isIP } from 'node:net';"],
    ['src/formats/a.ts', "import { wireString } from '../core/domain/pki/ssh-wire.ts';"],
    ['src/features/team/store/a.ts', "import { verifies } from '../../../formats/a.ts';"],
    ['src/features/audit/domain/a.ts', "import { verifies } from '../../../formats/a.ts';"],
    ['src/core/domain/plan/a.ts', 'export function at(now: Date) {\n  return new Date(now); // not Date.now()\n}'],
    ['src/core/domain/plan/a.ts', "import type { StoreState } from '../../adapters/store/records.ts';"],
    ['src/cli/a.ts', "import { apply } from '../core/actions/apply.ts';\nimport pico from 'picocolors';"],
    ['src/cli/a.ts', "import { createRuntime } from '../core/adapters/runtime.ts';"],
    [
      'src/core/commands/a.ts',
      "import { change } from '../engine/change.ts';\nimport { currentContext } from '../adapters/docker/config-file.ts';",
    ],
    ['src/core/domain/dockerd/a.ts', 'export const script = `kill the process.exit( of others`;'],
  ] as const;
  expect(brokenRules(allowed.map(([path, text]) => ({ path, text: `// Sample.\n${text}` })))).toEqual([]);
});

test('a file without a word on what it owns is refused', () => {
  expect(brokenRules([{ path: 'src/cli/a.ts', text: 'export const a = 1;\n' }])[0]).toMatch(/does not begin/);
});
