/** Commands on a fleet file, without a host: the verifying client, secrets that are read, settings for later. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Prompts } from '../../../../src/core/actions/ask.ts';
import { passphraseSource } from '../../../../src/core/actions/ca-passphrase.ts';
import { contextsOf, takeContextsAway } from '../../../../src/core/actions/contexts-of-host.ts';
import { giveContexts } from '../../../../src/core/actions/requested-contexts.ts';
import { currentContext } from '../../../../src/core/adapters/docker/config-file.ts';
import { readContext, writeContext } from '../../../../src/core/adapters/docker/contexts.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { completeHost } from '../../../../src/core/domain/settings.ts';
import type { HostSession, Runtime, SshOptions } from '../../../../src/core/runtime.ts';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import { type CliSetting, runCli } from '../../../support/cli.ts';
import { FACTS_TIME_MS, GOOD_OUTPUT } from '../../../support/host-facts.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

let home: string;
let directory: string;
/** How hosts were dialled; none answers. */
let dialled: SshOptions[];

beforeEach(() => {
  home = newHome();
  directory = dirname(home);
  dialled = [];
});
afterAll(removeHomes);

function cli(argv: readonly string[], setting: CliSetting = {}) {
  return runCli([...argv, '--home', home], {
    cwd: directory,
    connect: (options) => {
      dialled.push(options);
      return Promise.reject(new DockerTlsError('E_SSH_REFUSED', 'no answer'));
    },
    ...setting,
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker'), ...setting.env },
  });
}

/** A host that can be inspected. */
const fit: HostSession = {
  host: 'b1',
  user: 'root',
  login: { user: 'root', destination: '10.0.0.1' },
  dialled: '10.0.0.1',
  run: async () => ({ status: 0, stdout: GOOD_OUTPUT, stderr: '' }),
  close: async () => {},
  [Symbol.asyncDispose]: async () => {},
};
const setUpDry = (argv: readonly string[], env: CliSetting['env'] = {}) =>
  cli(['setup', ...argv, '--dry-run', '--json'], { env, connect: async () => fit, now: () => new Date(FACTS_TIME_MS) });

const write = (text: string) => writeFileSync(join(directory, 'fleet.yaml'), text);
const store = () => openStore(home).read();

describe('who verifies a host', () => {
  test.each([
    ['apply', ['--yes']],
    ['plan', []],
  ])('%s --client: a slip of the hand is no new client', async (verb, yes) => {
    await issueStore(home, { clients: { laptop: undefined } });
    write('version: 1\nca: { passphrase: none }\nhosts: { b1: }\nclients: { laptop:, ops: }\n');
    const { exit, json } = await cli([verb, '-f', 'fleet.yaml', '--client', 'labtop', ...yes, '--json']);
    const again = `docker-tls --home ${home} ${[verb, '-f', 'fleet.yaml', ...yes, '--json', '--client', 'laptop'].join(' ')}`;
    expect([exit, json.error?.code, json.error?.hints]).toEqual([2, 'E_CLIENT_UNKNOWN', [again]]);
    expect(dialled).toEqual([]);
    expect([...(await store()).clients.keys()]).toEqual(['laptop']);
  });

  test('one that the file names is made', async () => {
    write('version: 1\nca: { passphrase: none }\nhosts: { b1: }\nclients: { ops: }\n');
    const { json } = await cli(['apply', '-f', 'fleet.yaml', '--client', 'ops', '--yes', '--json']);
    expect(json.error?.code).toBe('E_SSH_REFUSED');
  });
});

test('what the file says of a client that is there counts from its next renewal, and that is said', async () => {
  await issueStore(home, { clients: { ops: undefined } });
  write('version: 1\nhosts: { b1: }\nclients: { ops: { key-type: p384, days: 30 } }\n');
  const note = `client ops: days and key-type count from its next renewal on: docker-tls --home ${home} rotate client ops`;
  expect((await cli(['plan', '-f', 'fleet.yaml'])).err).toContain(note);
  await cli(['apply', '-f', 'fleet.yaml', '--yes']);
  expect((await store()).clients.get('ops')?.record).toMatchObject({ keyType: 'p384', days: 30 });
  expect((await cli(['plan', '-f', 'fleet.yaml'])).err).not.toContain(note);
});

describe('setup -f', () => {
  const FLEET = `version: 1
ca: { name: farm, key-type: p384, days: 100, passphrase: "env:WORDS" }
defaults: { sudo-password: "file:pw" }
hosts: { b1: root@10.0.0.1 }
`;

  test.each([['b1'], ['root@new.example.org']])('%s: the secrets are those that the file names', async (host) => {
    write(FLEET);
    writeFileSync(join(directory, 'pw'), 'sesame\n', { mode: 0o600 });
    await cli(['setup', host, '-f', 'fleet.yaml', '--yes']);
    expect(dialled.map(({ sudoPassword }) => sudoPassword?.revealText())).toEqual(['sesame']);
  });

  test('the CA is made as the file wants it, its key under the words that the file names', async () => {
    write(FLEET);
    writeFileSync(join(directory, 'pw'), 'sesame\n', { mode: 0o600 });
    const run = (env: CliSetting['env']) => setUpDry(['b1', '-f', 'fleet.yaml'], env);
    const planned = await run({});
    expect(planned.json.error).toBeUndefined();
    const ca = { change: 'create-ca', name: 'farm', keyType: 'p384', days: 100 };
    expect(planned.json.result.credentials).toContainEqual(expect.objectContaining(ca));
    // A plan needs no secret of the CA; issuing does.
    const made = await cli(['client', 'add', 'ops', '-f', 'fleet.yaml', '--yes']);
    expect(made.err).toContain('E_SECRET_ENV');
  });
});

