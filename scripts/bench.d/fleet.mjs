// What a fleet costs: wall time of `rotate server` (new credentials on every host, one restart, verified) on real lab hosts against the floor
// of `ssh HOST systemctl restart docker` on the same hosts with the same parallelism, and our CPU time and memory per host. "idle" is an
// `apply` that finds nothing to do. Then how it grows with 100 and 1,000 ssh servers on loopback, all of which answer with the facts of
// one lab host: `plan` logs in, reads the facts and plans; no host is changed or verified there. Each is planned on one processor and on all
// of them. "main ms" is the CPU time of the main thread for a host, "all ms" that of every thread: so much faster all processors could be at best
// ("bound") as one, where nothing else ran on them. The servers do, and take as much again.
//
// Usage: node scripts/bench.d/fleet.mjs [--real 1,5,20] [--loopback 100,1000]    root on Linux; hosts are taken down at the end
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostScripts } from '../host-scripts.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-bench-'));
const bin = join(directory, 'bin/docker-tls.js');
const lab = join(root, 'scripts/lab');
const suites = ['bookworm', 'trixie', 'sid'];
const [real, loopback] = ['--real', '--loopback'].map((name, index) => counts(name, ['1,5,20', '100,1000'][index]));

function counts(name, fallback) {
  const at = process.argv.indexOf(name);
  const text = at === -1 ? (process.argv.length > 2 ? '' : fallback) : process.argv[at + 1];
  return text.split(',').filter(Boolean).map(Number);
}

/** Writes what a process has used when it ends; of its main thread in ticks of 10 ms, as proc(5) has them. */
const HOOK = `
import { readFileSync, writeFileSync } from 'node:fs';
process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const main = readFileSync('/proc/self/task/' + process.pid + '/stat', 'utf8').replace(/.*[)] /, '').split(' ');
  const used = { cpuMs: (userCPUTime + systemCPUTime) / 1000, mainMs: (Number(main[11]) + Number(main[12])) * 10, rssMb: maxRSS / 1024 };
  writeFileSync(process.env.BENCH_USAGE, JSON.stringify(used));
});`;

/** Runs a command and gives its wall time, and CPU time and memory as the kernel counted them for it alone (not for hosts or servers). */
function timed(argv, options = {}) {
  const measure = join(directory, `usage-${Math.random()}`);
  const args = ['--import', `data:text/javascript,${encodeURIComponent(HOOK)}`, bin, ...argv];
  const [command, ...first] = options.processors === 1 ? ['taskset', '-c', '0', process.execPath] : [process.execPath];
  return new Promise((resolve) => {
    const began = performance.now();
    const child = spawn(command, [...first, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, HOME: directory, SSH_AUTH_SOCK: '', BENCH_USAGE: measure, ...options.env },
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.on('close', (status) => {
      const wallMs = performance.now() - began;
      resolve({ status, said, wallMs, ...JSON.parse(readFileSync(measure, 'utf8')) });
    });
  });
}

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
      const text = execFileSync(lab, ['up', ...names, '--suite', suite, '--owner-pid', String(process.pid), '--json']);
      hosts.push(...JSON.parse(text.toString()));
    }
    hosts.sort((a, b) => Number(a.name.split('-')[2]) - Number(b.name.split('-')[2]));
    const home = join(directory, 'real');
    const file = join(directory, 'fleet.yaml');
    const entry = ({ name, address }) => `  ${name}: { ssh: { destination: ${address} } }`;
    const ssh = `{ user: root, host-key: accept-new, identities: [${hosts[0].keyFile}] }`;
    writeFileSync(
      file,
      ['version: 1', 'ca: { passphrase: none }', `defaults: { ssh: ${ssh} }`, 'hosts:', ...hosts.map(entry)].join('\n'),
    );
    const set = await timed(['apply', '-f', file, '--home', home, '--yes']);
    if (set.status !== 0) throw new Error(set.said);
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
  } finally {
    for (const { name } of hosts) execFileSync(lab, ['down', name]);
  }
}

