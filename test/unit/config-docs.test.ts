/** Every docker-tls command of the fleet's and CI's pages and examples is one that the program takes; the examples are YAML. */

import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { findCommand } from '../../src/cli/commands.ts';
import { parseOptions } from '../../src/cli/options.ts';
import { shellWords } from '../../src/domain/quote.ts';

const root = new URL('../../', import.meta.url);
const examples = readdirSync(new URL('examples', root), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yml'))
  .map((name) => `examples/${name}`);

/** What follows `docker-tls` at the beginning of a command, up to a pipe, a redirection or the end. */
function commandsIn(text: string): string[] {
  return [...text.matchAll(/(?:^ *(?:- )?|: |\| |`)docker-tls ((?:[^`|>;\n"]|"[^"\n]*")+)/gm)]
    .map((match) => (match[1] as string).trim())
    .filter((command) => /^[a-z]+ ?/.test(command));
}

test.each(['docs/fleet.md', 'docs/ci.md', ...examples])('the commands in %s exist', async (path) => {
  const commands = commandsIn(readFileSync(new URL(path, root), 'utf8'));
  expect(commands.length).toBeGreaterThan(0);
  for (const line of commands) {
    const words = shellWords(line) ?? [];
    const found = findCommand(words.slice(0, 2));
    if (found.kind !== 'command') throw new Error(`${path}: docker-tls ${line}: no such command`);
    const command = await found.entry.load();
    const rest = words.slice(found.entry.name.split(' ').length);
    // The name of a command in running text (`plan`) is no call of it.
    if (rest.length > 0) expect(() => parseOptions(command, rest, { env: {}, cwd: '/' }), line).not.toThrow();
  }
});

test.each(examples)('%s is YAML', (path) => {
  const jobs = parse(readFileSync(new URL(path, root), 'utf8'));
  expect(Object.keys(jobs).length).toBeGreaterThan(0);
});

test('docs/ci.md names every example', () => {
  const page = readFileSync(new URL('docs/ci.md', root), 'utf8');
  expect(examples.length).toBe(4);
  for (const path of examples) expect(page).toContain(`../${path}`);
});

type Job = { readonly env?: Record<string, string>; readonly environment?: string };

test('the pipelines have every secret that the fleet file of docs/ci.md names, and only jobs that issue have the CA passphrase', () => {
  const page = readFileSync(new URL('docs/ci.md', root), 'utf8');
  const names = [...page.matchAll(/: env:([A-Z_]+)/g)].map((match) => match[1] as string);
  expect(names).toEqual(['DOCKER_TLS_CA_PASSPHRASE', 'SUDO_PASSWORD']);
  const github = parse(readFileSync(new URL('examples/github-actions/docker-tls.yml', root), 'utf8')) as {
    env: Record<string, string>;
    jobs: Record<string, Job>;
  };
  const gitlabText = readFileSync(new URL('examples/gitlab-ci/docker-tls.gitlab-ci.yml', root), 'utf8');
  const gitlab = parse(gitlabText) as Record<string, Job>;
  for (const name of names) expect(gitlabText).toContain(name);
  const secretsOf = (job: string) =>
    names.filter((name) => ({ ...github.env, ...github.jobs[job]?.env })[name] === `\${{ secrets.${name} }}`);
  expect(['plan', 'apply', 'renew'].map(secretsOf)).toEqual([['SUDO_PASSWORD'], names, names]);
  // GitLab gives the passphrase to the jobs of its environment.
  const environmentOf = (job: string) => gitlab[job]?.environment;
  expect(['plan', 'apply', 'renew'].map(environmentOf)).toEqual([undefined, 'docker-hosts', 'docker-hosts']);
});
