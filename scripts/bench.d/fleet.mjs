// What a fleet costs: wall time of `rotate server` (new credentials on every host, one restart, verified) on real lab hosts against the floor
// of `ssh HOST systemctl restart docker` on the same hosts with the same parallelism, and our CPU time and memory per host. "idle" is an
// `apply` that finds nothing to do. How plans and status grow with more hosts than a lab has: loopback.mjs.
//
// With `haproxy`, HAProxy accepts clients and each host runs a container. `setup` is the first apply of all hosts, against the floor of all.
//
// Usage: node scripts/bench.d/fleet.mjs [1,5,20 [haproxy]]    root on Linux; hosts are taken down at the end
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measured, programIn } from './measured.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-bench-'));
const lab = join(root, 'scripts/lab');
const suites = ['bookworm', 'trixie', 'sid'];
const real = (process.argv[2] ?? '1,5,20').split(',').map(Number);
const listener = process.argv[3] ?? 'dockerd';
const CONTAINER =
  'docker import -c \'CMD ["sleep", "1d"]\' /root/busybox.tar busybox && docker run -d --name web --restart always --stop-timeout 0 busybox';
let program;
const timed = (argv) => measured(program, argv, { directory });

function table(rows) {
  for (const row of rows) console.log(row.map((cell, index) => String(cell).padStart(index === 0 ? 22 : 12)).join(''));
}

async function onRealHosts() {
  const most = Math.max(...real);
  const hosts = [];
  try {
    for (const [index, suite] of suites.entries()) {
      const names = Array.from({ length: most }, (_, n) => n)
        .filter((n) => n % 3 === index)
        .map((n) => `bench-fleet-${n}`);
      if (names.length === 0) continue;
      const more = listener === 'haproxy' ? ['--with', 'haproxy'] : [];
      const words = ['up', ...names, '--suite', suite, ...more, '--owner-pid', String(process.pid), '--json'];
      hosts.push(...JSON.parse(execFileSync(lab, words).toString()));
      if (listener === 'haproxy') for (const name of names) execFileSync(lab, ['exec', name, 'sh', '-c', CONTAINER]);
    }
    hosts.sort((a, b) => Number(a.name.split('-')[2]) - Number(b.name.split('-')[2]));
    const home = join(directory, 'real');
    const file = join(directory, 'fleet.yaml');
    const entry = ({ name, address }) => `  ${name}: { ssh: { destination: ${address} } }`;
    const ssh = `{ user: root, host-key: accept-new, identities: [${hosts[0].keyFile}] }`;
    writeFileSync(
      file,
      [
        'version: 1',
        'ca: { passphrase: none }',
        `defaults: { listener: ${listener}, ssh: ${ssh} }`,
        'hosts:',
        ...hosts.map(entry),
      ].join('\n'),
    );
    const set = await timed(['apply', '-f', file, '--home', home, '--yes']);
    if (set.status !== 0) throw new Error(set.said);
    const floors = new Map();
    const rows = [['real hosts', 'floor s', 'ours s', 'times', 'idle s', 'CPU ms/host', 'RSS MB']];
    for (const count of real) {
      const some = hosts.slice(0, count);
      const restart = ({ address, keyFile, knownHosts }) =>
        new Promise((resolve) => {
          const options = [
            '-F',
            '/dev/null',
            '-i',
            keyFile,
            '-o',
            `UserKnownHostsFile=${knownHosts}`,
            '-o',
            'BatchMode=yes',
          ];
          spawn('ssh', [...options, `root@${address}`, 'systemctl reset-failed docker; systemctl restart docker'], {
            stdio: 'ignore',
          }).on('close', resolve);
        });
      const began = performance.now();
      await Promise.all(some.map(restart));
      const floor = performance.now() - began;
      floors.set(count, floor);
      const names = some.map(({ name }) => name);
      const ours = await timed(['rotate', 'server', ...names, '--home', home, '--yes', '--parallel', String(count)]);
      if (ours.status !== 0) throw new Error(ours.said);
      const idle = await timed(['apply', ...names, '-f', file, '--home', home, '--yes']);
      const s = (ms) => (ms / 1000).toFixed(2);
      rows.push([
        count,
        s(floor),
        s(ours.wallMs),
        (ours.wallMs / floor).toFixed(2),
        s(idle.wallMs),
        (ours.cpuMs / count).toFixed(0),
        ours.rssMb.toFixed(0),
      ]);
    }
    table(rows);
    console.log(`setup of ${most} hosts / their restart: ${(set.wallMs / floors.get(most)).toFixed(2)}`);
  } finally {
    for (const { name } of hosts) execFileSync(lab, ['down', name]);
  }
}

try {
  program = programIn(directory);
  await onRealHosts();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
