import { dirname } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { CertificateFactory } from '../support/certificate-factory.ts';
import { runCli, runUnreached } from '../support/cli.ts';
import { type IssuedOptions, issueStore, storeCa } from '../support/issued-store.ts';
import { importFrom } from '../support/outside-clients.ts';
import { newHome, removeHomes } from '../support/store.ts';

let home: string;
let directory: string;
let dialled: string[];
const factory = new CertificateFactory();

beforeEach(() => {
  home = newHome();
  directory = dirname(home);
  dialled = [];
});
afterAll(() => {
  removeHomes();
  factory.remove();
});

const run = (...argv: string[]) => runUnreached({ home, directory }, argv, (host) => dialled.push(host));
const state = () => openStore(home).read();
const client = async (name: string) => (await state()).clients.get(name)?.record;
const two: IssuedOptions = { hosts: { 'build-1': {}, 'build-2': {} } };

describe('an imported CA, which has clients that are not in this store', () => {
  beforeEach(async () => {
    const ca = factory.issue('company', { ca: true });
    await storeCa(home, ca);
    await issueStore(home, { ...two, clients: { laptop: undefined, eve: undefined } });
  });

  test.each([
    ['client revoke', ['client', 'revoke', 'eve', '--yes'], 'build-1, build-2'],
    ['its dry run', ['client', 'revoke', 'eve', '--dry-run'], 'build-1, build-2'],
    ['client add --hosts', ['client', 'add', 'eve', '--hosts', 'build-1', '--yes'], 'build-2'],
    ['its dry run', ['client', 'add', 'eve', '--hosts', 'build-1', '--dry-run'], 'build-2'],
    ['client add of a new one', ['client', 'add', 'ci', '--hosts', 'build-1', '--yes'], 'build-2'],
    ['its dry run', ['client', 'add', 'ci', '--hosts', 'build-1', '--dry-run'], 'build-2'],
  ])('%s is refused without its own yes: hosts would list their clients', async (_, argv, where) => {
    const before = await state();
    const { exit, json } = await run(...argv);
    expect([exit, json.error?.code, json.error?.where]).toEqual([4, 'E_OTHER_CLIENTS', where]);
    expect(json.error?.message).toContain('clients of the CA "company"');
    expect(json.error?.hints.join('\n')).toContain('--reject-other-clients');
    expect([await state(), dialled]).toEqual([before, []]);
  });

  test('with it the dry run says whom it hits, and the change is made', async () => {
    const yes = '--reject-other-clients';
    const home2 = ['--home', home];
    const dry = await runCli(['client', 'revoke', 'eve', '--dry-run', yes, ...home2]);
    expect(dry.err).toSay('every-client-ca-rejected-2', 'build-1', 'build-2', '"company"');
    const add = await runCli(['client', 'add', 'ci', '--hosts', 'build-1', '--dry-run', yes, ...home2]);
    expect(add.err).toSay('every-client-ca-rejected', 'build-2', '"company"');
    await run('client', 'revoke', 'eve', '--yes', yes);
    expect((await client('eve'))?.revokedAt).toBeDefined();
    expect(new Set(dialled)).toEqual(new Set(['build-1', 'build-2']));
  });

  test('a client for all hosts takes access from no other and needs no yes', async () => {
    expect((await run('client', 'add', 'ci', '--yes')).exit).toBe(0);
  });

  test('where a host lists its clients already, no client is left to lose access', async () => {
    await run('client', 'revoke', 'eve', '--yes', '--reject-other-clients');
    const store = openStore(home);
    await store.withLock('test', async () => {
      const { hosts, issuers } = await store.read();
      const listed = [...hosts].map(
        ([name, host]) => [name, { ...host, ca: issuers.get('laptop')?.cert ?? '' }] as const,
      );
      await store.write({ hosts: Object.fromEntries(listed) });
    });
    const dry = await run('client', 'add', 'ci', '--hosts', 'build-1', '--dry-run');
    expect(dry.json.result.clients).toMatchObject([{ client: 'ci', created: true }]);
  });
});

