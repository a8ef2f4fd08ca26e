// HAProxy as the listener, on one lab host with a running container. Parts:
//   listeners  against dockerd itself: setup and rotation as ratios to `ssh HOST systemctl restart docker`, the time of a new connection and of
//              `docker version` through each
//   load       memory and CPU time of HAProxy, idle and with 200 open streams
//   clients    500 clients with issuing CAs in the bundle: a reload with them, memory, the time of a new connection before and after
//   flood      10,000 connections from one address: what a client with another address waits meanwhile, and memory
// For rotation and setup of 20 hosts: node scripts/bench.d/fleet.mjs 1,20 haproxy
//
// Usage: node scripts/bench.d/haproxy.mjs [PART,…|all [ROUNDS [CLIENTS [CONNECTIONS]]]]    root on Linux; defaults: all 5 500 10000
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { measured, programIn } from './measured.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const lab = join(root, 'scripts/lab');
const name = 'bench-haproxy';
const [chosen = 'all', ...numbers] = process.argv.slice(2);
const [rounds = 5, clients = 500, connections = 10_000] = numbers.map(Number);
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-bench-'));
const later = promisify(execFile);
const middle = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const program = programIn(directory);
const docker = execFileSync(lab, ['client'], { encoding: 'utf8' }).trim();

async function ours(argv) {
  const done = await measured(program, argv, { directory });
  if (done.status !== 0) throw new Error(done.said);
  return done.wallMs;
}

function timed(act) {
  const began = performance.now();
  act();
  return performance.now() - began;
}

function request(options) {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    https
      .get({ ...options, agent: false, path: '/version' }, (answer) => {
        answer.resume().on('end', () => resolve(performance.now() - began));
      })
      .on('error', reject);
  });
}

const words = ['up', name, '--with', 'haproxy', '--owner-pid', String(process.pid), '--json'];
const [host] = JSON.parse(execFileSync(lab, words, { encoding: 'utf8' }));
const inside = (...line) => execFileSync(lab, ['exec', name, ...line], { encoding: 'utf8' }).trim();
const login = ['-i', host.keyFile, '--host-key', 'accept-new'];
const to = ['-o', `UserKnownHostsFile=${host.knownHosts}`, '-o', 'BatchMode=yes', `root@${host.address}`];

async function setUp(listener, home) {
  const how = ['--name', name, ...login, '--no-ca-passphrase', '--client', 'laptop', '--no-context'];
  return ours(['setup', `root@${host.address}`, ...how, '--listener', listener, '--home', home, '--yes']);
}

/** The client of a store: options of a request, and words for docker. */
function clientOf(home) {
  const [ca, cert, key] = ['ca', 'cert', 'key'].map((file) => join(home, 'clients/laptop', `${file}.pem`));
  return {
    options: { host: host.address, port: 2376, ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) },
    docker: [
      ...['--tlsverify', '--tlscacert', ca, '--tlscert', cert, '--tlskey', key],
      ...['-H', `tcp://${host.address}:2376`],
    ],
  };
}

async function several(count, act) {
  const times = [];
  for (let left = 0; left < count; left += 1) times.push(await act());
  return middle(times);
}

const PROCESSES =
  'p=$(systemctl show -p MainPID --value docker-tls-haproxy); set -- $p $(cat /proc/$p/task/$p/children)';

/** Resident kB, and hundredths of a second of CPU time, of the master process and its workers. */
function used() {
  const text = inside(
    'sh',
    '-c',
    `${PROCESSES}; for p; do grep VmRSS /proc/$p/status; cut -d' ' -f14,15 /proc/$p/stat; done`,
  );
  const memory = [...text.matchAll(/VmRSS:\s+(\d+)/g)].map(([, kb]) => Number(kb));
  const cpu = [...text.matchAll(/^(\d+) (\d+)$/gm)].reduce(
    (sum, [, user, system]) => sum + Number(user) + Number(system),
    0,
  );
  return { memory: `${memory.join(' and ')} kB`, cpu };
}

/** CPU time of 10 s, in percent of one processor, and memory. */
async function over10s() {
  const before = used().cpu;
  await sleep(10_000);
  const { memory, cpu } = used();
  return `${memory}, ${((cpu - before) / 10).toFixed(1)} % CPU`;
}

