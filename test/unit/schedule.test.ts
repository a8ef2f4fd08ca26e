import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { renderCi, renderCron, renderSystemd } from '../../src/workflows/schedule.ts';

const folder = mkdtempSync(join(tmpdir(), 'docker-tls schedule '));
const program = join(folder, 'docker-tls');
const calls = join(folder, 'calls');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Stands for the program: notes its words, and ends as it is told. */
function stand(status: string): void {
  writeFileSync(program, `#!/bin/sh\necho "$*" >> '${calls}'\necho "out of $1 50%"\n${status}\n`);
  chmodSync(program, 0o755);
  writeFileSync(calls, '');
}

const options = { program: [program], home: join(folder, 'it’s $HOME 100%'), passphraseFile: join(folder, 'pass') };
const line = () =>
  (
    renderCron(options)
      .split('\n')
      .find((one) => one.startsWith('23 4')) ?? ''
  )
    .replace('23 4 * * * ', '')
    .replaceAll('\\%', '%');

test('the cron line is silent when all goes well, and tells everything when anything fails', () => {
  stand('exit 0');
  expect(spawnSync('sh', ['-c', line()], { encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '', stderr: '' });
  const words = readFileSync(calls, 'utf8').trim().split('\n');
  expect(words).toHaveLength(3);
  expect(words[0]).toBe(
    `rotate server --due --yes --home ${options.home} --ca-passphrase-file ${options.passphraseFile}`,
  );
  expect(words[2]).toBe(`status --check --home ${options.home}`);
  stand('[ "$2" != server ]');
  const failed = spawnSync('sh', ['-c', line()], { encoding: 'utf8' });
  expect(failed.status).toBe(1);
  expect(failed.stdout).toContain('out of rotate 50%');
  expect(readFileSync(calls, 'utf8').trim().split('\n')).toHaveLength(3);
});

test('the units pass systemd’s own check, and the passphrase is a credential', () => {
  stand('exit 0');
  const files = renderSystemd({ ...options, onFailure: 'mail -s "renewal failed" root < /dev/null' });
  for (const { name, text } of files) writeFileSync(join(folder, name), text);
  expect(files[0]?.text).toContain(`LoadCredential=ca-passphrase:${options.passphraseFile}`);
  expect(files[0]?.text).toContain('OnFailure=docker-tls-renew-failed.service');
  expect(renderSystemd(options).map((one) => one.name)).toEqual(['docker-tls-renew.service', 'docker-tls-renew.timer']);
  if (spawnSync('systemd-analyze', ['--version']).error) return;
  const checked = spawnSync('systemd-analyze', ['verify', join(folder, 'docker-tls-renew.service')], {
    encoding: 'utf8',
  });
  expect(checked.stderr.split('\n').filter((one) => /docker-tls-renew\.service:\d+/.test(one))).toEqual([]);
});

test('CI jobs are YAML whose scripts a shell can read', () => {
  const github = parse(renderCi('github'));
  const gitlab = parse(renderCi('gitlab'));
  for (const script of [github.jobs.check.steps[0].run, gitlab.certificates.script.join('\n')])
    execFileSync('sh', ['-n'], { input: script });
  expect(github.jobs.check.steps[0].run).toContain('status --check');
});
