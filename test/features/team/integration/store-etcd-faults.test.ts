import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openTeamSession } from '../../../../src/features/team/store/open-team-store.ts';
import { checkTeamStore } from '../../../../src/features/team/store/restore-store.ts';
import { readLog } from '../../../../src/features/team/store/signed-log.ts';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import { CHILD_BUNDLE } from '../../../support/child-bundle.ts';
import { type Cut, type CuttingProxy, startProxy } from '../../../support/cutting-proxy.ts';
import { removeHomes, removeLater, sampleHost } from '../../../support/store.ts';
import { runChild } from '../../../support/store-child.ts';
import { type EtcdServers, startEtcd } from '../support/etcd.ts';
import { enrol, type Member, type Members, membersOf } from '../support/team.ts';

let servers: EtcdServers;
let bundle = '';
let proxies: CuttingProxy[] = [];

beforeAll(async () => {
  servers = await startEtcd({ members: 3 });
  const directory = join(import.meta.dirname, '..', '..', '..', '..', 'node_modules', '.cache', 'store-test');
  mkdirSync(directory, { recursive: true });
  bundle = join(directory, `etcd-${process.pid}.mjs`);
  removeLater(bundle);
  buildSync({
    stdin: {
      contents: `export * from './src/features/team/store/open-team-store.ts'; export * from './src/features/team/store/team-store.ts'; export * from './test/support/store.ts';`,
      resolveDir: join(import.meta.dirname, '..', '..', '..', '..'),
      loader: 'ts',
    },
    outfile: bundle,
    ...CHILD_BUNDLE,
  });
});
afterEach(async () => {
  await Promise.all(proxies.map((one) => one.stop()));
  proxies = [];
});
afterAll(async () => {
  await servers.stop();
  removeHomes();
});

function team(endpoints = servers.endpoints): Members {
  return membersOf(`etcd://${endpoints}/test/${randomUUID()}?tls=off`);
}

/** Ada behind a proxy; bob connects to the server itself. */
async function cut(decide: (number: number, path: string) => Cut): Promise<{ ada: Member; bob: Member }> {
  const target = servers.members[0]?.endpoint as string;
  let armed = false;
  const proxy = await startProxy(target, (number, path) => (armed ? decide(number, path) : 'pass'));
  proxies.push(proxy);
  const prefix = randomUUID();
  const ada = membersOf(`etcd://${proxy.endpoint}/test/${prefix}?tls=off`).member('ada');
  const bob = membersOf(`etcd://${target}/test/${prefix}?tls=off`).member('bob');
  await enrol(ada, bob);
  armed = true;
  return { ada, bob };
}

function put(member: Member, ...names: string[]) {
  const store = teamStore(member.session());
  const hosts = Object.fromEntries(names.map((name) => [name, sampleHost(name, 1)]));
  return store.withLock('docker-tls test', () => store.write({ hosts }));
}

async function hostsOf(member: Member): Promise<string[]> {
  return [...(await teamStore(member.session()).read()).hosts.keys()];
}

async function commitsOf(member: Member): Promise<number> {
  return (await readLog(member.session(), 1000)).length;
}

/** The transaction of a commit: it follows that of the head and that of the signed list. */
const isCommit = (path: string, transactions: { count: number }) => path === '/v3/kv/txn' && ++transactions.count === 3;

describe('a network that is cut', () => {
  test.each(['drop', 'deliver'] as const)('once, at the transaction (%s): it counts once', async (how) => {
    const seen = { count: 0 };
    const { ada, bob } = await cut((_, path) => (isCommit(path, seen) ? how : 'pass'));
    const before = await commitsOf(bob);
    await put(ada, 'a');
    expect(seen.count).toBeGreaterThan(3);
    expect([await commitsOf(bob), await hostsOf(bob)]).toEqual([before + 1, ['a']]);
  });

  test('at the transaction, and Ctrl-C with it: what became of the change is still asked', async () => {
    const stop = new AbortController();
    const seen = { count: 0 };
    const { ada, bob } = await cut((_, path) => {
      if (!isCommit(path, seen)) return 'pass';
      stop.abort(new Error('Ctrl-C'));
      return 'deliver';
    });
    const store = teamStore(ada.session(undefined, stop.signal));
    await store.withLock('docker-tls test', () => store.write({ hosts: { a: sampleHost('a', 1) } }));
    expect(await hostsOf(bob)).toEqual(['a']);
  });

  test('after Ctrl-C a run takes back what it has stored; one that has stored nothing ends', async () => {
    const ada = team().member('ada');
    await enrol(ada);
    const stop = new AbortController();
    const session = ada.session(undefined, stop.signal);
    const store = teamStore(session);
    const write = (change: Parameters<typeof store.write>[0]) =>
      store.withLock('docker-tls test', () => store.write(change));
    await write({ hosts: { a: sampleHost('a', 1) } });
    // Another run's commit: the current state must be read.
    await put(ada, 'b');
    stop.abort(new Error('Ctrl-C'));
    await expect(ada.session(undefined, stop.signal).read(0)).rejects.toThrow('Ctrl-C');
    await write({ removeHosts: ['a'] });
    expect(await hostsOf(ada)).toEqual(['b']);
    await session.read(0);
  });

  test('for good, while it is not known whether it arrived: said so, and the next run begins from what is there', async () => {
    const seen = { count: 0 };
    let gone = false;
    const { ada, bob } = await cut((_, path) => {
      if (gone) return 'drop';
      gone = isCommit(path, seen);
      return gone ? 'deliver' : 'pass';
    });
    await expect(put(ada, 'a')).rejects.toMatchObject({
      code: 'E_STORE_UNREACHABLE',
      message: expect.toSay('may-stored-not'),
    });
    gone = false;
    await put(ada, 'b');
    expect(await hostsOf(bob)).toEqual(['a', 'b']);
  });

  test('while another operator commits: the one that was cut begins again, and nothing is lost', async () => {
    const seen = { count: 0 };
    let others: Promise<unknown> | undefined;
    const made = await cut((_, path) => {
      if (!isCommit(path, seen)) return 'pass';
      others = put(made.bob, 'theirs');
      return 'deliver';
    });
    await put(made.ada, 'ours');
    await others;
    expect(await hostsOf(made.bob)).toEqual(['ours', 'theirs']);
  });
});

