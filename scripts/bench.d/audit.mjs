// How long an audit takes, our CPU time in it, and how many remote execs it needs, for 1 and 20 lab hosts; then the same host audited in turn by
// docker-tls, docker-bench-security and Lynis: node scripts/bench.d/audit.mjs [HOSTS…]
// DOCKER_BENCH_SECURITY names your checkout of docker/docker-bench-security; Lynis comes by this machine's apt. What is not there is left out.
// The execs are counted by the hosts themselves: sshd logs each one at LogLevel VERBOSE.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dockerBenchSecurity, downloadLynis, installLynis, lynisIndex } from '../other-audits.mjs';
import { measured, programIn } from './measured.mjs';
import { countSsh } from './ssh-count.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const lab = join(root, 'scripts/lab');
const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1, 20];
const checkout = process.env.DOCKER_BENCH_SECURITY;
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-bench-audit-'));
const names = Array.from({ length: Math.max(...counts) }, (_, index) => `bench-audit-${index + 1}`);
const ROUNDS = 3;
let program;

function run(file, ...args) {
  return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 28 });
}

function audit(hosts) {
  const words = hosts.map(({ address }) => `root@${address}`);
  const options = ['-i', hosts[0].keyFile, '--host-key', 'accept-new', '--json'];
  const argv = ['--home', join(directory, 'store'), 'audit', ...words, ...options];
  return measured(program, argv, { directory });
}

async function ours(hosts) {
  const count = ({ name }) => countSsh(() => run(lab, 'exec', name, 'journalctl', '-o', 'cat', '-u', 'ssh'));
  const counted = hosts.map(count);
  const { wallMs, cpuMs, rssMb } = await audit(hosts);
  const execs = Math.max(...counted.map((since) => since().execs));
  const [wall, cpu] = [wallMs, cpuMs].map((ms) => {
    const s = ms / 1000;
    return `${s.toFixed(2)} s, ${(s / hosts.length).toFixed(2)} s a host`;
  });
  console.log(
    `${hosts.length} hosts: ${wall}; CPU of ours ${cpu}; ${rssMb.toFixed(0)} MB; remote execs a host: ${execs}`,
  );
}

/** The others run on the host and by root; ours has its start, the login and the TLS probes in it as well. */
function others(host) {
  const programs = new Map();
  if (checkout === undefined) console.log('docker-bench-security: left out, DOCKER_BENCH_SECURITY names no checkout');
  else programs.set('docker-bench-security', () => dockerBenchSecurity(host.name, checkout));
  try {
    installLynis(host.name, downloadLynis(directory));
    programs.set('Lynis', () => lynisIndex(host.name));
  } catch (error) {
    console.log(`Lynis: left out, ${String(error.message).split('\n')[0]}`);
  }
  return programs;
}

async function compare(host) {
  const programs = others(host);
  const times = new Map([['docker-tls', []], ...[...programs.keys()].map((name) => [name, []])]);
  for (let round = 0; round < ROUNDS; round += 1) {
    times.get('docker-tls').push((await audit([host])).wallMs);
    for (const [name, audited] of programs) {
      const began = performance.now();
      audited();
      times.get(name).push(performance.now() - began);
    }
  }
  const middle = (name) => times.get(name).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)];
  const mine = middle('docker-tls');
  console.log(`one host, median of ${ROUNDS} in turn: docker-tls ${(mine / 1000).toFixed(2)} s`);
  for (const name of programs.keys()) {
    const theirs = middle(name);
    console.log(`  ${name}: ${(theirs / 1000).toFixed(2)} s; docker-tls / ${name}: ${(mine / theirs).toFixed(2)}`);
  }
}

try {
  program = programIn(directory);
  const hosts = JSON.parse(run(lab, 'up', ...names, '--owner-pid', String(process.pid), '--json'));
  const verbose = 'echo LogLevel VERBOSE >/etc/ssh/sshd_config.d/bench.conf; systemctl restart ssh';
  for (const { name } of hosts) run(lab, 'exec', name, 'sh', '-c', verbose);
  for (const count of counts) await ours(hosts.slice(0, count));
  await compare(hosts[0]);
} finally {
  try {
    run(lab, 'down', ...names);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
