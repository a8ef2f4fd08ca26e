/**
 * 100 MB of rubbish in a shared store, from an account that can write to its server but has no key: what that costs a reader who has never
 * seen the store. The reader is a process of its own, with a real git or etcd server; its git processes count, the server's do not.
 */

import { execFileSync, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { restoreTeamStore } from '../../../../../src/features/team/store/restore-store.ts';
import { teamStore } from '../../../../../src/features/team/store/team-store.ts';
import { sampleHost } from '../../../../support/store.ts';
import { type EtcdServers, startEtcd } from '../etcd.ts';
import { bundleTeamStore } from '../reader-bundle.ts';
import { enrol, type Member, type Members, membersOf } from '../team.ts';

export const LIMIT = { megabytes: 60, seconds: 5 } as const;
const MB = 1024 * 1024;
const FILES = 100;
const SMALL = 100_000;

export type Cost = {
  readonly engine: 'git' | 'etcd';
  readonly where: string;
  /** The code of the refusal, or `read`. */
  readonly became: string;
  readonly expected: string;
  /** More than a reader of the same store without rubbish. */
  readonly megabytes: number;
  readonly seconds: number;
};

type Rubbish = {
  readonly where: string;
  readonly expected: string;
  add(place: Place, ada: Member): Promise<void> | void;
};
type Place = {
  /** git: feeds fast-import. */
  import?(parts: Iterable<string | Buffer>): void;
  /** etcd: writes keys below the prefix of the store, and below the directory of its files. */
  put?(keys: Iterable<readonly [key: string, value: Buffer]>): Promise<void>;
};

const COMMIT = 'commit refs/heads/docker-tls\ncommitter m <m@m> 1 +0000\ndata 1\nx\n';
const FROM = 'from refs/heads/docker-tls^0\n';
const blob = (path: string, bytes: Buffer) => [`M 100644 inline ${path}\ndata ${bytes.length}\n`, bytes, '\n'];

function* numbered(
  count: number,
  part: (at: number) => Iterable<string | Buffer>,
  head = '',
): Generator<string | Buffer> {
  yield head;
  for (let at = 0; at < count; at++) yield* part(at);
}

const IN_GIT: readonly Rubbish[] = [
  { where: 'none', expected: 'read', add() {} },
  {
    ...{ where: `${FILES} files of 1 MB in the tree`, expected: 'E_STORE_TAMPERED' },
    add: (place) => place.import?.(numbered(FILES, (at) => blob(`x${at}`, randomBytes(MB)), COMMIT + FROM)),
  },
  {
    ...{ where: `${FILES} files of 1 MB in the history, and a restored store`, expected: 'read' },
    async add(place, ada) {
      place.import?.(numbered(FILES, (at) => [COMMIT, FROM, ...blob(`x${at}`, randomBytes(MB))]));
      await restoreTeamStore(ada.session());
    },
  },
  {
    ...{ where: 'one file of 100 MB', expected: 'E_STORE_TAMPERED' },
    add: (place) => place.import?.([COMMIT, FROM, ...blob('x', randomBytes(FILES * MB))]),
  },
  {
    ...{ where: 'a manifest of 100 MB', expected: 'E_STORE_TAMPERED' },
    add: (place) => place.import?.([COMMIT, FROM, ...blob('manifest.json', randomBytes(FILES * MB))]),
  },
  {
    // git unpacks it once, to name it: one of 1 GB costs 9 s, and no memory.
    ...{ where: 'one file of 100 MB that is 0.1 MB when packed', expected: 'E_STORE_TAMPERED' },
    add: (place) => place.import?.(zeros(FILES)),
  },
  {
    ...{ where: `${SMALL.toLocaleString('en')} files of 1 kB`, expected: 'E_STORE_TAMPERED' },
    add: (place) =>
      place.import?.(numbered(SMALL, (at) => blob(`x${at % 317}/x${at}`, randomBytes(1024)), COMMIT + FROM)),
  },
  {
    ...{ where: '10,000 commits of 10 kB, and a restored store', expected: 'read' },
    async add(place, ada) {
      place.import?.(numbered(SMALL / 10, () => [COMMIT, FROM, ...blob('x', randomBytes(10 * 1024))]));
      await restoreTeamStore(ada.session());
    },
  },
];

function* zeros(megabytes: number): Generator<string | Buffer> {
  yield `${COMMIT}${FROM}M 100644 inline x\ndata ${megabytes * MB}\n`;
  const zero = Buffer.alloc(MB);
  for (let at = 0; at < megabytes; at++) yield zero;
  yield '\n';
}

const VALUE = 1_400_000;
const VALUES = Math.ceil((FILES * MB) / VALUE);
function* values(count: number, key: (at: number) => string, size = VALUE): Generator<readonly [string, Buffer]> {
  for (let at = 0; at < count; at++) yield [key(at), randomBytes(size)];
}

const IN_ETCD: readonly Rubbish[] = [
  { where: 'none', expected: 'read', add() {} },
  {
    ...{ where: `${VALUES} values of 1.4 MB beside the files`, expected: 'E_STORE_TAMPERED' },
    add: (place) => place.put?.(values(VALUES, (at) => `G/x${at}`)),
  },
  {
    ...{ where: `${VALUES} values of 1.4 MB in the place of files`, expected: 'E_STORE_TAMPERED' },
    add: (place) => place.put?.(values(VALUES, (at) => `G/hosts/h${at}/public`)),
  },
  {
    ...{ where: `${VALUES} values of 1.4 MB beside the history`, expected: 'read' },
    add: (place) => place.put?.(values(VALUES, (at) => `log/${String(at + 1000).padStart(10, '0')}`)),
  },
  {
    ...{ where: `${VALUES} values of 1.4 MB elsewhere under the prefix`, expected: 'read' },
    add: (place) => place.put?.(values(VALUES, (at) => `g/x${at}/x`)),
  },
  {
    ...{ where: `${SMALL.toLocaleString('en')} values of 1 kB`, expected: 'E_STORE_TAMPERED' },
    add: (place) => place.put?.(values(SMALL, (at) => `G/y${at}`, 1024)),
  },
];

/** Measures each kind of rubbish in an engine. `tell` gets each cost as it arrives. */
export async function measureRubbish(
  engine: Cost['engine'],
  tell: (cost: Cost) => void = () => {},
  only: (where: string) => boolean = () => true,
): Promise<Cost[]> {
  const bundle = bundleTeamStore('reader');
  const etcd = engine === 'etcd' ? await startEtcd() : undefined;
  const costs: Cost[] = [];
  let base = { megabytes: 0, seconds: 0 };
  try {
    for (const { where, expected, add } of engine === 'git' ? IN_GIT : IN_ETCD) {
      if (where !== 'none' && !only(where)) continue;
      const directory = mkdtempSync(join(tmpdir(), 'store-test-rubbish-'));
      try {
        const { members, place } = etcd === undefined ? gitPlace(directory) : etcdPlace(etcd, directory);
        const ada = members.member('ada');
        await enrol(ada);
        const store = teamStore(ada.session());
        const hosts = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`h${at}`, sampleHost(`h${at}`, at)]));
        await store.withLock('docker-tls test', () => store.write({ hosts }));
        await add(place, ada);
        const { became, megabytes, seconds } = await measured(bundle, ada, members.url);
        if (where === 'none') base = { megabytes, seconds };
        costs.push({
          engine,
          where,
          became,
          expected,
          megabytes: megabytes - base.megabytes,
          seconds: seconds - base.seconds,
        });
        tell(costs.at(-1) as Cost);
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    }
  } finally {
    await etcd?.stop();
    rmSync(bundle);
  }
  return costs;
}

