/** docker-tls commands in the fleet and CI pages and examples: the program accepts each, and the examples are YAML. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { findCommand } from '../../../../src/cli/commands.ts';
import { parseOptions } from '../../../../src/cli/options.ts';
import { shellWords } from '../../../../src/core/domain/quote.ts';

const root = new URL('../../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const examples = readdirSync(new URL('examples', root), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yml'))
  .map((name) => `examples/${name}`);

/** The arguments after `docker-tls` at the beginning of a command, up to a pipe, a redirection or the end. */
function commandsIn(text: string): string[] {
  return [...text.matchAll(/(?:^ *(?:- )?|: |\| |`)docker-tls ((?:[^`|>;\n"]|"[^"\n]*")+)/gm)]
    .map((match) => (match[1] as string).trim())
    .filter((command) => /^[a-z]+ ?/.test(command));
}

/** Examples whose command is there: the one of use-docker belongs to a feature, which can be deleted. */
const calling = examples.filter(
  (path) => !/use-docker/.test(path) || existsSync(new URL('src/features/bundles', root)),
);

test.each(['docs/fleet.md', 'docs/ci.md', ...calling])('the commands in %s exist', async (path) => {
  const commands = commandsIn(readFileSync(new URL(path, root), 'utf8'));
  expect(commands.length).toBeGreaterThan(0);
  for (const line of commands) {
    const words = shellWords(line) ?? [];
    const found = findCommand(words.slice(0, 2));
    if (found.kind !== 'command') throw new Error(`${path}: docker-tls ${line}: no such command`);
    const command = await found.entry.load();
    const rest = words.slice(found.entry.name.split(' ').length);
    // The name of a command in running text (`plan`) is not a call of it.
    if (rest.length > 0) expect(() => parseOptions(command, rest, { env: {}, cwd: '/' }), line).not.toThrow();
  }
});

test.each(examples)('%s is YAML', (path) => {
  const jobs = parse(read(path), { logLevel: 'silent' });
  expect(Object.keys(jobs).length).toBeGreaterThan(0);
});

test('docs/ci.md names every example', () => {
  const page = readFileSync(new URL('docs/ci.md', root), 'utf8');
  expect(examples.length).toBe(4);
  for (const path of examples) expect(page).toContain(`../${path}`);
});

type Job = {
  readonly environment?: string;
  readonly extends?: string;
  readonly steps?: readonly { readonly env?: Record<string, string> }[];
};

test('the pipelines have every secret that the fleet file of docs/ci.md names, and only in the jobs that apply, of one environment', () => {
  const page = read('docs/ci.md');
  const names = [...page.matchAll(/: env:([A-Z_]+)/g)].map((match) => match[1] as string);
  expect(names).toEqual(['DOCKER_TLS_CA_PASSPHRASE', 'SUDO_PASSWORD']);
  const secrets = [...names, 'KNOWN_HOSTS', 'SSH_KEY'];

  const github = parse(read('examples/github-actions/docker-tls.yml')) as { jobs: Record<string, Job> };
  const { jobs, ...ofAll } = github;
  expect(Object.keys(jobs)).toEqual(['check', 'apply', 'renew']);
  expect(JSON.stringify([ofAll, jobs.check])).not.toMatch(/secrets|STORE|environment/);
  for (const job of [jobs.apply, jobs.renew]) {
    const env = Object.assign({}, ...(job?.steps ?? []).map((step) => step.env ?? {}));
    expect(env).toEqual(Object.fromEntries(secrets.map((name) => [name, `\${{ secrets.${name} }}`])));
    expect(job?.environment).toBe('docker-hosts');
  }

  // GitLab gives them to the jobs of their environment.
  const gitlabText = read('examples/gitlab-ci/docker-tls.gitlab-ci.yml');
  const gitlab = parse(gitlabText, { logLevel: 'silent' }) as Record<string, Job>;
  for (const name of secrets) expect(gitlabText).toContain(name);
  expect(gitlab['.docker-tls-hosts']?.environment).toBe('docker-hosts');
  expect(['check', 'apply', 'renew'].map((job) => gitlab[job]?.extends)).toEqual([
    '.docker-tls',
    '.docker-tls-hosts',
    '.docker-tls-hosts',
  ]);
  expect(JSON.stringify([gitlab['.docker-tls'], gitlab.check])).not.toMatch(/SSH_KEY|STORE|environment/);
});

test("the pipelines need no runner of one's own", () => {
  for (const path of examples) expect(read(path)).not.toMatch(/self-hosted|tags:/);
});
