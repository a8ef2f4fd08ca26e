/** The CI examples as a runner runs them: a context from the secrets, and an image built with buildx on a real host. */

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labClient, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

/** Debian has it from trixie on. */

let program: Program;
let host: LabHost;
let person: Person;
let secrets: Readonly<Record<string, string>>;

beforeAll(async () => {
  program = buildProgram();
  await labClient();
  [host] = (await labUp({ names: ['pipelines'] })) as [LabHost];
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

describe('the action and the GitLab component of this repository', () => {
  /** docker-tls as it is installed on a runner. */
  function installed(home: string): { PATH: string } {
    mkdirSync(join(home, 'bin'));
    symlinkSync(program.bin, join(home, 'bin/docker-tls'));
    return { PATH: `${join(home, 'bin')}:${process.env.PATH}` };
  }
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
