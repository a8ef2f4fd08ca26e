/**
 * Hints of real failures, run: each command in them, with its placeholders filled, is one that docker-tls takes on this store and host.
 * Those that are meant to fix the failure do.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { findCommand } from '../../src/cli/commands.ts';
import { parseOptions } from '../../src/cli/options.ts';
import { buildProgram, type Program, type ProgramRun, runCli } from '../support/cli.ts';
import { commandsIn, hintsIn } from '../support/hints.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

let program: Program;
let host: LabHost;
let person: Person;
/** Without a store. */
let newcomer: Person;

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['hints-1'] })) as [LabHost];
  person = newPerson(program, [host]);
  newcomer = newPerson(program, [host]);
  for (const one of [person, newcomer]) {
    one.addSshConfig(`Host web\n  HostName ${host.address}\n  User root\n  IdentityFile ${host.keyFile}`);
    const write = (name: string, text: string): void => writeFileSync(join(one.home, name), text, { mode: 0o600 });
    write('pass', 'orbit-walnut-canyon-42\n');
    write('bad.yaml', 'version: 1\nhosts:\n  web: { prot: 1 }\n');
    write('text', 'no certificate\n');
    mkdirSync(join(one.home, 'empty'));
  }
  expect(await person.run(setup())).toMatchObject({ status: 0 });
  expect(await person.run(['client', 'add', 'ci', '--yes'])).toMatchObject({ status: 0 });
  expect(await person.run(['client', 'export', 'ci', '--out', 'ci.tar'])).toMatchObject({ status: 0 });
});
afterAll(async () => {
  await host?.down();
  person?.remove();
  newcomer?.remove();
  program?.remove();
});

const login = (one: Person): string[] => ['--ssh-config', join(one.home, '.ssh/config')];
const setup = (...more: string[]): string[] => [
  ...['setup', 'web', ...login(person), '--client', 'laptop', '--no-ca-passphrase', '--yes', ...more],
];

/** docker-tls as this person, in this process: some 300 runs, of which most end before they would have loaded the program. */
async function call(one: Person, argv: readonly string[]): Promise<ProgramRun> {
  // What looks for a home or an agent beside the run's own environment.
  vi.stubEnv('HOME', one.home);
  vi.stubEnv('SSH_AUTH_SOCK', undefined);
  const { exit, out, err } = await runCli(argv, { env: one.env, cwd: one.home });
  return { status: exit, out, err };
}

/** What a reader puts in the place of a word in capitals. */
function filled(word: string, before: string | undefined, { home }: Person): string {
  if (/^(?:\w+@)?(?:OTHER-)?HOST$/.test(word)) return 'web';
  if (word === 'FILE') return join(home, before === '--ca-passphrase-file' ? 'pass' : 'ci.tar');
  if (word === 'NAME') return 'ci';
  if (word === 'OTHER') return join(home, 'other.tar');
  if (/^DIR(?:ECTORY)?$/.test(word)) return join(home, 'empty');
  if (word === 'COMMAND') return '/bin/true';
  if (word === 'DATE') return '2030-01-01';
  if (word === 'TEXT') return 'text';
  if (/^[A-Z][A-Z-]+$/.test(word)) throw new Error(`a placeholder that nobody can fill: ${word}`);
  return word;
}

/** The command with --dry-run, if it takes that. */
async function dry(words: readonly string[]): Promise<string[]> {
  const found = findCommand(words.slice(0, 2).filter((word) => !word.startsWith('-')));
  if (found.kind !== 'command' || words.includes('--help')) return [...words];
  const at = words.includes('--') ? words.indexOf('--') : words.length;
  const all = [...words.slice(0, at), '--dry-run', ...words.slice(at)];
  try {
    parseOptions(await found.entry.load(), all.slice(found.entry.name.split(' ').length), { env: {}, cwd: '/' });
    return all;
  } catch {
    return [...words];
  }
}

const done = new Set<string>();

/** Runs every command of the hints; resolves to those that the program does not take. */
async function refused(one: Person, run: ProgramRun): Promise<string[]> {
  const wrong: string[] = [];
  for (const words of hintsIn(run.out, run.err).flatMap(commandsIn)) {
    const argv = await dry(words.map((word, index) => filled(word, words[index - 1], one)));
    // These end with Ctrl-C alone.
    if (done.has(argv.join(' ')) || /^(?:ssh|tunnel)\b|--watch/.test(argv.join(' '))) continue;
    done.add(argv.join(' '));
    const { status, err } = await call(one, argv);
    if (status === 1 || /error\[E_(?:USAGE|BUG)\]/.test(err))
      wrong.push(`docker-tls ${argv.join(' ')}: ${status} ${err}`);
  }
  return wrong;
}