const parts = {
  async listeners() {
    for (const listener of ['haproxy', 'dockerd']) {
      const times = { restart: [], setup: [], rotation: [], request: [], version: [] };
      for (let round = 0; round < rounds; round += 1) {
        const home = join(directory, `${listener}-${round}`);
        inside('systemctl', 'reset-failed', 'docker');
        times.restart.push(
          timed(() =>
            execFileSync('ssh', ['-i', host.keyFile, ...to, 'systemctl restart docker'], { stdio: 'ignore' }),
          ),
        );
        times.setup.push(await setUp(listener, home));
        times.rotation.push(await ours(['rotate', 'server', name, '--home', home, '--yes']));
        const client = clientOf(home);
        times.request.push(await several(20, () => request(client.options)));
        const version = [...client.docker, 'version'];
        times.version.push(
          await several(10, async () => timed(() => execFileSync(docker, version, { stdio: 'ignore' }))),
        );
        await ours(['remove', name, '--home', home, '--yes']);
      }
      const {
        restart,
        setup,
        rotation,
        request: one,
        version,
      } = Object.fromEntries(Object.entries(times).map(([what, values]) => [what, middle(values)]));
      console.log(
        `${listener.padEnd(8)} setup / restart ${(setup / restart).toFixed(2)}  rotation / restart ${(rotation / restart).toFixed(2)}  restart ${restart.toFixed(0)} ms  new connection ${one.toFixed(1)} ms  docker version ${version.toFixed(1)} ms`,
      );
    }
  },

  async load(home) {
    console.log(`load     idle: ${await over10s()}`);
    const { options } = clientOf(home);
    const open = Array.from({ length: 200 }, () => https.get({ ...options, agent: false, path: '/events' }));
    for (const one of open) one.on('error', () => undefined);
    await sleep(3000);
    console.log(`load     with 200 streams: ${await over10s()}`);
    for (const one of open) one.destroy();
  },

  async clients(home) {
    const { options } = clientOf(home);
    const few = await several(20, () => request(options));
    const names = Array.from({ length: clients }, (_, index) => `client-${index}`);
    const adding = await ours(['client', 'add', ...names, '--home', home, '--yes']);
    // From then on the bundle has the issuing CA of each client in place of the CA.
    await ours(['client', 'revoke', 'client-0', '--home', home, '--yes']);
    const reload = await ours(['rotate', 'server', name, '--home', home, '--yes']);
    const many = await several(20, () => request(options));
    const bundle = inside('sh', '-c', 'stat -L -c %s /etc/docker/tls/current/ca-trusted.pem');
    console.log(
      `clients  ${clients} added in ${(adding / 1000).toFixed(1)} s; rotation with them ${(reload / 1000).toFixed(1)} s; bundle ${(Number(bundle) / 1e6).toFixed(2)} MB; new connection ${few.toFixed(1)} ms with 1, ${many.toFixed(1)} ms with all; ${used().memory}`,
    );
  },

  async flood(home) {
    const before = used().memory;
    const sockets = Array.from({ length: connections }, () => {
      const socket = connect({ host: host.address, port: 2376 });
      for (const end of ['error', 'close']) socket.on(end, () => undefined);
      return socket;
    });
    // Another address: that of the host itself.
    inside('sh', '-c', 'rm -rf /run/bench && mkdir -m 700 /run/bench');
    for (const file of ['ca', 'cert', 'key'])
      execFileSync(lab, ['exec', name, 'sh', '-c', `cat >/run/bench/${file}.pem`], {
        input: readFileSync(join(home, 'clients/laptop', `${file}.pem`)),
      });
    const line = `export DOCKER_CERT_PATH=/run/bench; for n in $(seq 20); do a=$(date +%s%N); docker --tlsverify -H tcp://${host.address}:2376 version >/dev/null || echo failed; echo $((($(date +%s%N) - a) / 1000000)); done`;
    await sleep(1000);
    // Not while this process waits: its connections begin with the next turns of its loop.
    const { stdout } = await later(lab, ['exec', name, 'sh', '-c', line]);
    const answers = stdout.trim().split('\n');
    const ms = answers.filter((one) => one !== 'failed').map(Number);
    const open = sockets.filter((socket) => socket.readyState === 'open').length;
    const established = inside('sh', '-c', "ss -Htn state established 'sport = :2376' | wc -l");
    console.log(
      `flood    ${connections} connections from one address (at the end ${established} established, ${open} of ours still open): docker version from another ${middle(ms)} ms, at most ${Math.max(...ms)} ms, ${answers.filter((one) => one === 'failed').length} of 20 failed; memory ${before} before, ${used().memory} meanwhile`,
    );
    for (const socket of sockets) socket.destroy();
    inside('rm', '-rf', '/run/bench');
  },
};

const wanted = chosen === 'all' ? Object.keys(parts) : chosen.split(',');
const unknown = wanted.filter((part) => !(part in parts));
try {
  if (unknown.length > 0)
    throw new Error(`there is no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
  inside(
    'sh',
    '-c',
    'docker import -c \'CMD ["sleep", "1d"]\' /root/busybox.tar busybox && docker run -d --name web --restart always --stop-timeout 0 busybox',
  );
  if (wanted.includes('listeners')) await parts.listeners();
  const home = join(directory, 'store');
  const others = wanted.filter((part) => part !== 'listeners');
  if (others.length > 0) await setUp('haproxy', home);
  for (const part of others) await parts[part](home);
} finally {
  execFileSync(lab, ['down', name], { stdio: 'ignore' });
  rmSync(directory, { recursive: true, force: true });
}
