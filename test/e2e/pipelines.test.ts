/** The CI examples as a runner runs them: fleets over a shared store on runners that are thrown away, and builds on a real host. */

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { listOperators } from '../../src/features/team/store/admin.ts';
import { readLog } from '../../src/features/team/store/signed-log.ts';
import { enrol, newTeam } from '../features/team/support/team.ts';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labClient, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';
import { removeHomes } from '../support/store.ts';

let program: Program;
let host: LabHost;
let fleetHost: LabHost;
let person: Person;
let secrets: Readonly<Record<string, string>>;

beforeAll(async () => {
  program = buildProgram();
  await labClient();
  [host, fleetHost] = (await labUp({ names: ['pipelines', 'pipelines-fleet'] })) as [LabHost, LabHost];
  person = newPerson(program, [host]);
  for (const argv of [
    person.setup(host),
    ['client', 'add', 'ci'],
    ['client', 'export', 'ci', '--format', 'env', '--out', join(person.home, 'ci.env')],
  ]) {
    const done = await person.run(argv);
    expect(done.status, done.err).toBe(0);
  }
  const text = readFileSync(join(person.home, 'ci.env'), 'utf8');
  secrets = Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  );
}, 400_000);
afterAll(async () => {
  await host?.down();
  await fleetHost?.down();
  removeHomes();
  person?.remove();
  program?.remove();
});

/** A job's directory with something to build, and its environment: no variable of ours, a home of its own. */
function job(name: string): {
  readonly run: (script: string, env?: object) => ReturnType<Person['call']>;
  readonly home: string;
} {
  const home = join(person.home, name);
  mkdirSync(home);
  copyFileSync('/bin/busybox', join(home, 'busybox'));
  writeFileSync(join(home, 'Dockerfile'), `FROM scratch\nCOPY busybox /busybox\nLABEL built-by=${name}\n`);
  const env = { HOME: home, RUNNER_TEMP: home };
  return { home, run: (script, more = {}) => person.call('sh', ['-ec', `cd "$HOME"; ${script}`], { ...env, ...more }) };
}
const builtBy = (name: string) => host.must(`docker image inspect -f '{{index .Config.Labels "built-by"}}' ${name}`);
/** `!reference` of GitLab stays a list. */
const parse = (text: string) => parseYaml(text, { logLevel: 'silent' });
const example = (path: string) => parse(readFileSync(new URL(`../../examples/${path}`, import.meta.url), 'utf8'));

describe('with buildx', () => {
  test('GitHub Actions', async () => {
    const { run, home } = job('github');
    const steps: { run?: string; env?: object }[] = example('github-actions/use-docker.yml').jobs.build.steps;
    for (const step of steps.filter((one) => one.run !== undefined)) {
      const done = await run(step.run as string, step.env === undefined ? {} : secrets);
      expect(done.status, `${step.run}\n${done.err}`).toBe(0);
    }
    expect(await builtBy('app')).toBe('github');
    expect(existsSync(join(home, 'docker-client'))).toBe(false);
  });

  test('GitLab CI', async () => {
    const { run } = job('gitlab');
    const { build } = example('gitlab-ci/use-docker.gitlab-ci.yml');
    // GitLab runs both parts in one shell, where its variables are set.
    const main = await run([...build.before_script, ...build.script].join('\n'), secrets);
    expect(main.status, main.err).toBe(0);
    expect(await builtBy('app')).toBe('gitlab');
    const after = await run(build.after_script.join('\n'), secrets);
    expect(after.status, after.err).toBe(0);
  });

  test('one line with docker-tls; buildx takes its context for a builder, and refuses the environment', async () => {
    const { run } = job('line');
    const imported =
      'docker_tls() { "$NODE" "$PROGRAM" "$@"; }; docker_tls client import --from-env --context ci --use';
    const own = { ...secrets, NODE: process.execPath, PROGRAM: program.bin };
    const script = 'docker buildx create --name one ci && docker buildx rm one && docker buildx build --tag line .';
    const done = await run(`${imported} && unset DOCKER_HOST DOCKER_TLS_VERIFY && ${script}`, own);
    expect(done.status, done.err).toBe(0);
    expect(await builtBy('line')).toBe('line');
    const refused = await run(
      `DOCKER_CERT_PATH=${join(person.store, 'clients/ci')} docker buildx create --name two`,
      secrets,
    );
    expect([refused.status, refused.err]).toEqual([1, expect.stringContaining('TLS data loaded from environment')]);
  });
});

