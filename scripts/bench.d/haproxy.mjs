// HAProxy as the listener against dockerd itself, in one run on one lab host with a running container: setup and rotation as ratios to
// `ssh HOST systemctl restart docker`; the latency of a new connection through each; memory and CPU time of HAProxy.
//
// Usage: node scripts/bench.d/haproxy.mjs [ROUNDS]    root on Linux; default 5
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measured, programIn } from './measured.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const lab = join(root, 'scripts/lab');
const name = 'bench-haproxy';
const rounds = Number(process.argv[2] ?? 5);
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-bench-'));
const middle = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const program = programIn(directory);

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

const json = execFileSync(lab, ['up', name, '--with', 'haproxy', '--owner-pid', String(process.pid), '--json'], {
  encoding: 'utf8',
});
const [host] = JSON.parse(json);
const inside = (...words) => execFileSync(lab, ['exec', name, ...words], { encoding: 'utf8' }).trim();
try {
  inside(
    'sh',
    '-c',
    'docker import -c \'CMD ["sleep", "1d"]\' /root/busybox.tar busybox && docker run -d --name web --restart always --stop-timeout 0 busybox',
  );
  const ssh = [
    '-i',
    host.keyFile,
    '-o',
    `UserKnownHostsFile=${host.knownHosts}`,
    '-o',
    'BatchMode=yes',
    `root@${host.address}`,
  ];
  const restart = () => {
    inside('systemctl', 'reset-failed', 'docker');
    return timed(() => execFileSync('ssh', [...ssh, 'systemctl restart docker'], { stdio: 'ignore' }));
  };
  const results = {};
  for (const listener of ['haproxy', 'dockerd']) {
    const times = { restart: [], setup: [], rotation: [], request: [] };
    for (let round = 0; round < rounds; round += 1) {
      const home = join(directory, `${listener}-${round}`);
      times.restart.push(restart());
      const words = ['--home', home, '--yes'];
      const login = ['-i', host.keyFile, '--host-key', 'accept-new'];
      times.setup.push(
        await ours([
          'setup',
          `root@${host.address}`,
          '--name',
          name,
          ...login,
          '--no-ca-passphrase',
          '--client',
          'laptop',
          '--listener',
          listener,
          ...words,
        ]),
      );
      times.rotation.push(await ours(['rotate', 'server', name, ...words]));
      const files = join(home, 'clients/laptop');
      const [ca, cert, key] = ['ca', 'cert', 'key'].map((file) => readFileSync(join(files, `${file}.pem`)));
      const options = { host: host.address, port: 2376, ca, cert, key };
      for (let left = 0; left < 20; left += 1) times.request.push(await request(options));
      if (listener === 'haproxy' && round === rounds - 1) results.load = await underLoad(options);
      await ours(['remove', name, ...words]);
    }
    results[listener] = Object.fromEntries(Object.entries(times).map(([what, values]) => [what, middle(values)]));
  }
  for (const listener of ['haproxy', 'dockerd']) {
    const { restart: floor, setup, rotation, request: answer } = results[listener];
    console.log(
      `${listener.padEnd(8)} setup / restart ${(setup / floor).toFixed(2)}  rotation / restart ${(rotation / floor).toFixed(2)}  restart ${floor.toFixed(0)} ms  new connection ${answer.toFixed(1)} ms`,
    );
  }
  console.log(results.load);
} finally {
  execFileSync(lab, ['down', name], { stdio: 'ignore' });
  rmSync(directory, { recursive: true, force: true });
}

/** Resident memory of master and worker, without and with 200 clients that follow events. */
async function underLoad(options) {
  const each =
    'p=$(systemctl show -p MainPID --value docker-tls-haproxy); grep -h VmRSS /proc/$p/status $(printf "/proc/%s/status " $(cat /proc/$p/task/$p/children))';
  const memory = () =>
    inside('sh', '-c', each)
      .replace(/[^0-9\n]/g, '')
      .replaceAll('\n', ' and ');
  const idle = memory();
  const open = Array.from({ length: 200 }, () => https.get({ ...options, agent: false, path: '/events' }));
  for (const one of open) one.on('error', () => undefined);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const busy = memory();
  for (const one of open) one.destroy();
  return `HAProxy's processes in kB: idle ${idle}, with 200 streams ${busy}`;
}
