import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addOperator, removeOperator } from '../../../../src/features/team/store/admin.ts';
import { openTeamSession } from '../../../../src/features/team/store/open-team-store.ts';
import { checkTeamStore, restoreTeamStore } from '../../../../src/features/team/store/restore-store.ts';
import type { Session } from '../../../../src/features/team/store/session.ts';
import { readLog } from '../../../../src/features/team/store/signed-log.ts';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import { removeHomes, removeLater, sampleCa, sampleClient, sampleHost } from '../../../support/store.ts';
import { type EtcdServers, startEtcd } from '../support/etcd.ts';
import { enrol, type Member, type Members, membersOf } from '../support/team.ts';

let plain: EtcdServers;
let secure: EtcdServers;
let files: NonNullable<EtcdServers['files']>;

beforeAll(async () => {
  [plain, secure] = await Promise.all([startEtcd(), startEtcd({ tls: true })]);
  files = secure.files as typeof files;
});
afterAll(async () => {
  await Promise.all([plain.stop(), secure.stop()]);
  removeHomes();
});

type Named = Members & { readonly prefix: string };

function team(): Named {
  const prefix = `test/${randomUUID()}`;
  return { prefix, ...membersOf(`etcd://${plain.endpoints}/${prefix}?tls=off`) };
}

function write(member: Member, change: Parameters<ReturnType<typeof teamStore>['write']>[0]) {
  const store = teamStore(member.session());
  return store.withLock('docker-tls test', () => store.write(change));
}

async function hostsOf(member: Member): Promise<string[]> {
  return [...(await teamStore(member.session()).read()).hosts.keys()];
}

/** The keys and values of a store, as its administrator sees them. */
function dump({ prefix }: Named): Map<string, string> {
  const { kvs } = JSON.parse(plain.ctl('get', '--prefix', `/${prefix}/`, '--write-out=json')) as {
    kvs: { key: string; value?: string }[];
  };
  return new Map(kvs.map(({ key, value = '' }) => [Buffer.from(key, 'base64').toString(), value]));
}

async function ask(path: string, body: object): Promise<void> {
  const answer = await fetch(`http://${plain.endpoints}${path}`, { method: 'POST', body: JSON.stringify(body) });
  expect(answer.status, await answer.text()).toBe(200);
}

const encoded = (text: string) => Buffer.from(text).toString('base64');

/** A restored backup: these keys and no others. */
async function replace({ prefix }: Named, keys: ReadonlyMap<string, string>): Promise<void> {
  plain.ctl('del', '--prefix', `/${prefix}/`);
  for (const [key, value] of keys) await ask('/v3/kv/put', { key: encoded(key), value });
}

