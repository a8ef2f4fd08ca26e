// How long an audit takes, our CPU time in it, and how many remote execs it needs, for 1 and 20 lab hosts: node scripts/bench-audit.mjs [HOSTS…]
// The execs are counted by the hosts themselves: sshd logs each one at LogLevel VERBOSE.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measured } from './bench.d/measured.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const lab = join(root, 'scripts/lab');
const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1, 20];
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-bench-audit-'));
const names = Array.from({ length: Math.max(...counts) }, (_, index) => `bench-audit-${index + 1}`);

function run(file, ...args) {
  return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 28 });
}

try {
  execFileSync('mkdir', ['-p', join(directory, 'bin')]);
  for (const file of ['bin/docker-tls.js', 'package.json'])
    execFileSync('cp', [join(root, file), join(directory, file)]);
  run(process.execPath, join(root, 'scripts/build.mjs'), join(directory, 'dist'));
  const hosts = JSON.parse(run(lab, 'up', ...names, '--owner-pid', String(process.pid), '--json'));
  for (const { name } of hosts) {
    run(
      lab,
      'exec',
      name,
      'sh',
      '-c',
      'echo LogLevel VERBOSE >/etc/ssh/sshd_config.d/bench.conf; systemctl restart ssh',
    );
  }
  const sessions = ({ name }) =>
    Number(
      run(lab, 'exec', name, 'sh', '-c', 'journalctl -u ssh --no-pager | grep -c "Starting session:"; true').trim(),
    );
  for (const count of counts) {
    const some = hosts.slice(0, count);
    const before = some.map(sessions);
    const words = some.map(({ address }) => `root@${address}`);
    const options = ['-i', hosts[0].keyFile, '--host-key', 'accept-new', '--json'];
    const argv = ['--home', join(directory, 'store'), 'audit', ...words, ...options];
    const { wallMs, cpuMs, rssMb } = await measured(join(directory, 'bin/docker-tls.js'), argv, { directory });
    const [seconds, ours] = [wallMs, cpuMs].map((ms) => ms / 1000);
    const execs = some.map((host, index) => sessions(host) - before[index]);
    const each = [seconds, ours].map((one) => (one / count).toFixed(2));
    console.log(
      `${count} hosts: ${seconds.toFixed(2)} s, ${each[0]} s a host; CPU of ours ${ours.toFixed(2)} s, ${each[1]} s a host; ${rssMb.toFixed(0)} MB; remote execs a host: ${Math.max(...execs)}`,
    );
  }
} finally {
  try {
    run(lab, 'down', ...names);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
