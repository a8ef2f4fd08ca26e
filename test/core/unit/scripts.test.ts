/** Help of every script: it describes the script, and has no other effect. */

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';

const directory = new URL('../../../scripts/', import.meta.url).pathname;
const scripts = readdirSync(directory, { withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.includes('.'))
  .map(({ name }) => name);

test.each(scripts)('scripts/%s --help', (name) => {
  const printed = execFileSync(`${directory}${name}`, ['--help'], { cwd: '/', encoding: 'utf8', timeout: 20_000 });
  expect(printed).toMatch(new RegExp(`usage: scripts/${name}|scripts/${name} \\[`));
});