/** Words → the code of the failure. */
const FAILURES: readonly (readonly [string, string])[] = [
  ['verify nope', 'E_HOST_UNKNOWN'],
  ['env nope', 'E_HOST_UNKNOWN'],
  ['doctor nope', 'E_HOST_UNKNOWN'],
  ['rollback nope --yes', 'E_HOST_UNKNOWN'],
  ['butane nope', 'E_USAGE'],
  ['env web --client nope', 'E_CLIENT_UNKNOWN'],
  ['client use nope', 'E_CLIENT_UNKNOWN'],
  ['client revoke nope --yes', 'E_CLIENT_UNKNOWN'],
  ['rotate client nope --yes', 'E_CLIENT_UNKNOWN'],
  ['client export nope', 'E_USAGE'],
  ['client export nope --out nope.tar', 'E_CLIENT_UNKNOWN'],
  ['client export ci --out ci.tar', 'E_FILE'],
  ['client import missing.tar', 'E_FILE'],
  ['client import text', 'E_BUNDLE'],
  ['client import ci.tar', 'E_CLIENT_EXISTS'],
  ['client sign text', 'E_CSR'],
  ['client add other --hosts nope --yes', 'E_HOST_UNKNOWN'],
  ['client add other --role nope --yes', 'E_'],
  ['rotate web', 'E_USAGE'],
  ['renew', 'E_USAGE'],
  ['stauts', 'E_USAGE'],
  ['client', 'E_USAGE'],
  ['rollback web --yes', 'E_'],
  ['rollback web --to 99 --yes', 'E_'],
  ['remove web', 'E_'],
  ['remove nope --yes', 'E_HOST_UNKNOWN'],
  ['forget nope --yes', 'E_HOST_UNKNOWN'],
  ['rename web web', 'E_'],
  ['plan -f missing.yaml', 'E_FLEET'],
  ['plan -f bad.yaml', 'E_FLEET'],
  ['plan --limit nope', 'E_LIMIT'],
  ['plan --shard auto', 'E_USAGE'],
  ['status --watch --check', 'E_USAGE'],
  ['status --port 1', 'E_USAGE'],
  ['verify --yes', 'E_USAGE'],
  ['harden web --only nope --dry-run', 'E_USAGE'],
  ['harden web --accept icc --only sshd --dry-run', 'E_USAGE'],
  ['audit web --check nope', 'E_'],
  ['audit --compose missing.yml', 'E_'],
  ['audit web --write-baseline x.yaml', 'E_USAGE'],
  ['audit web --vulnerabilities missing', 'E_'],
  ['ca import --cert missing.pem', 'E_'],
  ['ca import --cert text', 'E_'],
  ['ca create', 'E_CA_EXISTS'],
  ['setup web --port 22 --yes', 'E_'],
  ['setup web --listener haproxy --yes', 'E_'],
  ['setup web -i missing --yes', 'E_SSH_KEY_FILE'],
  ['role test nope "GET /info"', 'E_'],
  ['operator list', 'E_'],
  ['log', 'E_'],
  ['--store nope status', 'E_STORE_URL'],
  ['import docker-machine', 'E_'],
  ['env web --format nope', 'E_USAGE'],
];

test.each(FAILURES)('docker-tls %s: %s, and its hints run', async (line, code) => {
  const words = line.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', '')) ?? [];
  const connects = words[0] === 'setup';
  const run = await call(person, [...words, ...(connects ? login(person) : [])]);
  expect(run.err).toContain(`error[${code}`);
  expect(hintsIn(run.out, run.err), run.err).not.toEqual([]);
  expect(await refused(person, run)).toEqual([]);
});

test.each([
  ['env', 'E_NO_HOSTS'],
  ['verify', 'E_'],
  ['ca show', 'E_NO_CA'],
  ['client add ci --yes', 'E_'],
  ['setup nobody@web --yes --no-ca-passphrase', 'E_SSH_AUTH'],
])('without a store, docker-tls %s: %s, and its hints run', async (line, code) => {
  const words = line.split(' ');
  const run = await call(newcomer, [...words, ...(words[0] === 'setup' ? login(newcomer) : [])]);
  expect(run.err).toContain(`error[${code}`);
  expect(await refused(newcomer, run)).toEqual([]);
});

/** The hint that is meant to fix it, run as it is; then the failing command succeeds. */
async function fixedBy(one: Person, argv: readonly string[], code: string, hint: RegExp): Promise<void> {
  const failed = await one.run(argv);
  expect(failed.err).toContain(`error[${code}]`);
  const found = hintsIn(failed.out, failed.err)
    .flatMap(commandsIn)
    .find((words) => hint.test(words.join(' ')));
  const words = found?.map((word, index) => filled(word, found[index - 1], one)) ?? [];
  expect(await one.run(words), failed.err).toMatchObject({ status: 0 });
}

test('a passphrase that is missing: both ways that the hints name', async () => {
  const argv = ['setup', 'web', ...login(newcomer), '--yes', '--take-over', '--dry-run'];
  expect(await newcomer.run(argv)).toMatchObject({ status: 0 });
  const real = argv.slice(0, -1);
  await fixedBy(newcomer, real, 'E_CA_PASSPHRASE', /--ca-passphrase-file/);
  expect(await person.run(setup('--take-over'))).toMatchObject({ status: 0 });
});

test('a context that another program made is replaced as the hint says', async () => {
  expect(await person.call('docker', ['context', 'rm', '--force', 'web'])).toMatchObject({ status: 0 });
  expect(await person.call('docker', ['context', 'create', 'web', '--docker', 'host=unix:///x'])).toMatchObject({
    status: 0,
  });
  await fixedBy(person, ['context', 'web'], 'E_CONTEXT_EXISTS', /^context .*--replace/);
});

test('a client that no host accepts any longer, and a host that is down: doctor says so', async () => {
  await host.must('systemctl stop docker docker.socket');
  const down = await person.run(['verify', 'web']);
  expect(down.status).toBe(7);
  expect(await refused(person, down)).toEqual([]);
  await host.must('systemctl start docker');
});