/** What the facts script says on a lab host that was never set up. */
async function recordFacts() {
  const name = 'bench-facts';
  execFileSync(lab, ['up', name, '--owner-pid', String(process.pid)], { stdio: 'ignore' });
  try {
    const { FACTS_SCRIPT } = await hostScripts();
    return execFileSync(lab, ['exec', name, 'sh', '-s'], {
      input: `MORE_PATHS=\n${FACTS_SCRIPT}`,
      maxBuffer: 1 << 24,
    });
  } finally {
    execFileSync(lab, ['down', name]);
  }
}

/** Real ssh servers in a process of their own; behind each login is a recording in place of a shell. */
async function onLoopback() {
  const { default: ssh2 } = await import('ssh2');
  writeFileSync(join(directory, 'facts'), await recordFacts());
  const key = ssh2.utils.generateKeyPairSync('ed25519');
  writeFileSync(join(directory, 'key'), key.private, { mode: 0o600 });
  const rows = [['servers on loopback', 'processors', 'wall s', 'all ms', 'main ms', 'RSS MB', 'bound']];
  for (const count of loopback) {
    const server = spawn(
      process.execPath,
      ['--input-type=module', '-e', SERVER, String(count), join(directory, 'facts')],
      {
        cwd: root,
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    const { ports, pin } = await new Promise((resolve) => {
      let text = '';
      server.stdout.on('data', (chunk) => {
        text += chunk;
        if (text.endsWith('\n')) resolve(JSON.parse(text));
      });
    });
    const file = join(directory, `loopback-${count}.yaml`);
    const ssh = `{ user: root, host-key: "${pin}", identities: [${join(directory, 'key')}] }`;
    const entry = (port) => `  h${port}: { ssh: "127.0.0.1:${port}" }`;
    writeFileSync(
      file,
      ['version: 1', 'ca: { passphrase: none }', `defaults: { ssh: ${ssh} }`, 'hosts:', ...ports.map(entry)].join('\n'),
    );
    let alone;
    for (const processors of [1, cpus().length]) {
      const run = await timed(['plan', '-f', file, '--home', join(directory, 'none')], { processors });
      if (run.status !== 0) throw new Error(run.said);
      const bound = (alone?.cpuMs ?? run.cpuMs) / Math.max(processors === 1 ? 0 : run.mainMs, run.cpuMs / processors);
      alone ??= run;
      const each = [run.cpuMs, run.mainMs].map((ms) => (ms / count).toFixed(1));
      rows.push([count, processors, (run.wallMs / 1000).toFixed(2), ...each, run.rssMb.toFixed(0), bound.toFixed(2)]);
    }
    server.kill();
  }
  table(rows);
}

const SERVER = `
import ssh2 from 'ssh2';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
const facts = readFileSync(process.argv[2]);
const key = ssh2.utils.generateKeyPairSync('ed25519').private;
const ports = [];
for (let i = 0; i < Number(process.argv[1]); i++) {
  const server = new ssh2.Server({ hostKeys: [key] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => (context.method === 'publickey' ? context.accept() : context.reject(['publickey'])));
    client.on('session', (accept) => accept().on('exec', (acceptExec, _reject, { command }) => {
      const stream = acceptExec();
      stream.on('error', () => {});
      stream.resume();
      // The frame of src/adapters/ssh/frame.ts: the mark comes in two halves, the last words but one.
      const mark = command.match(/[0-9a-f]{16}/g).slice(-2).join('');
      stream.stderr.write(mark + ':shell\\n' + mark + ':run\\n' + mark + ':end 0\\n');
      stream.write(mark + ':shell\\n' + mark + ':run\\n');
      stream.write(facts);
      stream.write(mark + ':end 0\\n');
      stream.exit(0);
      stream.end();
    }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  ports.push(server.address().port);
}
const blob = ssh2.utils.parseKey(key).getPublicSSH();
const pin = 'SHA256:' + createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
process.stdout.write(JSON.stringify({ ports, pin }) + '\\n');
`;

try {
  mkdirSync(join(directory, 'bin'));
  cpSync(join(root, 'bin/docker-tls.js'), bin);
  cpSync(join(root, 'package.json'), join(directory, 'package.json'));
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs'), join(directory, 'dist')]);
  if (loopback.length > 0) await onLoopback();
  if (real.length > 0) await onRealHosts();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