describe('client revoke', () => {
  test('a host that no other client may use stays as it is and is named; the others are changed', async () => {
    await issueStore(home, { ...two, clients: { laptop: ['build-2'], eve: undefined } });
    const { exit, json } = await run('client', 'revoke', 'eve', '--yes');
    expect([exit, json.ok]).toEqual([5, false]);
    expect(json.error?.errors?.map(({ code, where }) => [code, where])).toEqual([
      ['E_HOST_WITHOUT_CLIENTS', 'build-1'],
      ['E_SSH_TIMEOUT', 'build-2'],
    ]);
    expect(json.error?.errors?.[0]).toMatchObject({ message: expect.stringContaining('still accepts') });
    expect((await client('eve'))?.revokedAt).toBeDefined();
    // The hint works: the host then has a client that verifies it.
    dialled = [];
    const add = await run('client', 'add', 'bob', '--hosts', 'build-1', '--yes');
    expect(add.json.error?.errors?.map(({ code }) => code)).toEqual(['E_SSH_TIMEOUT', 'E_SSH_TIMEOUT']);
    expect(add.json.result.hosts.map((host: { host: string }) => host.host).sort()).toEqual(['build-1', 'build-2']);
  });

  test("a client of another CA is that CA's to revoke, and does not count among those who are left", async () => {
    const there = newHome();
    await issueStore(there, { ...two, clients: { ann: undefined } });
    await issueStore(home, { hosts: { web: {} }, clients: { laptop: undefined } });
    await importFrom(there, home, 'ann');
    const foreign = await run('client', 'revoke', 'ann', '--yes');
    expect([foreign.exit, foreign.json.error?.code]).toEqual([2, 'E_CLIENT_EXTERNAL']);
    expect(foreign.json.error?.hints.join()).toContain('client revoke ann');
    expect((await client('ann'))?.revokedAt).toBeUndefined();
    expect((await run('client', 'revoke', 'laptop', '--yes')).json.error?.code).toBe('E_LAST_CLIENT');
  });
});

describe('rotate client', () => {
  test.each([[[]], [['--dry-run']]])('a revoked client is called that, and not unknown %j', async (more) => {
    await issueStore(home, { ...two, clients: { laptop: undefined, eve: undefined } });
    await run('client', 'revoke', 'eve', '--yes');
    const { exit, json } = await run('rotate', 'client', 'eve', ...more);
    expect([exit, json.error?.code]).toEqual([2, 'E_CLIENT_REVOKED']);
  });
});

describe('client add', () => {
  test('of one that is there: its hosts and lifetime are what was said, its credentials stay', async () => {
    await issueStore(home, { ...two, clients: { laptop: undefined, ci: ['build-1'] } });
    const cert = (await state()).clients.get('ci')?.cert;
    const { json } = await run('client', 'add', 'ci', '--hosts', 'build-2', '--days', '30', '--yes');
    expect(json.result.clients).toMatchObject([{ client: 'ci', created: false, changed: true }]);
    expect(await client('ci')).toMatchObject({ hosts: ['build-2'], days: 30 });
    expect((await state()).clients.get('ci')?.cert).toBe(cert);
    expect(dialled.length).toBe(2);
    const again = await run('client', 'add', 'ci', '--hosts', 'build-2', '--yes');
    expect(again.json.result.clients).toMatchObject([{ client: 'ci', created: false, changed: false }]);
  });

  test.each(['constructor', 'valueOf'])('by a name that every object knows: %s', async (name) => {
    await issueStore(home, { ...two, clients: { laptop: undefined } });
    const { exit, json } = await run('client', 'add', name, '--yes');
    expect([exit, json.result.clients]).toMatchObject([0, [{ client: name, created: true }]]);
    expect(await client(name)).toMatchObject({ name });
  });

  test('without consent leaves no trace', async () => {
    await issueStore(home, { ...two, clients: { laptop: undefined } });
    const before = await state();
    const { json } = await run('client', 'add', 'ci', '--hosts', 'build-1');
    expect(json.error?.code).toBe('E_NO_TERMINAL');
    expect(await state()).toEqual(before);
  });
});
