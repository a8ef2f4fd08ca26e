import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { FLEET_FILES } from '../../../../src/core/seams/fleet-files.ts';
import { renderCi } from '../../../../src/features/tools/domain/schedule-ci.ts';
import { renderCron, renderSystemd } from '../../../../src/features/tools/domain/schedule-jobs.ts';
import { runCli } from '../../../support/cli.ts';
import { calls, directory, lineOf, options, stand } from '../support/cron-job.ts';

const line = () => lineOf(renderCron(options));

test('the cron line is silent when all goes well, and tells what fails', () => {
  stand('exit 0');
  expect(spawnSync('sh', ['-c', line()], { encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '', stderr: '' });
  const words = readFileSync(calls, 'utf8').trim().split('\n');
  expect(words).toHaveLength(3);
  expect(words[0]).toBe(
    `rotate server --due --yes --quiet --home ${options.home} --ca-passphrase-file ${options.passphraseFile}`,
  );
  expect(words[2]).toBe(`status --check --quiet --home ${options.home}`);
  stand('[ "$2" != server ] || { echo "no way to it: 50%" >&2; exit 5; }');
  const failed = spawnSync('sh', ['-c', line()], { encoding: 'utf8' });
  expect(failed).toMatchObject({ status: 1, stderr: expect.toSay('no-way', '50%') });
  expect(readFileSync(calls, 'utf8').trim().split('\n')).toHaveLength(3);
});

test("the units pass systemd's own check, and the passphrase is a credential", () => {
  stand('exit 0');
  const files = renderSystemd({ ...options, onFailure: 'mail -s "renewal failed" root < /dev/null' });
  for (const { name, text } of files) writeFileSync(join(directory, name), text);
  expect(files[0]?.text).toContain(`LoadCredential=ca-passphrase:${options.passphraseFile}`);
  expect(files[0]?.text).toContain('OnFailure=docker-tls-renew-failed.service');
  expect(renderSystemd(options).map((one) => one.name)).toEqual(['docker-tls-renew.service', 'docker-tls-renew.timer']);
  if (spawnSync('systemd-analyze', ['--version']).error) return;
  const checked = spawnSync('systemd-analyze', ['verify', join(directory, 'docker-tls-renew.service')], {
    encoding: 'utf8',
  });
  expect(checked.stderr.split('\n').filter((one) => /docker-tls-renew\.service:\d+/.test(one))).toEqual([]);
});

test('a fleet file and a password for sudo are named to every command that takes them', () => {
  stand('exit 0');
  const file = join(directory, 'fleet.yaml');
  const sudoPasswordFile = join(directory, 'sudo');
  const [service] = renderSystemd({ ...options, fleetFile: file, sudoPasswordFile });
  expect(service?.text).toContain(`LoadCredential=sudo-password:${sudoPasswordFile}`);
  execFileSync('sh', ['-c', lineOf(renderCron({ ...options, fleetFile: file, sudoPasswordFile }))]);
  const words = readFileSync(calls, 'utf8').trim().split('\n');
  expect(words).toEqual([
    `rotate server --due --yes --quiet --home ${options.home} -f ${file} --ca-passphrase-file ${options.passphraseFile} --sudo-password-file ${sudoPasswordFile}`,
    `rotate client --due --yes --quiet --home ${options.home} -f ${file} --ca-passphrase-file ${options.passphraseFile}`,
    `status --check --quiet --home ${options.home} -f ${file} --sudo-password-file ${sudoPasswordFile}`,
  ]);
});

test('what a shared store makes a job sign with is accepted by the commands that sign', () => {
  stand('exit 0');
  execFileSync('sh', ['-c', lineOf(renderCron({ ...options, trusted: ['0123abcd'] }))]);
  const words = readFileSync(calls, 'utf8').trim().split('\n');
  expect(words.map((line) => line.endsWith(' --trust-store-settings 0123abcd'))).toEqual([true, true, false]);
});

test('CI jobs renew, run everything whatever fails, and name no secret and no package', () => {
  const { passphraseFile: _, ...bare } = options;
  const ci = { ...bare, program: ['docker-tls'], version: '1.2.3' };
  const github = parse(renderCi('github', ci));
  const gitlab = parse(renderCi('gitlab', ci));
  expect(github.jobs.renew.env).toEqual({
    DOCKER_TLS_CA_PASSPHRASE: '$' + '{{ secrets.DOCKER_TLS_CA_PASSPHRASE }}',
  });
  // Contexts available to `env` of a job (docs.github.com, "Context availability"); they do not include `runner`.
  expect(renderCi('github', ci)).not.toMatch(/runner\.|npx|npm/);
  for (const script of [github.jobs.renew.steps[0].run, gitlab.certificates.script.join('\n')]) {
    stand('[ "$2" != server ]');
    const env = { ...process.env, PATH: `${directory}:${process.env.PATH}` };
    // As GitHub runs it.
    const run = spawnSync('bash', ['-e', '-c', script], { encoding: 'utf8', env });
    expect(run.status).toBe(1);
    expect(readFileSync(calls, 'utf8').trim().split('\n')).toEqual([
      `rotate server --due --yes --home ${options.home}`,
      `rotate client --due --yes --home ${options.home}`,
      `status --check --home ${options.home}`,
    ]);
  }
});

test.runIf(FLEET_FILES.all.length > 0)(
  'a job of GitHub hands over the secrets that its fleet file takes from the environment',
  async () => {
    const file = join(directory, 'env.yaml');
    const host = (name: string, from: string) => `  ${name}: { ssh: ${name}.example.org, sudo-password: ${from} }\n`;
    const hosts = host('a', 'env:SUDO_A') + host('b', 'env:SUDO_B') + host('c', 'env:SUDO_A') + host('d', 'file:pw');
    writeFileSync(file, `version: 1\nca: { passphrase: env:CA_PASS }\nhosts:\n${hosts}`);
    const run = await runCli(['schedule', '--form', 'github', '-f', file, '--home', directory]);
    const { env } = parse(run.out).jobs.renew;
    expect(Object.keys(env)).toEqual(['DOCKER_TLS_CA_PASSPHRASE', 'CA_PASS', 'SUDO_A', 'SUDO_B']);
    expect(env.SUDO_A).toBe('$' + '{{ secrets.SUDO_A }}');
    // Paths are the runner's.
    expect((await runCli(['schedule', '--form', 'github', '-f', '/srv/not-here.yaml', '--home', directory])).exit).toBe(
      0,
    );
  },
);

test('the line that help shows for cron keeps what is in the crontab', async () => {
  const { command } = await import('../../../../src/features/tools/commands/schedule.ts');
  const example = command.examples?.find((one) => one.includes('--form cron')) ?? '';
  stand('exit 0');
  const table = join(directory, 'table');
  writeFileSync(table, '1 2 * * * mine\n');
  const crontab = join(directory, 'crontab');
  writeFileSync(
    crontab,
    `#!/bin/sh\ncase $1 in -l) cat '${table}' ;; -) cat > '${table}.new' && mv '${table}.new' '${table}' ;; esac\n`,
  );
  chmodSync(crontab, 0o755);
  execFileSync('sh', ['-c', example], { env: { ...process.env, PATH: `${directory}:${process.env.PATH}` } });
  expect(readFileSync(table, 'utf8')).toBe('1 2 * * * mine\nout of schedule\n');
});

test('a passphrase that the schedule does not have is said, with the flag that gives it', async () => {
  const home = join(directory, 'locked');
  const env = { DOCKER_TLS_CA_PASSPHRASE: 'correct staple' };
  expect((await runCli(['ca', 'create', '--home', home], { env })).exit).toBe(0);
  const warned = async (...argv: string[]) =>
    (await runCli(['schedule', '--home', home, ...argv])).err.replace(/^To write these files: .*\n/m, '');
  const again = `docker-tls --home '${home}' schedule`;
  expect(await warned()).toSay('every-renewal-fail');
  const { err } = await runCli(['schedule', '--home', home]);
  expect(err.split(`${again} --install --ca-passphrase-file FILE\n`)).toHaveLength(3);
  expect(await warned('--form', 'cron')).toContain(`${again} --form cron --ca-passphrase-file FILE`);
  const file = join(directory, 'words');
  writeFileSync(file, 'correct staple\n', { mode: 0o600 });
  const fleet = join(directory, 'locked.yaml');
  writeFileSync(fleet, `version: 1\nca: { passphrase: "file:${file}" }\nhosts: { a: {} }\n`);
  for (const argv of [
    ['--ca-passphrase-file', file],
    ...FLEET_FILES.all.map(() => ['-f', fleet]),
    ['--form', 'github'],
    ['--home', directory],
  ])
    expect({ argv, err: await warned(...argv) }).toEqual({ argv, err: '' });
});

test('a job of GitHub names the actions of others by commit', () => {
  const job = renderCi('github', {
    program: ['docker-tls'],
    version: '1.2.3',
    store: 'etcd://h:2379/x',
    inCheckout: 'fleet.yaml',
  });
  const uses = job.match(/uses: .*/g) ?? [];
  expect(uses).toHaveLength(1);
  for (const line of uses) expect(line).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+/);
});