test('the words for a new CA that the file asks for are asked for twice, those of one that is there once', async () => {
  const requested: { confirm?: boolean }[] = [];
  const prompts = {
    show: async () => {},
    password: async (question: { confirm?: boolean }) => {
      requested.push(question);
      return new Secret('correct horse');
    },
  } as unknown as Prompts;
  const source = passphraseSource({ noCaPassphrase: false } as never, { env: {} } as Runtime, prompts, 'prompt');
  await source.forNewCa();
  await source.forExistingCa(async () => true);
  expect(requested.map(({ confirm }) => confirm === true)).toEqual([true, false]);
});

test('rotate --dry-run --json has every host, those that failed too', async () => {
  await issueStore(home, { hosts: { b1: { address: '10.0.0.1' } }, clients: { ops: undefined } });
  const { exit, json } = await cli(['rotate', 'server', '--all', '--dry-run', '--json']);
  expect(exit).toBe(4);
  expect(json.result.hosts).toMatchObject([{ host: 'b1', result: 'failed', errors: [{ code: 'E_SSH_REFUSED' }] }]);
});

test('apply makes the contexts that the file asks for, on hosts that are done', async () => {
  await issueStore(home, {
    now: new Date(FACTS_TIME_MS),
    hosts: { b1: { address: '10.0.0.1' }, b2: { address: '10.0.0.2' } },
    clients: { ops: undefined, ann: ['b2'] },
  });
  const dockerConfig = join(directory, 'docker');
  const specs = [
    completeHost({ name: 'b1', ssh: { destination: '10.0.0.1' }, context: 'lab', use: true }),
    completeHost({ name: 'b2', ssh: { destination: '10.0.0.2' }, clients: ['ann'] }),
    completeHost({ name: 'b2', ssh: { destination: '10.0.0.2' }, clients: ['nobody'], context: 'other' }),
  ];
  const clients = [...(await store()).clients.values()];
  const around = { store: openStore(home), dockerConfig, now: () => new Date(FACTS_TIME_MS) };
  const errors = await giveContexts(specs, clients, around);
  expect(errors).toMatchObject([{ code: 'E_NO_CLIENTS', where: 'b2' }]);
  expect(await readContext({ name: 'lab', dockerConfig })).toMatchObject({
    host: 'tcp://10.0.0.1:2376',
    current: true,
  });
  expect(await readContext({ name: 'other', dockerConfig })).toBeUndefined();
});

test('contexts that lead to a host go with it, and no others', async () => {
  await issueStore(home, {
    now: new Date(FACTS_TIME_MS),
    hosts: { b1: { address: '10.0.0.1' }, b2: { address: '10.0.0.2' }, twin: { address: '10.0.0.2' } },
    clients: { ops: undefined },
  });
  const dockerConfig = join(directory, 'docker');
  const clients = [...(await store()).clients.values()];
  const around = { store: openStore(home), dockerConfig, now: () => new Date(FACTS_TIME_MS) };
  const specs = ['b1', 'b2'].map((name, index) =>
    completeHost({
      name,
      ssh: { destination: `10.0.0.${index + 1}` },
      context: `to-${name}`,
      ...(name === 'b1' ? { use: true } : {}),
    }),
  );
  expect(await giveContexts(specs, clients, around)).toEqual([]);
  // Another host of the store has the same address, so the context's host is unknown.
  expect(await contextsOf('b2', await store())).toEqual([]);
  const places = await contextsOf('b1', await store());
  expect(places.map(({ name }) => name)).toEqual(['to-b1']);
  // The context belongs to another program by now: it stays, and is an error among the removed ones.
  await writeContext({ name: 'odd', dockerConfig, host: 'tcp://10.0.0.1:2376', ca: '', cert: '', key: new Secret('') });
  const meta = join(dockerConfig, 'contexts/meta', createHash('sha256').update('odd').digest('hex'), 'meta.json');
  writeFileSync(meta, '{"Name":"odd","Metadata":{},"Endpoints":{}}');
  const away = await around.store.withLock('test', () =>
    takeContextsAway([{ name: 'odd', dockerConfig }, ...places], around),
  );
  expect(away).toMatchObject({ gone: ['to-b1'], errors: [{ code: 'E_CONTEXT_EXISTS' }] });
  expect(await readContext({ name: 'to-b1', dockerConfig })).toBeUndefined();
  expect(await currentContext(dockerConfig)).toBeUndefined();
  expect(await readContext({ name: 'to-b2', dockerConfig })).toBeDefined();
  expect((await store()).clients.get('ops')?.record.copies).toMatchObject([{ contexts: ['to-b2'] }]);
  expect(await contextsOf('b1', await store())).toEqual([]);
});

test('contexts that are in the way are found before any host is dialled, all at once, and nothing is made', async () => {
  const meta = (name: string) =>
    join(directory, 'docker/contexts/meta', createHash('sha256').update(name).digest('hex'), 'meta.json');
  for (const name of ['theirs', 'hers']) {
    mkdirSync(dirname(meta(name)), { recursive: true });
    writeFileSync(meta(name), JSON.stringify({ Name: name, Metadata: {}, Endpoints: {} }));
  }
  write(`version: 1
ca: { passphrase: none }
hosts: { b1: { context: theirs }, b2: { context: hers }, b3: { context: free } }
clients: { ops: {} }
`);
  const { exit, json } = await cli(['apply', '-f', 'fleet.yaml', '--yes', '--json']);
  expect(exit).toBe(2);
  expect(json.error?.errors).toMatchObject([
    { code: 'E_CONTEXT_EXISTS', where: expect.stringContaining('b1') },
    { code: 'E_CONTEXT_EXISTS', where: expect.stringContaining('b2') },
  ]);
  expect(dialled).toEqual([]);
  expect(existsSync(home)).toBe(false);
});