/** docker-tls as it is installed on a runner. */
function installed(home: string): { PATH: string } {
  mkdirSync(join(home, 'bin'));
  symlinkSync(program.bin, join(home, 'bin/docker-tls'));
  return { PATH: `${join(home, 'bin')}:${process.env.PATH}` };
}

describe('a fleet over a store in git, each job on a new runner', () => {
  type Step = { readonly run?: string; readonly env?: Readonly<Record<string, string>> };
  const team = newTeam();
  const files = { SSH_KEY: '', KNOWN_HOSTS: '' };
  const given: Record<string, string> = { DOCKER_TLS_CA_PASSPHRASE: 'correct horse battery', SUDO_PASSWORD: '' };
  let store = '';
  let hostKey = '';

  beforeAll(async () => {
    const { keyFile, knownHostsFile } = fleetHost;
    const ada = team.member('ada');
    const recipient = execFileSync('ssh-keygen', ['-y', '-f', keyFile], { encoding: 'utf8' }).trim();
    await enrol(ada, { ...ada, name: 'ci', recipient });
    const { signers } = await listOperators(ada.session());
    store = `${team.url}?key=${signers}`;
    Object.assign(files, { SSH_KEY: keyFile, KNOWN_HOSTS: join(person.home, 'known_hosts') });
    copyFileSync(knownHostsFile, files.KNOWN_HOSTS);
    const fingerprints = execFileSync('ssh-keygen', ['-lf', knownHostsFile], { encoding: 'utf8' });
    hostKey = /SHA256:\S+(?=.*ED25519)/.exec(fingerprints)?.[0] ?? '';
    for (const [name, file] of Object.entries(files)) given[name] = readFileSync(file, 'utf8').trim();
  });

  /** Runs the scripts one after the other on a runner of its own; npm is none of this test. */
  async function runner(name: string, steps: readonly { readonly script: string; readonly env: object }[]) {
    const { run, home } = job(name);
    const path = installed(home);
    writeFileSync(join(home, 'bin/npm'), '#!/bin/sh\n', { mode: 0o755 });
    const fleet = [
      'version: 1',
      'ca: { passphrase: env:DOCKER_TLS_CA_PASSPHRASE }',
      'hosts:',
      // ssh looks for known hosts in the directory of the login, not in HOME.
      `  web: { ssh: { destination: root@${fleetHost.address}, host-key: "${hostKey}" } }`,
      'clients: { ops: }',
    ];
    writeFileSync(join(home, 'fleet.yaml'), `${fleet.join('\n')}\n`);
    let out = '';
    for (const { script, env } of steps) {
      const done = await run(script, { ...path, VERSION: '0.1.0', ...env });
      expect(done.status, `${script}\n${done.err}`).toBe(0);
      out += done.out;
    }
    return { out, home };
  }

  function ofGithub(name: string) {
    const { env = {}, steps }: { env?: object; steps: Step[] } = example('github-actions/docker-tls.yml').jobs[name];
    const secret = (text: string) => text.replace(/\$\{\{ secrets\.(\w+) \}\}/, (_, key: string) => given[key] ?? '');
    return steps.flatMap(({ run, env: own = {} }) => {
      const values = Object.fromEntries(Object.entries(own).map(([key, text]) => [key, secret(text)]));
      const shared = 'DOCKER_TLS_STORE' in env ? { DOCKER_TLS_STORE: store } : {};
      return run === undefined ? [] : [{ script: run, env: { ...shared, ...values } }];
    });
  }

  function ofGitlab(name: string) {
    const jobs = example('gitlab-ci/docker-tls.gitlab-ci.yml');
    const { extends: base, script } = jobs[name];
    const hosts = base === '.docker-tls-hosts';
    const before: unknown[] = jobs[base].before_script;
    const lines = before.flatMap((line) => (typeof line === 'string' ? line : jobs['.docker-tls'].before_script));
    const env = hosts ? { ...given, ...files, DOCKER_TLS_STORE: store } : {};
    return [{ script: [...lines, ...script].join('\n'), env }];
  }

  test.each([
    ['github', ofGithub],
    ['gitlab', ofGitlab],
  ] as const)('%s: check without a secret, apply, and renew', async (where, stepsOf) => {
    const check = await runner(`${where}-check`, stepsOf('check'));
    expect(check.out).toSay('not-set-yet', 'web');
    expect(existsSync(join(check.home, '.docker'))).toBe(false);
    const apply = await runner(`${where}-apply`, stepsOf('apply'));
    expect(apply.out).toMatch(where === 'github' ? /web/ : /nothing to do|in sync|no changes/i);
    await runner(`${where}-renew`, stepsOf('renew'));
    expect(await fleetHost.must('ls /etc/docker/tls/current')).toContain('server-cert.pem');
    const [last] = await readLog(team.member('ada').session(), 1);
    expect(last?.subject).toContain('docker-tls');
  });
});

