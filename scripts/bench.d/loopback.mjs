// How `plan` and `status` grow with the number of hosts: ssh servers on loopback, all of which answer with the facts of one lab host, and one
// daemon under TLS. `plan` logs in, reads the facts and plans; `status` asks each host over TLS as well. No host is changed. "CPU ms" is
// our CPU time for each host. "peak MB" is the resident memory at its highest, "later MB" the part of it that came after a tenth of the
// hosts: memory that follows the fleet.
//
// Usage: node scripts/bench.d/loopback.mjs [COUNTS] [--commands plan,status] [--facts FILE]     default 100,1000; 5,000 hosts take minutes
// Root on Linux, for the lab host whose facts are recorded; --facts has them from FILE, and records them there where it is not.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ssh2 from 'ssh2';
import { factsScript } from '../host-scripts.mjs';
import { issuedStore } from './issued.mjs';
import { measured, programIn } from './measured.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-bench-'));
const lab = join(root, 'scripts/lab');
const counts = (process.argv[2]?.startsWith('-') ? undefined : process.argv[2]) ?? '100,1000';
const commands = option('--commands', 'plan,status').split(',');
const factsFile = option('--facts', join(directory, 'facts'));

function option(name, fallback) {
  const at = process.argv.indexOf(name);
  return at === -1 ? fallback : process.argv[at + 1];
}

/** What the facts script says on a lab host that was never set up. */
async function recordFacts() {
  const name = 'bench-facts';
  execFileSync(lab, ['up', name, '--owner-pid', String(process.pid)], { stdio: 'ignore' });
  try {
    const script = await factsScript();
    const input = `MORE_PATHS=\n${script}`;
    return execFileSync(lab, ['exec', name, 'sh', '-s'], { input, maxBuffer: 1 << 24 });
  } finally {
    execFileSync(lab, ['down', name]);
  }
}

/** A process of its own; behind each login is a recording in place of a shell. */
const SERVER = `
import ssh2 from 'ssh2';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
const [count, factsFile, key, tls] = process.argv.slice(1);
const facts = readFileSync(factsFile);
const ports = [];
const listen = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
for (let i = 0; i < Number(count); i++) {
  ports.push(await listen(new ssh2.Server({ hostKeys: [readFileSync(key)] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => (context.method === 'publickey' ? context.accept() : context.reject(['publickey'])));
    client.on('session', (accept) => accept().on('exec', (acceptExec, _reject, { command }) => {
      const stream = acceptExec();
      stream.on('error', () => {});
      stream.resume();
      // The frame of src/core/adapters/ssh/frame.ts: the mark comes in two halves, the last words but one.
      const mark = command.match(/[0-9a-f]{16}/g).slice(-2).join('');
      stream.stderr.write(mark + ':shell\\n' + mark + ':run\\n' + mark + ':end 0\\n');
      stream.write(mark + ':shell\\n' + mark + ':run\\n');
      stream.write(facts);
      stream.write(mark + ':end 0\\n');
      stream.exit(0);
      stream.end();
    }));
  })));
}
const [cert, serverKey, ca] = ['server-cert.pem', 'server-key.pem', 'ca.pem'].map((file) => readFileSync(tls + '/' + file));
const daemon = createServer({ cert, key: serverKey, ca, requestCert: true, rejectUnauthorized: true, allowPartialTrustChain: true }, (_, answer) => answer.end('{"Version":"26.1.5"}'));
daemon.on('tlsClientError', () => {});
process.stdout.write(JSON.stringify({ ports, tlsPort: await listen(daemon) }) + '\\n');
`;

function serve(count, tls) {
  const args = ['--input-type=module', '-e', SERVER, String(count), factsFile, join(directory, 'host-key'), tls];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  const ready = new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('\n')) resolve(JSON.parse(text));
    });
    child.on('close', () => reject(new Error('a server has ended')));
  });
  return { ready, stop: () => child.kill() };
}

/** The ssh server of its port is each host's. */
function placeHosts(home, ports, port, ssh) {
  for (const [index, name] of readdirSync(join(home, 'hosts')).entries()) {
    const file = join(home, 'hosts', name, 'host.json');
    const record = JSON.parse(readFileSync(file, 'utf8'));
    const place = { ...record.ssh, ...ssh, port: ports[index] };
    writeFileSync(file, JSON.stringify({ ...record, port, ssh: place }));
  }
}

async function onLoopback(count) {
  const home = join(directory, `store-${count}`);
  await issuedStore(home, commands.includes('status') ? count : 1);
  const server = serve(count, join(home, 'hosts/h0'));
  try {
    const { ports, tlsPort } = await server.ready;
    const identities = [join(directory, 'key')];
    placeHosts(home, ports, tlsPort, { user: 'root', identities, configFile: join(directory, 'ssh_config') });
    const pin = `SHA256:${createHash('sha256').update(hostKey.getPublicSSH()).digest('base64').replace(/=+$/, '')}`;
    const file = join(directory, `fleet-${count}.yaml`);
    const ssh = `{ user: root, host-key: "${pin}", identities: [${identities[0]}] }`;
    const entries = ports.map((port) => `  h${port}: { ssh: "127.0.0.1:${port}" }`);
    writeFileSync(
      file,
      ['version: 1', 'ca: { passphrase: none }', `defaults: { ssh: ${ssh} }`, 'hosts:', ...entries].join('\n'),
    );
    const argvOf = {
      plan: ['plan', '-f', file, '--home', join(directory, 'none')],
      status: ['status', '--home', home],
    };
    for (const command of commands) {
      const run = await measured(program, argvOf[command], { directory });
      if (run.status !== 0) throw new Error(run.said.slice(-2000));
      const memory = [run.rssMb, run.laterMb].map((mb) => mb.toFixed(0));
      print([`${command} ${count}`, (run.wallMs / 1000).toFixed(2), (run.cpuMs / count).toFixed(1), ...memory]);
    }
  } finally {
    server.stop();
  }
}

function print(cells) {
  console.log(cells.map((cell, index) => String(cell).padStart(index === 0 ? 14 : 12)).join(''));
}

let hostKey;
let program;
try {
  program = programIn(directory);
  if (!existsSync(factsFile)) writeFileSync(factsFile, await recordFacts());
  for (const name of ['key', 'host-key'])
    writeFileSync(join(directory, name), ssh2.utils.generateKeyPairSync('ed25519').private, { mode: 0o600 });
  hostKey = ssh2.utils.parseKey(readFileSync(join(directory, 'host-key')));
  writeFileSync(join(directory, 'known_hosts'), `* ssh-ed25519 ${hostKey.getPublicSSH().toString('base64')}\n`);
  writeFileSync(join(directory, 'ssh_config'), `UserKnownHostsFile ${join(directory, 'known_hosts')}\n`);
  print(['', 'wall s', 'CPU ms', 'peak MB', 'later MB']);
  for (const count of counts.split(',').map(Number)) await onLoopback(count);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