export function costWords({ engine, where, became, expected, megabytes, seconds }: Cost): string {
  const good = megabytes < LIMIT.megabytes && seconds < LIMIT.seconds && became === expected;
  const cost = `${Math.max(0, megabytes).toFixed(0).padStart(5)} MB ${Math.max(0, seconds).toFixed(1).padStart(5)} s`;
  return `${good ? 'within  ' : 'BEYOND  '}  ${engine.padEnd(4)} ${cost}  ${where}: ${became}`;
}

function gitPlace(directory: string): { members: Members; place: Place } {
  const repository = join(directory, 'store.git');
  execFileSync('git', ['init', '-q', '--bare', repository]);
  return {
    members: membersOf(`git+file://${repository}`, directory),
    place: {
      import(parts) {
        const file = join(directory, 'import');
        rmSync(file, { force: true });
        for (const part of parts) writeFileSync(file, part, { flag: 'a' });
        execFileSync('sh', ['-c', `git --git-dir='${repository}' fast-import --quiet --force <'${file}'`]);
      },
    },
  };
}

function etcdPlace({ endpoints, ctl }: EtcdServers, directory: string): { members: Members; place: Place } {
  const prefix = `rubbish/${randomUUID()}`;
  return {
    members: membersOf(`etcd://${endpoints}/${prefix}?tls=off`, directory),
    place: {
      async put(keys) {
        const { generation } = JSON.parse(ctl('get', '--print-value-only', `/${prefix}/head`)) as {
          generation: string;
        };
        let puts: object[] = [];
        let size = 0;
        const send = async () => {
          const body = JSON.stringify({ compare: [], success: puts });
          const answer = await fetch(`http://${endpoints}/v3/kv/txn`, { method: 'POST', body });
          if (!answer.ok) throw new Error(await answer.text());
          [puts, size] = [[], 0];
        };
        for (const [name, value] of keys) {
          const key = `/${prefix}/${name.replace(/^G\//, `g/${generation}/`)}`;
          if (puts.length === 100 || size + value.length > 1_400_000) await send();
          puts.push({ request_put: { key: Buffer.from(key).toString('base64'), value: value.toString('base64') } });
          size += value.length;
        }
        await send();
      },
    },
  };
}