describe('the action and the GitLab component of this repository', () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

  test('use: the docker of the next step is that of the host', async () => {
    const { run, home } = job('action');
    const inputs: Record<string, string | undefined> = {
      ca: secrets.DOCKER_TLS_CA,
      cert: secrets.DOCKER_TLS_CERT,
      key: secrets.DOCKER_TLS_KEY,
      host: secrets.DOCKER_HOST,
      context: 'ci',
    };
    const { steps } = parse(read('action.yml')).runs as {
      steps: { name: string; run: string; env: Record<string, string> }[];
    };
    const use = steps.find(({ name }) => name === 'use');
    const env = Object.entries(use?.env ?? {}).map(([name, value]) => [
      name,
      value
        .replace(/\$\{\{ inputs\.([\w-]+) \}\}/, (_, key) => inputs[key] ?? '')
        .replace(/\$\{\{ runner\.temp \}\}/, home),
    ]);
    const GITHUB_ENV = join(home, 'github-env');
    const own = join(home, '.docker');
    mkdirSync(own);
    writeFileSync(join(own, 'config.json'), '{"currentContext":"default","psFormat":"mine"}');
    // Of the whole job: nothing may go there.
    const shared = { DOCKER_TLS_STORE: 'git+file:///nowhere.git' };
    const done = await run(use?.run ?? 'exit 9', {
      ...shared,
      ...Object.fromEntries(env),
      ...installed(home),
      GITHUB_ENV,
    });
    expect(done.status, done.err).toBe(0);
    const [name, value] = readFileSync(GITHUB_ENV, 'utf8').trim().split('=');
    expect([name, value]).toEqual(['DOCKER_CONFIG', expect.stringContaining(`${home}/`)]);
    const next = { ...shared, DOCKER_CONFIG: value };
    const version = await run("docker context show; docker version --format '{{.Server.Os}}'", next);
    expect(version.out).toBe('ci\nlinux\n');
    expect(readFileSync(join(value ?? '', 'config.json'), 'utf8')).toContain('mine');
    expect(readdirSync(own)).toEqual(['config.json']);
    expect((await run('docker context show')).out).toBe('default\n');
  });

  test('use of GitLab: the script of a job that extends it', async () => {
    const { run, home } = job('component');
    const text = read('templates/use.yml').replaceAll('$[[ inputs.context ]]', 'ci');
    const { before_script, after_script, variables } = parse(text.split('\n---\n')[1] ?? '')['.docker-tls-use'];
    const script = [...before_script, "docker version --format '{{.Server.Os}}'"].join('\n');
    const ofJob = { CI_JOB_ID: `test-${process.pid}`, DOCKER_TLS_STORE: 'git+file:///nowhere.git' };
    const done = await run(script, { ...secrets, ...variables, ...ofJob, ...installed(home) });
    expect(done.status, done.err).toBe(0);
    expect(done.out).toMatch(/\nlinux\n$/);
    expect(existsSync(join(home, '.docker'))).toBe(false);
    const directory = `/tmp/docker-tls-${ofJob.CI_JOB_ID}`;
    expect(existsSync(directory)).toBe(true);
    expect((await run(after_script.join('\n'), ofJob)).status).toBe(0);
    expect(existsSync(directory)).toBe(false);
  });
});
