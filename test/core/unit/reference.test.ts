/** Command reference: it matches the commands, and `man` reads every page without a warning. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadReference, type ReferencePage, renderManPages } from '../../../scripts/reference.ts';
import { defineCommand } from '../../../src/cli/command.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-man-'));
let pages: readonly ReferencePage[];

beforeAll(async () => {
  pages = await loadReference();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Output and warnings of `man` for these pages. */
function read(manual: ReadonlyMap<string, string>): { readonly out: string; readonly err: string } {
  for (const [name, text] of manual) writeFileSync(join(directory, name), text);
  const env = { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '120', MANROFFOPT: '', MAN_KEEP_FORMATTING: '' };
  const files = [...manual.keys()].map((name) => join(directory, name));
  const { stdout, stderr } = spawnSync('man', ['--warnings', '-l', ...files], { env, encoding: 'utf8' });
  return { out: stdout, err: stderr };
}

test('man reads a page for every command, with each of its options, and warns of nothing', () => {
  const manual = renderManPages(pages, '1.2.3');
  const { out, err } = read(manual);
  expect(err).toBe('');
  expect(out.match(/^docker-tls 1\.2\.3 /gm)).toHaveLength(pages.length + 1);
  for (const { command, parser } of pages) {
    const text = manual.get(`docker-tls-${command.name.replaceAll(' ', '-')}.1`) ?? '';
    for (const { long, hidden } of parser.options) if (!hidden) expect(text).toContain(long?.replaceAll('-', '\\-'));
    expect(out).toContain(`docker-tls-${command.name.replaceAll(' ', '-')} - `);
  }
});

test('nothing in a text is taken as a request or an escape of roff', async () => {
  const hostile = '.so /etc/passwd \\fB "a" \'b\' `c` ^ ~ -- …é';
  const file = defineCommand({
    about: `${hostile}\n'tis one`,
    examples: [hostile, "'quoted'"],
    scope: [],
    args: {},
    options: {},
    run: async () => ({ exit: 0, result: {}, text: '' }),
  });
  const about = { name: 'odd', summary: 'a|b <c> *d* _e_' };
  const entry = { ...about, load: async () => ({ ...about, ...file }) };
  const { out, err } = read(renderManPages(await loadReference([entry]), '1'));
  expect(err).toBe('');
  expect(out).toContain('.so /etc/passwd \\fB "a" \'b\' `c` ^ ~ -- ...é');
  expect(out).toContain("'tis one");
});

test('the program and apropos find the pages: names and sections are whole', () => {
  const whatis = execFileSync('lexgrog', [join(directory, 'docker-tls.1'), join(directory, 'docker-tls-setup.1')], {
    encoding: 'utf8',
  });
  expect(whatis).toSay('docker-tls-mutual-tls-remote');
  expect(whatis).toSay('docker-tls-setup-set-mutual-tls');
});
