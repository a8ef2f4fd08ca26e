// How long an audit takes, our CPU time in it, and how many remote execs it needs, for 1 and 20 lab hosts; then the same host audited in turn by
// docker-tls, docker-bench-security and Lynis: node scripts/bench.d/audit.mjs [HOSTS…]
// DOCKER_BENCH_SECURITY names your checkout of docker/docker-bench-security; Lynis comes by this machine's apt. What is not there is left out.
// BEFORE names a checkout of an earlier commit, with its libraries: both programs audit the same hosts in turn, and nothing else is measured.
// Connections and execs are counted by the hosts themselves: sshd logs them at LogLevel VERBOSE. Round trips by a proxy before one host.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dockerBenchSecurity, downloadLynis, installLynis, lynisIndex } from '../other-audits.mjs';
import { startDelay } from './delay.mjs';
import { builtIn, measured, programIn } from './measured.mjs';
import { countSsh } from './ssh-count.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const lab = join(root, 'scripts/lab');
const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1, 20];
const { DOCKER_BENCH_SECURITY: checkout, BEFORE: earlier } = process.env;
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-bench-audit-'));
const names = Array.from({ length: Math.max(...counts) }, (_, index) => `bench-audit-${index + 1}`);
const ROUNDS = 3;
let program;

function run(file, ...args) {
  return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 28 });
}

/** Each `at` is USER@ADDRESS[:PORT]. */
function audit(hosts, { by = program, at = hosts.map(({ address }) => `root@${address}`) } = {}) {
  const options = ['-i', hosts[0].keyFile, '--host-key', 'accept-new', '--json'];
  const argv = ['--home', join(directory, 'store'), 'audit', ...at, ...options];
  return measured(by, argv, { directory });
}

/** What reached each of the hosts' sshd since. */
function counting(hosts) {
  const counts = hosts.map(({ name }) =>
    countSsh(() => run(lab, 'exec', name, 'journalctl', '-o', 'cat', '-u', 'ssh')),
  );
  return () => counts.map((since) => since());
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Round trips between us and the sshd of a host. */
async function roundTrips(host, by) {
  const delay = await startDelay(host.address, 22, 5);
  try {
    const { status } = await audit([host], { by, at: [`root@127.0.0.1:${delay.port}`] });
    return status === 0 ? delay.turns() : Number.NaN;
  } finally {
    delay.stop();
  }
}

/** This program and an earlier one, in turn on the same hosts. */
async function beside(hosts, programs) {
  const runs = new Map([...programs.keys()].map((name) => [name, []]));
  for (let round = 0; round < 2 * ROUNDS + 1; round += 1)
    for (const [name, by] of programs) {
      const since = round === 0 ? counting(hosts) : undefined;
      const one = await audit(hosts, { by });
      if (one.status !== 0) throw new Error(`${name}: ${one.said}`);
      runs.get(name).push({ ...one, counted: since?.() });
    }
  const rows = [...runs].map(([name, all]) => {
    const of = (what) => median(all.map((one) => one[what]));
    const counted = all[0].counted;
    const most = (what) => Math.max(...counted.map((one) => one[what]));
    return { name, ...Object.fromEntries(['wallMs', 'cpuMs', 'rssMb'].map((key) => [key, of(key)])), most };
  });
  for (const { name, wallMs, cpuMs, rssMb, most } of rows) {
    const trips = hosts.length === 1 ? `; round trips ${await roundTrips(hosts[0], programs.get(name))}` : '';
    console.log(
      `${hosts.length} hosts, ${name}: ${wallMs.toFixed(0)} ms, CPU of ours ${cpuMs.toFixed(0)} ms, ${rssMb.toFixed(0)} MB; a host: connections ${most('connections')}, execs ${most('execs')}${trips}`,
    );
  }
  const [before, now] = rows;
  const ratio = (key) => (now[key] / before[key]).toFixed(2);
  console.log(
    `${hosts.length} hosts, now / before: time ${ratio('wallMs')}, CPU ${ratio('cpuMs')}, memory ${ratio('rssMb')}`,
  );
}

async function ours(hosts) {
  const counted = counting(hosts);
  const { wallMs, cpuMs, rssMb } = await audit(hosts);
  const execs = Math.max(...counted().map((one) => one.execs));
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
  const middle = (name) => median(times.get(name));
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
  if (earlier === undefined) {
    for (const count of counts) await ours(hosts.slice(0, count));
    await compare(hosts[0]);
  } else {
    const programs = new Map([
      ['before', builtIn(join(directory, 'before'), earlier)],
      ['now', program],
    ]);
    for (const count of counts) await beside(hosts.slice(0, count), programs);
  }
} finally {
  try {
    run(lab, 'down', ...names);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
