/** Ctrl-C at a question of a command, in a real terminal: the exit status is 130. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WIZARD } from '../../../src/core/seams/wizard.ts';
import { buildProgram, type Program } from '../../support/cli.ts';
import { KEYS, openTerminal } from '../../support/terminal.ts';

const home = mkdtempSync(join(tmpdir(), 'docker-tls-broken-off-'));
let program: Program;

beforeAll(() => {
  program = buildProgram();
});
afterAll(() => {
  program?.remove();
  rmSync(home, { recursive: true, force: true });
});

const openProgram = (argv: readonly string[]) =>
  openTerminal(process.execPath, [program.bin, ...argv], {
    cwd: home,
    env: { HOME: home, PATH: process.env.PATH ?? '/usr/bin:/bin', NO_COLOR: '1' },
  });

test("at the passphrase of the CA's key", async () => {
  const terminal = openProgram(['ca', 'create']);
  await terminal.see(/assphrase/);
  terminal.type(KEYS.ctrlC);
  expect(await terminal.ended, terminal.screen()).toBe(130);
});

test('at the first question of setup, or without questions its error', async () => {
  const terminal = openProgram(['setup']);
  if (WIZARD.all.length > 0) {
    await terminal.see('Host:');
    terminal.type(KEYS.ctrlC);
  }
  expect(await terminal.ended, terminal.screen()).toBe(WIZARD.all.length > 0 ? 130 : 2);
  expect(terminal.screen()).toContain(WIZARD.all.length > 0 ? 'E_INTERRUPTED' : 'give HOST');
});
