/** What the built program answers to a shell's TAB. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../../../support/cli.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-completion-'));
let program: Program;

beforeAll(() => {
  program = buildProgram();
});
afterAll(() => {
  program.remove();
  removeSync(directory);
});

test.each([
  [['comp'], ['completion']],
  [['tls', 'comp'], ['completion']],
  [['completion', 'f'], ['fish']],
  [['completion', '--js'], ['--json']],
  [['status', '--home', ''], []],
  [['nonsense', 'x'], []],
])('%j gives %j', async (words, wanted) => {
  const { out, err, status } = await program.run(['__complete', ...words]);
  const lines = out.trimEnd().split('\n');
  expect({ status, err }).toEqual({ status: 0, err: '' });
  expect(lines.at(-1)).toMatch(/^:\d+$/);
  expect(lines.slice(0, -1).map((line) => line.split('\t')[0])).toEqual(wanted);
});

test('the bash script offers what __complete offers', () => {
  const bin = join(directory, 'bin');
  ensureDirSync(bin);
  symlinkSync(program.bin, join(bin, 'docker-tls'));
  const script = `source <(docker-tls completion bash)
    COMP_WORDS=(docker-tls completion ''); COMP_CWORD=2; _docker_tls; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync('bash', ['-c', script], {
    encoding: 'utf8',
    env: { PATH: `${bin}:${process.env.PATH}`, HOME: directory },
  });
  expect(out.trim().split('\n')).toEqual(['bash', 'zsh', 'fish', 'powershell']);
});

test('in a directory that was deleted', () => {
  const words = program.command.map((word) => `"${word}"`).join(' ');
  const script = `mkdir gone && cd gone && rmdir ../gone && exec ${words} __complete status --offl`;
  const env = { PATH: process.env.PATH, HOME: directory };
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], { cwd: directory, env, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('--offline');
});
