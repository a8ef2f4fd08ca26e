/** `harden --install`: no package is installed before consent, and installed ones are reported whatever happens to the rest. */

import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createProgress } from '../../../../src/cli/progress.ts';
import { renderHardened } from '../../../../src/features/audit/commands/harden.ts';
import { addPackages } from '../../../../src/features/audit/commands/harden-packages.ts';
import { type AnsweringHosts, answeringHosts } from '../../../support/answering-hosts.ts';
import { type CliRun, runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import { recordedBytes } from '../support/audit-facts.ts';

const now = new Date();
const outputs = { audit: recordedBytes('fresh-trixie') };
const looked = '-\ninstall\taide\t1.0\t1000\t10\nend';
const installed = (daemon: string) => `installed ${Buffer.from(daemon).toString('base64') || '-'}`;
let home: string;
let phases: string[];

afterAll(removeHomes);
beforeEach(async () => {
  home = newHome();
  phases = [];
  await issueStore(home, { now, hosts: { h1: {} }, clients: { laptop: undefined } });
});

function harden(argv: readonly string[], answers: AnsweringHosts['answers'] = {}): Promise<CliRun> {
  const directory = dirname(home);
  return runCli(['harden', 'h1', '--only', 'log-limits', '--install', 'aide', '--accept', 'aide', ...argv], {
    cwd: directory,
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker'), DOCKER_TLS_HOME: home },
    now: () => now,
    connect: answeringHosts({
      ...{ home, now, onChange: (phase) => phases.push(phase) },
      answers: { packages: [looked, installed('')], ...answers },
      outputs,
    }),
    probe: async () => ({ kind: 'unreachable', reason: 'no way', elapsedMs: 1 }) as never,
  });
}

test('a package that was accepted by name is asked for all the same, unless --yes is there', async () => {
  const { exit, json } = await harden(['--json']);
  expect([exit, json.error?.code, phases]).toEqual([2, 'E_NO_TERMINAL', ['packages']]);
  expect(json.error?.hints.join('\n')).toContain('--accept aide --yes');
});

test('with both nothing is asked, and what was installed is said though the change fails', async () => {
  const failing = { apply: `failed validate ${Buffer.from('no').toString('base64')}` };
  const { exit, err } = await harden(['--yes'], failing);
  expect([exit, phases]).toEqual([4, ['packages', 'packages', 'apply']]);
  expect(err).toContain('h1: installed aide\n');
});

test('a report that cannot be written is refused before anything is installed or changed', async () => {
  for (const report of ['missing/harden.html', '.']) {
    const { exit, json } = await harden(['--yes', '--json', '--report', report]);
    expect([exit, json.error?.code, phases]).toEqual([2, 'E_AUDIT_OUT', []]);
  }
});

test('a dry run installs nothing', async () => {
  const { exit, err, out } = await harden(['--dry-run']);
  expect([exit, phases]).toEqual([0, ['packages']]);
  expect(err).not.toContain('installed');
  expect(out).toContain('aide 1.0');
});

test('a dockerd that was started again needs attention', () => {
  const warnings = ['packages: dockerd was started again while they were installed'];
  const runtime = { io: { columns: 80, colour: false }, signal: new AbortController().signal };
  const changed = { wanted: { credentials: [] }, results: [], copies: new Map() };
  const packages = [{ host: 'h1', install: [], present: [], lines: ['1 package'], warnings }];
  const hardened = { changed, fixes: [], packages, leftOut: [], unmade: [], report: undefined, scores: [] };
  const { text, attention, result } = renderHardened(hardened as never, { runtime, global: {} } as never);
  expect(attention).toBe(`h1: ${warnings[0]}`);
  expect(text).toContain(warnings[0]);
  expect(result).toMatchObject({ packages: [{ host: 'h1', packages: [], present: [], warnings }] });
});

test('nothing is installed for a change that cannot be stored', async () => {
  const refused = new Error('not writable');
  const run = {
    runtime: {
      connect: answeringHosts({
        home,
        now,
        onChange: (phase) => phases.push(phase),
        answers: { packages: looked },
        outputs,
      }),
      signal: new AbortController().signal,
      now: () => now,
    },
    progress: createProgress({ io: { err() {} } as never, now: () => now }),
    store: {
      requireWritable: async () => {
        throw refused;
      },
    },
    dryRun: false,
    asks: false,
  };
  const spec = { name: 'h1', ssh: { destination: { host: 'h1' } } };
  const adding = addPackages({ prompts: {} as never }, [spec as never], ['aide'], ['aide'], run as never);
  await expect(adding).rejects.toBe(refused);
  expect(phases).toEqual(['packages']);
});
