/** Schedules for a team's store. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { FLEET_FILES } from '../../../../src/core/seams/fleet-files.ts';
import { renderCron } from '../../../../src/features/tools/domain/schedule-jobs.ts';
import { runCli } from '../../../support/cli.ts';
import { calls, directory, lineOf, options, stand } from '../../tools/support/cron-job.ts';

test('the store of a team is named to every command', async () => {
  const url = 'git+ssh://git@git.example.org/ops/store.git?branch=a&key=00000000000000000000000000000000';
  stand('exit 0');
  execFileSync('sh', ['-c', lineOf(renderCron({ ...options, store: url, storeCommands: ['store refresh'] }))]);
  const words = readFileSync(calls, 'utf8').trim().split('\n');
  expect(words.map((one) => one.replace(/ --.*/, ''))).toEqual([
    'rotate server',
    'rotate client',
    'store refresh',
    'status',
  ]);
  for (const one of words) expect(one).toContain(` --store ${url} --home ${options.home}`);
  // It logs in to the hosts as the others do.
  stand('exit 0');
  const secrets = { sudoPasswordFile: '/root/sudo', trusted: ['0123abcd'] };
  const file = FLEET_FILES.all.length > 0 ? { fleetFile: '/srv/fleet.yaml' } : {};
  const job = renderCron({ ...options, ...secrets, ...file, store: url, storeCommands: ['store refresh'] });
  execFileSync('sh', ['-c', lineOf(job)]);
  const refreshes = readFileSync(calls, 'utf8').split('\n')[2] as string;
  expect(refreshes).toContain('--sudo-password-file /root/sudo --trust-store-settings 0123abcd');
  if ('fleetFile' in file) expect(refreshes).toContain(' -f /srv/fleet.yaml ');
  const argv = refreshes.replace(/ --(store|home) .*?(?= -f | --sudo)/, '').split(' ');
  const refused = await runCli([...argv, '--home', directory, '--json']);
  // All its options are known.
  expect(JSON.parse(refused.out).error).toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining('directory'),
  });
  // Nobody is there to say that an expired state is the newest.
  expect(words[2]).not.toContain('--yes');
  const printed = async (argv: string[], env = {}) =>
    (await runCli(['schedule', '--form', 'gitlab', '--home', directory, ...argv], { env })).out;
  for (const out of [await printed(['--store', url]), await printed([], { DOCKER_TLS_STORE: url })]) {
    expect(out.match(/ --store 'git\+ssh:\S+' \|\| bad=1/g)).toHaveLength(4);
    expect(out).toMatch(/ store refresh --store /);
    expect(out).not.toContain('keeps the store');
  }
  expect(await printed([])).not.toContain('--store');
});

test.runIf(FLEET_FILES.all.length > 0)(
  'with the store of a team a job runs on any runner: nothing of this computer is in it, and its secrets are those of one environment',
  async () => {
    const store =
      'etcd://e1.example.org:2379/fleet?user=ci&password=env:ETCD_PASSWORD&key=00000000000000000000000000000000';
    writeFileSync(join(directory, 'fleet.yaml'), 'version: 1\nca: { passphrase: env:CA_PASS }\nhosts: { a: }\n');
    const printed = async (form: string, ...more: string[]) =>
      runCli(['schedule', '--form', form, '--store', store, '-f', 'fleet.yaml', '--home', directory, ...more], {
        cwd: directory,
      });
    const github = parse((await printed('github')).out).jobs.renew;
    expect([github['runs-on'], github.environment]).toEqual(['ubuntu-24.04', 'docker-hosts']);
    expect(github.env).toBeUndefined();
    const [checkout, install, key, renew] = github.steps;
    expect([checkout.uses, install.env, Object.keys(key.env)]).toEqual([
      'actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1',
      undefined,
      ['SSH_KEY', 'KNOWN_HOSTS'],
    ]);
    expect(Object.keys(renew.env)).toEqual(['DOCKER_TLS_CA_PASSPHRASE', 'ETCD_PASSWORD', 'CA_PASS']);
    const { certificates } = parse((await printed('gitlab')).out);
    expect([certificates.tags, certificates.environment]).toEqual([undefined, 'docker-hosts']);
    for (const script of [renew.run, certificates.script.join('\n')]) {
      expect(script).toContain(`--store '${store}' -f fleet.yaml`);
      expect(script).not.toContain(directory);
    }
    // A file with a secret requires a self-hosted runner.
    const own = parse((await printed('github', '--ca-passphrase-file', '/root/pass')).out).jobs.renew;
    expect([own['runs-on'], own.steps.length]).toEqual([['self-hosted', 'docker-tls'], 1]);
  },
);