describe('TLS, a client certificate, and a user', () => {
  const password = 'correct horse';
  let passwordFile = '';
  let directory = '';

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'store-test-'));
    removeLater(directory);
    passwordFile = join(directory, 'password');
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    const { ctl } = secure;
    ctl('user', 'add', 'root:root-password');
    ctl('user', 'grant-role', 'root', 'root');
    for (const [user, right] of [
      ['ops', 'readwrite'],
      ['guest', 'read'],
    ] as const) {
      ctl('user', 'add', `${user}:${password}`);
      ctl('role', 'add', user);
      ctl('role', 'grant-permission', user, '--prefix=true', right, '/team/');
      ctl('user', 'grant-role', user, user);
    }
    ctl('auth', 'enable');
  });

  function session(
    query: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string>> = {},
    endpoints = secure.endpoints,
  ): Session {
    const url = `etcd://${endpoints}/team?${Object.entries(query)
      .map(([name, value]) => `${name}=${value}`)
      .join('&')}`;
    const member = membersOf(url).member('ada');
    const options = {
      home: member.home,
      url,
      env: { ...member.env, ...env },
      cwd: '/',
      who: 'ada@laptop',
      now: () => new Date(),
    };
    return openTeamSession({ ...options, note: () => {} }) as Session;
  }

  function access(): Record<string, string> {
    return { ca: files.ca, cert: files.cert, 'cert-key': files.key, user: 'ops', password: `file:${passwordFile}` };
  }

  test('together: the store is read and changed, with the password from a file or the environment', async () => {
    await session(access()).engine.requireWritable();
    const { engine } = session({ ...access(), password: 'env:ETCD_PASSWORD' }, { ETCD_PASSWORD: password });
    const message = { who: 'ada', subject: 'test', lines: [] };
    const made = await engine.commit(await engine.read(), {
      put: new Map([['a', Buffer.from('1')]]),
      remove: [],
      message,
    });
    expect((await session(access()).engine.read()).revision).toBe(made.revision);
    // A token that etcd no longer knows is requested again.
    secure.ctl('--user', 'root:root-password', 'auth', 'disable');
    secure.ctl('auth', 'enable');
    expect((await engine.read()).files.size).toBe(1);
  });

  test.each<[string, () => Session, object]>([
    [
      'a wrong password',
      () => session({ ...access(), password: 'env:WRONG' }, { WRONG: 'x' }),
      { code: 'E_STORE_ACCESS', exit: 4 },
    ],
    [
      'no user',
      () => session({ ca: files.ca, cert: files.cert, 'cert-key': files.key }),
      { code: 'E_STORE_ACCESS', hints: [expect.stringContaining('user=NAME'), expect.anything()] },
    ],
    [
      'a client certificate that names a user',
      () =>
        session({
          ...access(),
          cert: files.cert.replace('client', 'named'),
          'cert-key': files.key.replace('client', 'named'),
        }),
      {
        code: 'E_STORE_ACCESS',
        message: expect.stringContaining('common name'),
        hints: [expect.stringContaining('without CN'), expect.anything()],
      },
    ],
    [
      'no client certificate',
      () => session({ ca: files.ca, user: 'ops', password: `file:${passwordFile}` }),
      { code: 'E_STORE_TLS', exit: 4 },
    ],
    [
      'another CA than that of the servers',
      () => session({ ...access(), ca: files.cert }),
      { code: 'E_STORE_TLS', message: expect.stringContaining('not from a CA that is trusted') },
    ],
    [
      'a server whose certificate is for another name',
      () => session(access(), {}, secure.endpoints.replaceAll('127.0.0.1', 'localhost')),
      { code: 'E_STORE_TLS', message: expect.stringContaining('another name') },
    ],
    ['no CA', () => session({ cert: files.cert, 'cert-key': files.key }), { code: 'E_STORE_TLS' }],
    ['a CA file without a certificate', () => session({ ...access(), ca: passwordFile }), { code: 'E_FILE', exit: 2 }],
    [
      'a client certificate that is none',
      () => session({ ...access(), cert: passwordFile }),
      { code: 'E_FILE', exit: 2 },
    ],
    [
      'a key that is none',
      () => session({ ...access(), 'cert-key': passwordFile }),
      { code: 'E_SECRET_FILE', exit: 2 },
    ],
    [
      'the key of another certificate',
      () => session({ ...access(), 'cert-key': files.key.replace('client', 'named') }),
      { code: 'E_SECRET_FILE', exit: 2, message: expect.stringContaining('not the key of') },
    ],
    [
      'a variable that is not set',
      () => session({ ...access(), password: 'env:NOT_THERE' }),
      { code: 'E_SECRET_ENV', exit: 2 },
    ],
  ])('%s: refused, and not taken for a server that is down', async (_what, open, error) => {
    await expect(open().engine.read()).rejects.toMatchObject(error);
  });

  test('a user who may only read: found before anything is done', async () => {
    const guest = session({ ...access(), user: 'guest' }).engine;
    await guest.read();
    await expect(guest.requireWritable()).rejects.toMatchObject({
      code: 'E_STORE_ACCESS',
      hints: [expect.anything(), expect.stringContaining('grant-permission ROLE --prefix=true readwrite /team/')],
    });
  });

  test('a password or key that every local user can read is refused', async () => {
    const open = join(directory, 'open');
    writeFileSync(open, password);
    chmodSync(open, 0o644);
    for (const query of [
      { ...access(), password: `file:${open}` },
      { ...access(), 'cert-key': open },
    ])
      await expect(session(query).engine.read()).rejects.toMatchObject({ code: 'E_SECRET_FILE', where: open });
  });

  test('NODE_TLS_REJECT_UNAUTHORIZED turns off no verification', async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      await expect(session({ ...access(), ca: files.cert }).engine.read()).rejects.toMatchObject({
        code: 'E_STORE_TLS',
      });
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });
});

