/**
 * Nothing is signed before consent: every command that changes something is run with --dry-run, and without consent, while everything
 * that it could do is counted. A command that is in neither table fails the test.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { writeSignScript } from '../features/issuers/support/sign-script.ts';
import { answeringHosts } from '../support/answering-hosts.ts';
import { CertificateFactory } from '../support/certificate-factory.ts';
import { type CliRun, runCli } from '../support/cli.ts';
import { issueStore } from '../support/issued-store.ts';
import { newHome, picture, removeHomes } from '../support/store.ts';

/** The real ones, counted before anything of ours is loaded: every key (RSA apart) and every signature goes through them. */
const { counted, restore } = vi.hoisted(() => {
  const crypto = process.getBuiltinModule('node:crypto');
  const { syncBuiltinESMExports } = process.getBuiltinModule('node:module');
  const { createECDH, generateKeyPairSync, sign } = crypto;
  const counted = { keys: 0, certificates: 0 };
  const counting =
    (what: keyof typeof counted, real: (...words: never[]) => unknown) =>
    (...words: never[]) => {
      counted[what] += 1;
      return real(...words);
    };
  const put = (functions: object) => {
    Object.assign(crypto, functions);
    syncBuiltinESMExports();
  };
  put({
    createECDH: counting('keys', createECDH),
    generateKeyPairSync: counting('keys', generateKeyPairSync as never),
    sign: counting('certificates', sign as never),
  });
  return { counted, restore: () => put({ createECDH, generateKeyPairSync, sign }) };
});

const factory = new CertificateFactory();
afterAll(() => {
  restore();
  removeHomes();
  factory.remove();
});

const now = new Date();
let home: string;
let directory: string;
let onHost: string[];
let passphrases: number;
let signed: string;

/** The passphrase is in the environment, from where it is taken when it is needed. */
function environment(): Record<string, string> {
  const env = { HOME: directory, DOCKER_CONFIG: join(directory, 'docker'), DOCKER_TLS_HOME: home };
  return new Proxy(env as Record<string, string>, {
    get(target, name) {
      if (name === 'DOCKER_TLS_CA_PASSPHRASE') passphrases += 1;
      return name === 'DOCKER_TLS_CA_PASSPHRASE' ? 'correct horse' : Reflect.get(target, name);
    },
  });
}

function run(argv: readonly string[]): Promise<CliRun> {
  return runCli([...argv, '--json'], {
    cwd: directory,
    env: environment(),
    now: () => now,
    connect: answeringHosts({ home, now, onChange: (phase) => onHost.push(phase) }),
    probe: async () => ({ kind: 'refused', cause: 'connection-refused', reason: '', chain: '', elapsedMs: 0 }),
  });
}

beforeEach(async () => {
  home = newHome();
  directory = dirname(home);
  onHost = [];
  signed = join(directory, 'signed');
  writeFileSync(signed, '');
  mkdirSync(join(directory, 'machines/machines/old'), { recursive: true });
  writeFileSync(
    join(directory, 'fleet.yaml'),
    'version: 1\nhosts: { h1: 127.0.0.1, h3: 127.0.0.3 }\nclients: { laptop:, ci: { hosts: [h1] } }\n',
  );
});

/** Two hosts, two clients, and a request; the CA's key is here, under the passphrase. */
async function ownCa(): Promise<void> {
  const clients = { laptop: undefined, eve: undefined };
  await issueStore(home, { now, hosts: { h1: {}, h2: {} }, clients, passphrase: 'correct horse' });
  await runCli(['client', 'request', 'ann', '--out', join(directory, 'ann.csr'), '--home', newHome()]);
}

/** The same with an imported CA, for which a command signs. */
async function signCommand(): Promise<void> {
  const ca = factory.issue('company', { ca: true });
  const script = writeSignScript(join(directory, 'sign'), ca);
  writeFileSync(script, readFileSync(script, 'utf8').replace('set -e', `set -e\necho run >>'${signed}'`));
  await run(['ca', 'import', '--cert', ca.certFile, '--sign-command', script, '--no-ca-passphrase']);
  const set = (argv: string[]) => run([...argv, '--yes']);
  await set(['client', 'add', 'laptop']);
  writeFileSync(signed, '');
}

/** What a run did that needs consent. */
async function counts(work: () => Promise<CliRun>): Promise<{ run: CliRun; done: Record<string, unknown> }> {
  const look = () => (existsSync(home) ? picture(home) : {});
  const before: Record<string, string> = look();
  Object.assign(counted, { keys: 0, certificates: 0 });
  passphrases = 0;
  const made = await work();
  const after = look();
  const done = {
    ...counted,
    signCommandRuns: readFileSync(signed, 'utf8').split('\n').length - 1,
    passphrases,
    storeWrites: Object.keys({ ...before, ...after }).filter((path) => before[path] !== after[path]),
    onHost,
  };
  return { run: made, done };
}

