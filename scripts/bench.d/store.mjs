// What a store in etcd costs a fleet: 1,000 hosts over 1, 2 and 4 processes that share it, 20 at a time in each, as a run does after it has
// changed a host (read what is stored now, write the host's record, certificate and key; what comes at the same time is one commit). Hosts themselves take no part: a real run
// spends seconds on each, so this is the most that the store can take. Then everything is read again and counted. "conflicts" are commits
// that were overtaken and begun again.
//
// Usage: node scripts/bench.d/store.mjs [--hosts 1000] [--processes 1,2,4] [--members 1]      needs etcd (apt install etcd-server etcd-client)
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, 'node_modules/.cache/store-test');
const bundle = join(cache, `bench-${process.pid}.mjs`);
const [hosts] = numbers('--hosts', '1000');
const [members] = numbers('--members', '1');

function numbers(name, fallback) {
  const at = process.argv.indexOf(name);
  return (at === -1 ? fallback : process.argv[at + 1]).split(',').map(Number);
}

const RUNNER = `
const { openTeamSession, teamStore, sampleHost } = await import(process.argv[1]);
const [options, names] = process.argv.slice(2).map((text) => JSON.parse(text));
const session = openTeamSession({ ...options, now: () => new Date(), note() {} });
let conflicts = 0;
const { commit } = session.engine;
session.engine.commit = async (...given) => {
  try {
    return await commit(...given);
  } catch (error) {
    if (error.code === 'E_STORE_CHANGED') conflicts += 1;
    throw error;
  }
};
const store = teamStore(session);
await store.read();
process.stdout.write('ready\\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
process.stdin.destroy();
const waits = [];
let next = 0;
async function work() {
  while (next < names.length) {
    const name = names[next++];
    const began = performance.now();
    await store.withLock('docker-tls apply', async () => {
      if ((await store.read({ hosts: [name] })).hosts.has(name)) throw new Error(name + ' was there');
      await store.write({ hosts: { [name]: sampleHost(name, 1) } });
    }, { joins: true });
    waits.push(performance.now() - began);
  }
}
await Promise.all(Array.from({ length: 20 }, work));
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
process.stdout.write(JSON.stringify({ conflicts, cpuMs: (userCPUTime + systemCPUTime) / 1000, rssMb: maxRSS / 1024 }) + '\\n');
`;

function startRunner(options, names) {
  const args = [
    '--input-type=module',
    '-e',
    RUNNER,
    pathToFileURL(bundle).href,
    JSON.stringify(options),
    JSON.stringify(names),
  ];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], cwd: root });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const ended = new Promise((resolve, reject) => {
    child.on('close', (status) =>
      status === 0 ? resolve(JSON.parse(said.split('\n')[1])) : reject(new Error('a runner failed')),
    );
  });
  const ready = new Promise((resolve) => child.stdout.once('data', resolve));
  return { ready, ended, go: () => child.stdin.write('\n') };
}

mkdirSync(cache, { recursive: true });
buildSync({
  stdin: {
    contents: [
      'src/features/team/store/open-team-store.ts',
      'src/features/team/store/team-store.ts',
      'src/features/team/store/admin.ts',
      'test/support/store.ts',
      'test/features/team/support/team.ts',
      'test/features/team/support/etcd.ts',
    ]
      .map((path) => `export * from './${path}';`)
      .join('\n'),
    resolveDir: root,
    loader: 'ts',
  },
  ...{
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  },
});
const { startEtcd, membersOf, enrol, teamStore, checkTeamStore, removeHomes } = await import(
  pathToFileURL(bundle).href
);
const rows = [
  ['processes', 'wall s', 'hosts/s', 'commits', 'conflicts', 'per commit', 'CPU ms/host', 'RSS MB', 'hosts stored'],
];
const etcd = await startEtcd({ members });
try {
  for (const count of numbers('--processes', '1,2,4')) {
    const url = `etcd://${etcd.endpoints}/bench-${count}?tls=off`;
    const team = membersOf(url);
    const runners = Array.from({ length: count }, (_, index) => team.member(`runner-${index}`));
    await enrol(...runners);
    const names = Array.from({ length: hosts }, (_, index) => `host-${index}`);
    const started = runners.map(({ home, env, name }, index) =>
      startRunner(
        { home, url, env, cwd: env.HOME, who: `${name}@bench` },
        names.filter((_, at) => at % count === index),
      ),
    );
    await Promise.all(started.map(({ ready }) => ready));
    const began = performance.now();
    for (const one of started) one.go();
    const ended = await Promise.all(started.map((one) => one.ended));
    const seconds = (performance.now() - began) / 1000;
    const session = runners[0].session();
    await checkTeamStore(session, false);
    const stored = (await teamStore(session).read()).hosts.size;
    const commits = (await session.engine.log(1_000_000)).length - count;
    if (stored !== hosts || commits > hosts) throw new Error(`${stored} hosts and ${commits} commits, not ${hosts}`);
    const sum = (of) => ended.reduce((all, one) => all + of(one), 0);
    const conflicts = sum((one) => one.conflicts);
    rows.push([
      ...[
        count,
        seconds.toFixed(1),
        (hosts / seconds).toFixed(1),
        commits,
        conflicts,
        (conflicts / commits).toFixed(2),
      ],
      ...[(sum((one) => one.cpuMs) / hosts).toFixed(0), Math.max(...ended.map((one) => one.rssMb)).toFixed(0), stored],
    ]);
  }
} finally {
  await etcd.stop();
  removeHomes();
  rmSync(bundle, { force: true });
}
for (const row of rows) console.log(row.map((cell) => String(cell).padStart(13)).join(''));