/** Not ru_maxrss: the kernel begins that with the memory of the process that forked. */
const READER = `
  import { readFileSync } from 'node:fs';
  const { openTeamSession, teamStore } = await import(process.argv[1]);
  const [home, url, cwd] = process.argv.slice(2);
  const session = openTeamSession({ home, url, cwd, env: { HOME: cwd }, who: 'runner@ci', now: () => new Date(), note() {} });
  const began = performance.now();
  const became = await teamStore(session).read().then(() => 'read', (error) => error.code ?? String(error));
  console.log(JSON.stringify({ became, seconds: (performance.now() - began) / 1000, kilobytes: Number(/^VmHWM:\\s+(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) }));`;

async function measured(bundle: string, { env }: Member, url: string) {
  const cwd = env.HOME ?? '/';
  const args = ['--input-type=module', '-e', READER, bundle, join(cwd, 'runner'), url, cwd];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  let most = 0;
  const sampling = setInterval(() => {
    most = Math.max(most, memoryOf(child.pid as number));
  }, 10);
  await new Promise((resolve) => child.on('close', resolve));
  clearInterval(sampling);
  const { became, seconds, kilobytes } = JSON.parse(out) as { became: string; seconds: number; kilobytes: number };
  return { became, seconds, megabytes: Math.max(most / MB, kilobytes / 1024) };
}

/** The most memory that a process and its descendants have had until now, without those of a git server, which file:// starts here. */
function memoryOf(root: number): number {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    const parent = Number(/^\d+ \(.*\) \S (\d+)/s.exec(read(`/proc/${name}/stat`))?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const sum = (pid: number): number => {
    if (/upload-pack|receive-pack/.test(read(`/proc/${pid}/cmdline`))) return 0;
    const own = Number(/^VmHWM:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
    return (children.get(pid) ?? []).reduce((all, one) => all + sum(one), own);
  };
  return sum(root);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // The process has ended.
    return '';
  }
}