describe('members that do not answer, or refuse', () => {
  const stops: (() => unknown)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  async function listening(server: Server | NetServer): Promise<string> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(() => server.close());
    return `127.0.0.1:${(server.address() as { port: number }).port}`;
  }

  /** A member that passes reads on, and refuses writes. */
  function refusing(target: string): Promise<string> {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', async () => {
        if (body.includes('request_put'))
          return response.writeHead(403).end('{"code":7,"message":"etcdserver: permission denied"}');
        const answer = await fetch(`http://${target}${request.url}`, { method: 'POST', body });
        response.writeHead(answer.status).end(await answer.text());
      });
    });
    return listening(server);
  }

  test.each([
    ['deliver', 'is stored'],
    ['drop', 'is not said to be refused'],
  ] as const)('a refusal after an answer that was lost (%s): the change %s', async (how, _what) => {
    const target = servers.members[0]?.endpoint as string;
    const seen = { count: 0 };
    let armed = false;
    const proxy = await startProxy(target, (_, path) => (armed && isCommit(path, seen) ? how : 'pass'));
    proxies.push(proxy);
    const ada = team(`${proxy.endpoint},${await refusing(target)}`).member('ada');
    await enrol(ada);
    armed = true;
    const done = put(ada, 'a');
    if (how === 'deliver') await done;
    else
      await expect(done).rejects.toMatchObject({
        code: 'E_STORE_UNREACHABLE',
        message: expect.toSay('may-stored-not'),
      });
    expect(await hostsOf(ada)).toEqual(how === 'deliver' ? ['a'] : []);
  });

  test('Ctrl-C is heard while members hang', async () => {
    const open = new Set<Socket>();
    const hanging = createNetServer((socket) => open.add(socket.on('error', () => {})));
    stops.push(() => {
      for (const socket of open) socket.destroy();
    });
    const endpoint = await listening(hanging);
    const home = team().member('ada').home;
    const stop = new AbortController();
    const options = { home, url: `etcd://${endpoint}/x?tls=off`, env: {}, cwd: home, who: 'ada@laptop' };
    const session = openTeamSession({ ...options, signal: stop.signal, now: () => new Date(), note() {} });
    const asked = session?.read();
    const connected = setInterval(() => open.size > 0 && stop.abort(new Error('Ctrl-C')), 20);
    stops.push(() => clearInterval(connected));
    await expect(asked).rejects.toThrow('Ctrl-C');
    // The other five attempts were not made.
    expect(open.size).toBe(1);
  });
});

