import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { brokenRules, type SourceFile } from '../support/import-rules.ts';

const root = new URL('../..', import.meta.url).pathname;

function sources(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ path: join(folder, name), text: readFileSync(join(root, folder, name), 'utf8') }));
}

test('the rooms keep to the rules of CONTRIBUTING.md', () => {
  const files = sources('src');
  expect(files.length).toBeGreaterThan(20);
  expect(brokenRules(files)).toEqual([]);
});

/** Each sample breaks exactly the rule that is named. */
const SAMPLES: readonly [path: string, text: string, broken: RegExp][] = [
  ['src/pki/a.ts', "import { readFileSync } from 'node:fs';", /node:fs in a pure room/],
  ['src/plan/a.ts', "import { connect } from 'node:net';", /node:net in a pure room/],
  ['src/plan/a.ts', "const fs = await import('node:fs');", /node:fs in a pure room/],
  ['src/plan/a.ts', 'export const now = Date.now();', /clock/],
  ['src/audit/a.ts', 'export const now = new Date();', /clock/],
  ['src/config/a.ts', 'export const home = process.env.HOME;', /process/],
  ['src/daemon/a.ts', "console.log('x');", /console/],
  ['src/remote/a.ts', "import { openStore } from '../store/store.ts';", /stay apart/],
  ['src/docker/a.ts', "import type { HostRecord } from '../store/records.ts';", /stay apart/],
  ['src/workflows/a.ts', "import { main } from '../cli/main.ts';", /workflows may not use cli/],
  ['src/pki/a.ts', "import { plan } from '../plan/plan.ts';", /pki may not use plan/],
  ['src/cli/a.ts', "import { Client } from 'ssh2';", /ssh2, which belongs to remote/],
  ['src/cli/a.ts', "import x from 'left-pad';", /no owner/],
  ['src/workflows/a.ts', 'process.exit(1);', /ends the process/],
  ['src/cli/a.ts', 'export default 1;', /default export/],
  ['src/cli/a.ts', "export * from './b.ts';", /barrel/],
  ['src/cli/a.ts', "export { b } from './b.ts';\nexport { c } from './c.ts';", /barrel/],
  ['src/utils/a.ts', 'export const a = 1;', /no rules|says nothing/],
  ['src/cli/helpers.ts', 'export const a = 1;', /says nothing/],
  ['src/cli/a.ts', "import { b } from './b';", /extension/],
  ['src/cli/a.ts', 'x;\n'.repeat(400), /lines long/],
];

test.each(SAMPLES)('sample %#, %s, breaks its rule', (path, text, broken) => {
  const found = brokenRules([{ path, text: `/** Sample. */\n${text}` }]);
  expect(found.join('\n')).toMatch(broken);
});

test('what is allowed is not refused', () => {
  const allowed = [
    ['src/pki/a.ts', "import { X509Certificate } from 'node:crypto';\nimport forge from 'node-forge';"],
    ['src/config/a.ts', "import { isIP } from 'node:net';"],
    ['src/plan/a.ts', 'export function at(now: Date) {\n  return new Date(now); // not Date.now()\n}'],
    ['src/plan/a.ts', "import type { StoreState } from '../store/records.ts';"],
    ['src/cli/a.ts', "import { apply } from '../workflows/apply.ts';\nimport pico from 'picocolors';"],
    ['src/daemon/a.ts', 'export const script = `kill the process.exit( of others`;'],
  ] as const;
  expect(brokenRules(allowed.map(([path, text]) => ({ path, text: `// Sample.\n${text}` })))).toEqual([]);
});

test('a file without a word on what it owns is refused', () => {
  expect(brokenRules([{ path: 'src/cli/a.ts', text: 'export const a = 1;\n' }])[0]).toMatch(/does not begin/);
});