describe('whoever administers etcd', () => {
  test('reads names and messages, and nothing of what the files hold', async () => {
    const made = team();
    const ada = made.member('ada');
    await enrol(ada);
    await write(ada, {
      ca: sampleCa(0),
      hosts: { web: sampleHost('web', 0) },
      clients: { anna: sampleClient('anna', 0) },
    });
    const keys = dump(made);
    for (const value of keys.values())
      expect(Buffer.from(value, 'base64').toString('latin1')).not.toMatch(
        /PRIVATE|BEGIN CERT|web\.example|root@web|"anna"/,
      );
    const names = [...keys.keys()].map((key) => key.slice(made.prefix.length + 2).replace(/^g\/[0-9a-f]{16}\//, 'g/'));
    expect(names).toEqual([
      ...['g/ca/active/keys', 'g/ca/active/public', 'g/clients/anna/keys', 'g/clients/anna/public', 'g/files.json'],
      ...[
        'g/hosts/web/keys',
        'g/hosts/web/public',
        'g/keys/ca.age',
        'g/keys/signers.json',
        'g/keys/store.age',
        'g/manifest.json',
        'g/operators',
      ],
      ...['head', 'log/0000000001', 'log/0000000002'],
    ]);
    expect(await readLog(ada.session(), 10)).toMatchObject([
      { who: 'ada (ada@laptop)', subject: 'docker-tls test: 3 changes', revision: expect.stringMatching(/^2-/) },
      { subject: 'docker-tls operator add: operator ada: added' },
    ]);
  });

  test('cannot pass off a file, a head or a history of their own', async () => {
    const made = team();
    const [ada, bob] = [made.member('ada'), made.member('bob')];
    await enrol(ada, bob);
    await write(ada, { hosts: { web: sampleHost('web', 0) } });
    const good = dump(made);
    const file = [...good.keys()].find((key) => key.endsWith('hosts/web/public')) as string;
    const head = `/${made.prefix}/head`;
    const text = (key: string) => Buffer.from(good.get(key) as string, 'base64').toString();
    const changes: [string, string | undefined][] = [
      [file, 'x'],
      [file, undefined],
      [file.replace('web', 'other'), 'x'],
      [head, 'x'],
      [head, text(head).replace(/"parent":"[^"]*"/, '"parent":"7-00"')],
      [head, text(head).replace('"generation":"', '"regained":"9-00","generation":"')],
    ];
    for (const [key, value] of changes) {
      const tampered = new Map(good);
      if (value === undefined) tampered.delete(key);
      else tampered.set(key, encoded(value));
      await replace(made, tampered);
      await expect(hostsOf(bob), `${key} ${value}`).rejects.toMatchObject({ code: 'E_STORE_TAMPERED' });
    }
    await restoreTeamStore(ada.session());
    expect(await hostsOf(bob)).toEqual(['web']);
    // An entry that is not what its name says is not shown.
    const entry = `/${made.prefix}/log/0000000001`;
    const now = dump(made);
    const changed = text(entry).replace('"subject":"', '"subject":"not ');
    expect(changed).not.toBe(text(entry));
    await replace(made, new Map([...now, [entry, encoded(changed)]]));
    const known = (await readLog(bob.session(), 9)).map(({ revision }) => revision[0]);
    expect([known.includes('2'), known.includes('1')]).toEqual([true, false]);
    const without = [...now].filter(([key]) => !key.includes('/log/'));
    await replace(made, new Map(without));
    await expect(readLog(bob.session(), 9)).rejects.toMatchObject({ code: 'E_STORE_TAMPERED' });
  });

  test('cannot bring back an older state, not even where others went on from it; one command undoes it', async () => {
    const made = team();
    const [ada, bob, carol] = [made.member('ada'), made.member('bob'), made.member('carol')];
    await enrol(ada, bob, carol);
    await hostsOf(bob);
    const old = dump(made);
    await write(ada, { hosts: { revoked: sampleHost('revoked', 1) } });
    await replace(made, old);
    await expect(hostsOf(ada)).rejects.toMatchObject({ code: 'E_STORE_OLDER' });
    // Bob has not seen the newer state and continues: higher numbers, another history.
    for (const name of ['x', 'y']) await write(bob, { hosts: { [name]: sampleHost(name, 1) } });
    await expect(hostsOf(ada)).rejects.toMatchObject({
      code: 'E_STORE_OLDER',
      message: expect.toSay('do-not-build'),
      hints: [expect.toSay('ask-made-these-commits')],
    });
    await expect(restoreTeamStore(ada.session())).rejects.toMatchObject({
      code: 'E_STORE_OLDER',
      message: expect.stringContaining('has not seen'),
      details: [expect.toSay('store-commit', 'bob', 'bob@laptop')],
    });
    await restoreTeamStore(ada.session(), true);
    expect(await hostsOf(ada)).toEqual(['revoked']);
    expect(await hostsOf(bob)).toEqual(['revoked']);
    expect(await hostsOf(carol)).toEqual(['revoked']);
    expect(await restoreTeamStore(ada.session())).toBeUndefined();
    // An explicit restore accepts the older state.
    await replace(made, old);
    await checkTeamStore(ada.session(), true);
    expect(await hostsOf(ada)).toEqual([]);
  });

  test('cannot bring back an older state of the same line: who has seen more puts that back', async () => {
    const made = team();
    const [ada, bob] = [made.member('ada'), made.member('bob')];
    await enrol(ada, bob);
    const old = dump(made);
    for (const name of ['x', 'y']) await write(ada, { hosts: { [name]: sampleHost(name, 1) } });
    await replace(made, old);
    await expect(hostsOf(ada)).rejects.toMatchObject({
      code: 'E_STORE_OLDER',
      hints: expect.arrayContaining([expect.stringContaining('docker-tls store restore')]),
    });
    await restoreTeamStore(ada.session());
    expect(await hostsOf(bob)).toEqual(['x', 'y']);
    // An older state under an unsigned head, for a reader who has seen less than was signed since: nothing is restored.
    const newest = dump(made);
    const late = made.member('late');
    await replace(made, newest);
    await addOperator(ada.session(), { ...late, ca: true });
    await hostsOf(late);
    await write(ada, { removeHosts: ['x'] });
    const head = `/${made.prefix}/head`;
    const broken = new Map(dump(made));
    const text = Buffer.from(broken.get(head) as string, 'base64').toString();
    broken.set(head, encoded(text.replace(/"parent":"[^"]*"/, '"parent":"7-00"')));
    await replace(made, broken);
    await expect(hostsOf(late)).rejects.toMatchObject({ code: 'E_STORE_TAMPERED' });
    await expect(restoreTeamStore(late.session())).rejects.toMatchObject({ code: 'E_STORE_OLDER' });
    await restoreTeamStore(ada.session());
    expect(await hostsOf(late)).toEqual(['y']);
  });

  test('cannot empty it', async () => {
    const made = team();
    const ada = made.member('ada');
    await enrol(ada);
    await replace(made, new Map());
    await expect(hostsOf(ada)).rejects.toMatchObject({ code: 'E_STORE_OLDER' });
  });
});

test('a commit that is too large for one transaction is whole, and leaves nothing behind', async () => {
  const made = team();
  const [ada, bob] = [made.member('ada'), made.member('bob')];
  await enrol(ada, bob);
  const names = Array.from({ length: 150 }, (_, index) => `host-${index}`);
  await write(ada, { hosts: Object.fromEntries(names.map((name, index) => [name, sampleHost(name, index)])) });
  const generations = () =>
    new Set([...dump(made).keys()].flatMap((key) => /\/g\/([0-9a-f]{16})\//.exec(key)?.[1] ?? []));
  expect((await hostsOf(bob)).length).toBe(150);
  const [before] = generations();
  expect([generations().size, [...dump(made).keys()].filter((key) => key.includes('/making/'))]).toEqual([1, []]);
  // Everything again, under new keys.
  await removeOperator(ada.session(), 'bob');
  expect([generations().size, generations().has(before as string)]).toEqual([1, false]);
  expect((await hostsOf(ada)).length).toBe(150);
});

test('a record that is larger than a value of etcd may be fails alone', async () => {
  const made = team();
  const ada = made.member('ada');
  await enrol(ada);
  const store = teamStore(ada.session());
  const host = (name: string, times: number) => ({ ...sampleHost(name, 0), ca: sampleHost(name, 0).ca.repeat(times) });
  const join = (name: string, times: number) =>
    store.withLock('docker-tls apply', () => store.write({ hosts: { [name]: host(name, times) } }), { joins: true });
  const done = await Promise.allSettled([join('a', 1), join('b', 6000), join('c', 1)]);
  expect(done.map((one) => (one.status === 'rejected' ? one.reason.code : 'stored'))).toEqual([
    'stored',
    'E_STORE_FULL',
    'stored',
  ]);
  expect(await hostsOf(ada)).toEqual(['a', 'c']);
});

test('a run goes on over a compaction, and sees what others changed, removed and sealed anew', async () => {
  const made = team();
  const [ada, bob] = [made.member('ada'), made.member('bob')];
  await enrol(ada, bob);
  const session = bob.session();
  const store = teamStore(session);
  const see = async () => {
    session.forget();
    return [...(await store.read()).hosts.keys()];
  };
  expect(await see()).toEqual([]);
  await write(ada, { hosts: { a: sampleHost('a', 1), b: sampleHost('b', 1) } });
  await write(ada, { removeHosts: ['a'] });
  expect(await see()).toEqual(['b']);
  await write(ada, { hosts: { c: sampleHost('c', 1) } });
  const revision = JSON.parse(plain.ctl('get', 'x', '--write-out=json')).header.revision as number;
  plain.ctl('compact', String(revision));
  expect(await see()).toEqual(['b', 'c']);
  const many = Array.from({ length: 60 }, (_, index) => `host-${index}`);
  await write(ada, { hosts: Object.fromEntries(many.map((name) => [name, sampleHost(name, 1)])), removeHosts: ['b'] });
  expect((await see()).length).toBe(61);
  await checkTeamStore(session, false);
});

test('what changes is said at once to who waits for it', async () => {
  const made = team();
  const [ada, bob] = [made.member('ada'), made.member('bob')];
  await enrol(ada, bob);
  const { engine } = bob.session();
  const snapshot = await engine.read();
  const stop = new AbortController();
  let woken = false;
  const waiting = engine.changed?.(snapshot, stop.signal).then(() => {
    woken = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(woken).toBe(false);
  await write(ada, { hosts: { a: sampleHost('a', 1) } });
  await waiting;
  // Changes from before the call count as well.
  await engine.changed?.(snapshot, stop.signal);
  const forGood = engine.changed?.(await engine.read(), stop.signal);
  stop.abort(new Error('enough'));
  await expect(forGood).rejects.toThrow('enough');
});

describe('a server that is not what it should be', () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.close();
  });

  async function answering(status: number, body: string): Promise<Session> {
    const server = createServer((_, response) => response.writeHead(status).end(body));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return membersOf(`etcd://127.0.0.1:${(server.address() as { port: number }).port}/x?tls=off`)
      .member('ada')
      .session();
  }

  // Stand-ins: an etcd from before 3.4, and a full one.
  test.each<[string, number, string, string]>([
    ['has no JSON gateway', 404, '404 page not found', 'E_STORE_SERVER'],
    ['is full', 429, '{"code":8,"message":"etcdserver: mvcc: database space exceeded"}', 'E_STORE_FULL'],
    ['is a proxy without a server', 502, '<html>', 'E_STORE_UNREACHABLE'],
    ['says something else', 200, '<html>', 'E_STORE_SERVER'],
    ['never stops talking', 200, ' '.repeat(17 * 1024 * 1024), 'E_STORE_TAMPERED'],
  ])('%s', async (_what, status, body, code) => {
    await expect((await answering(status, body)).engine.read()).rejects.toMatchObject({ code });
  });

  test('keeps its connections: they go from here, since a watch opens the store again and again', async () => {
    const { engine } = await answering(404, '');
    const server = servers.at(-1) as Server;
    server.keepAliveTimeout = 0;
    await expect(engine.read()).rejects.toThrow();
    const open = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
    expect(await open()).toBe(1);
    for (let attempt = 0; attempt < 80 && (await open()) > 0; attempt++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await open()).toBe(0);
  });

  test('speaks no TLS, or nothing listens there', async () => {
    const { engine } = membersOf(`etcd://${plain.endpoints}/x`).member('ada').session();
    await expect(engine.read()).rejects.toMatchObject({
      code: 'E_STORE_UNREACHABLE',
      message: expect.stringContaining('before TLS began'),
    });
    const { engine: none } = membersOf('etcd://127.0.0.1:1/x?tls=off').member('ada').session();
    await expect(none.read()).rejects.toMatchObject({ code: 'E_STORE_UNREACHABLE', exit: 4 });
    await expect(none.requireWritable()).rejects.toMatchObject({ code: 'E_STORE_UNREACHABLE' });
  });
});