test.each([
  ['small', 1, ''],
  ['too large for one transaction', 52, '/v3/lease/grant'],
])(
  'a run that is killed at any request of a commit that is %s leaves the old or the new',
  async (_what, size, from) => {
    const script = `
    const { openTeamSession, teamStore, sampleHost } = await import(process.argv[1]);
    const [home, url, cwd, which, size] = process.argv.slice(2);
    const session = openTeamSession({ home, url, cwd, env: { HOME: cwd }, who: 'ada@laptop', now: () => new Date(), note() {} });
    const store = teamStore(session);
    const names = Array.from({ length: Number(size) }, (_, index) => 'host-' + index);
    await store.withLock('docker-tls test', () => store.write({ hosts: Object.fromEntries(names.map((one) => [one, sampleHost(one, Number(which))])) }));
    console.log('end');`;
    let requests = 0;
    let target = 0;
    let kill = (): void => {};
    const { ada, bob } = await cut((_, path) => {
      if (requests === 0 && !path.startsWith(from)) return 'pass';
      requests += 1;
      if (requests !== target) return 'pass';
      kill();
      return target % 2 === 0 ? 'drop' : 'deliver';
    });
    const url = ada.session().url;
    const outcomes: string[] = [];
    for (target = 1; target < 30; target++) {
      requests = 0;
      const run = runChild(script, [bundle, ada.home, url, dirname(dirname(ada.home)), String(target), String(size)]);
      kill = () => run.child.kill('SIGKILL');
      const { stdout } = await run.ended;
      const { hosts } = await teamStore(bob.session()).read();
      const generations = new Set([...hosts.values()].map(({ record }) => record.generation));
      expect(generations.size).toBeLessThanOrEqual(1);
      outcomes.push(
        `${stdout.includes('end') ? 'ended' : 'killed'}, ${generations.has(target) ? 'stored' : 'not stored'}`,
      );
      if (requests < target) break;
    }
    await checkTeamStore(bob.session(), false);
    expect(outcomes.at(-1)).toBe('ended, stored');
    expect(outcomes).toContain('killed, not stored');
    expect(await hostsOf(bob)).toEqual(await hostsOf(ada));
  },
  300_000,
);

test('runners that share the store issue once for each host, also where their shards overlap, and lose no record', async () => {
  const made = team();
  const runners = [0, 1, 2, 3].map((which) => made.member(`runner-${which}`));
  await enrol(...(runners as [Member, ...Member[]]));
  const names = Array.from({ length: 12 }, (_, index) => `host-${index}`);
  const issued: string[] = [];
  async function run(member: Member, which: number): Promise<void> {
    const store = teamStore(member.session());
    // Each starts with its own quarter, and continues with the others.
    for (const name of [...names.slice(3 * which), ...names.slice(0, 3 * which)]) {
      let wrote = false;
      await store.withLock('docker-tls apply', async () => {
        wrote = !(await store.read({ hosts: [name] })).hosts.has(name);
        if (wrote) await store.write({ hosts: { [name]: sampleHost(name, which) } });
      });
      if (wrote) issued.push(`${name} by ${which}`);
    }
  }
  await Promise.all(runners.map(run));
  const { hosts } = await teamStore(made.member('runner-0').session()).read();
  expect([...hosts].map(([name, { record }]) => `${name} by ${record.generation}`).sort()).toEqual(issued.sort());
  expect(issued.length).toBe(12);
  expect(await commitsOf(made.member('runner-0'))).toBe(12 + 4);
});

test('a member that is killed under load, and comes back: nothing is lost', async () => {
  const made = team();
  const first = made.member('first');
  const writers = [1, 2, 3, 4].map((which) => made.member(`writer-${which}`));
  await enrol(first, ...writers);
  await put(first, 'counter');
  let written = 0;
  async function write(member: Member, which: number): Promise<void> {
    const store = teamStore(member.session());
    for (let turn = 0; turn < 8; turn++) {
      await store.withLock('test', async () => {
        const count = (await store.read()).hosts.get('counter')?.record.generation ?? 0;
        const name = `host-${which}-${turn}`;
        await store.write({ hosts: { counter: sampleHost('counter', count + 1), [name]: sampleHost(name, which) } });
      });
      written += 1;
    }
  }
  const running = Promise.all(writers.map(write));
  while (written < 6) await new Promise((resolve) => setTimeout(resolve, 20));
  // The member that every writer asks first, and probably the leader.
  await servers.members[0]?.kill();
  await running;
  await servers.members[0]?.start();
  const { hosts } = await teamStore(first.session()).read();
  expect(hosts.size).toBe(33);
  expect(hosts.get('counter')?.record.generation).toBe(33);
  await checkTeamStore(first.session(), false);
});

test('a cluster without a quorum changes nothing, says why, and is read as it was, its history too', async () => {
  const ada = team().member('ada');
  await enrol(ada);
  await put(ada, 'a');
  const [, second, third] = servers.members;
  await Promise.all([second?.kill(), third?.kill()]);
  await expect(put(ada, 'b')).rejects.toMatchObject({
    code: 'E_STORE_UNREACHABLE',
    exit: 4,
    message: expect.toSay('more-half-members'),
    hints: [expect.stringContaining('etcdctl --endpoints='), expect.anything()],
  });
  expect(await hostsOf(ada)).toEqual(['a']);
  expect(ada.notes.at(-1)).toSay('using-copy-fetched-ago');
  const history = (await readLog(ada.session(), 1)).map(({ subject }) => subject);
  expect(history).toEqual([expect.toSay('docker-tls-test-host-added')]);
  await Promise.all([second?.start(), third?.start()]);
  await put(ada, 'b');
  expect(await hostsOf(ada)).toEqual(['a', 'b']);
});