const NOTHING = { keys: 0, certificates: 0, signCommandRuns: 0, passphrases: 0, storeWrites: [], onHost: [] };

/** Arguments by command; `asks`: it does nothing without consent. */
const CHANGING: readonly (readonly [name: string, argv: readonly string[], asks: boolean])[] = [
  ['setup', ['root@h9', '--client', 'new'], true],
  ['plan', ['-f', 'fleet.yaml'], false],
  ['apply', ['-f', 'fleet.yaml'], true],
  ['rotate server', ['--all'], true],
  ['rotate client', ['--all'], false],
  ['rotate ca', [], true],
  ['client add', ['ci', '--hosts', 'h1'], true],
  ['client add', ['ci'], false],
  ['client revoke', ['eve'], true],
  ['client sign', ['ann.csr', '--hosts', 'h1'], true],
  ['client use', ['ann'], false],
  ['harden', ['--only', 'log-limits'], true],
  ['rollback', ['h1'], true],
  ['remove', ['h1', 'h2'], true],
  ['forget', ['h1'], true],
  ['rename', ['h1', 'h9'], false],
  ['ca import', [], false],
  ['ca create', [], false],
  ['import docker-machine', ['--storage-path', 'machines'], false],
];

/** Those that only read, or write nothing but files for a client or for docker on this computer. */
const OTHERS =
  /^(verify|status|audit|butane|doctor|env|context|schedule|completion|ssh|tunnel|notices|version|log|client (list|export|import|request)|ca (show|export))$/;

/** Those about a store itself: test/features/team/cli/team.test.ts has what they do before consent. */
const STORES = /^(operator (add|remove|list)|store (copy|export|check|restore))$/;

test('every command is in one of the tables', () => {
  const listed = new Set(CHANGING.map(([name]) => name));
  expect(
    COMMANDS.map(({ name }) => name).filter((name) => !listed.has(name) && !OTHERS.test(name) && !STORES.test(name)),
  ).toEqual([]);
});

function words(name: string, argv: readonly string[]): string[] {
  const more = name === 'ca import' ? ['--cert', factory.issue('other', { ca: true }).certFile] : [];
  return [...name.split(' '), ...argv, ...more];
}

describe('with the key of the CA here', () => {
  beforeEach(ownCa);

  test.each(CHANGING)('%s %j --dry-run does nothing', async (name, argv) => {
    const { run: made, done } = await counts(() => run([...words(name, argv), '--dry-run']));
    expect(done, made.out).toEqual(NOTHING);
    expect(made.json.error?.code, made.out).not.toBe('E_BUG');
    // What has no value is absent.
    expect(JSON.stringify(made.json)).not.toMatch(/:"-"|"generation":"/);
  });

  test.each(CHANGING.filter(([, , asks]) => asks))('%s %j does nothing without consent', async (name, argv) => {
    const { run: made, done } = await counts(() => run(words(name, argv)));
    expect(made.json.error?.code, made.out).toBe('E_NO_TERMINAL');
    expect(done).toEqual(NOTHING);
  });
});

test('in an empty store a dry run of setup makes no CA, and asks for no passphrase', async () => {
  const { run: made, done } = await counts(() => run(['setup', 'root@h9', '--dry-run']));
  expect([made.exit, done]).toEqual([0, NOTHING]);
  expect(made.json.result.credentials[0]).toMatchObject({ change: 'create-ca', issues: true });
});

describe('with a sign command', () => {
  test.each([
    ['plan', ['-f', 'fleet.yaml']],
    ['setup', ['root@h9', '--client', 'laptop', '--dry-run']],
    ['apply', ['-f', 'fleet.yaml', '--dry-run']],
    ['rotate client', ['--all', '--dry-run']],
    ['client add', ['ci', '--dry-run']],
  ])('%s runs it not once', async (name, argv) => {
    await signCommand();
    const { done } = await counts(() => run(words(name, argv)));
    expect(done).toEqual(NOTHING);
  });

  test('which is counted when it does run', async () => {
    await signCommand();
    const { run: made, done } = await counts(() => run(['client', 'add', 'ci', '--yes']));
    expect(made.json.ok, made.out).toBe(true);
    // Of its issuing CA, then of itself.
    expect(done).toMatchObject({ signCommandRuns: 1, keys: 2 });
  });
});
