// Measures the first minutes of a new user: on a bare Debian, from nothing to a verified host. Prints commands, answers and seconds.
// Usage: node scripts/first-minutes.mjs    root, Linux; boots two lab hosts, an operator's machine and a Docker host, and takes them down.
// What is given: the archive of the single executable as a file (a download takes what the line takes), and an SSH key that the host accepts.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from '@lydell/node-pty';

const root = fileURLToPath(new URL('..', import.meta.url));
const lab = (...args) => execFileSync(join(root, 'scripts/lab'), args, { encoding: 'utf8' });
const work = mkdtempSync(join(tmpdir(), 'docker-tls-first-'));
const NAMES = ['first-operator', 'first-host'];
const PASSPHRASE = 'orbit-walnut-canyon-42';

/** Types each answer once its question is there; resolves to what was shown. */
function converse(command, answers = []) {
  return new Promise((resolve, reject) => {
    const left = [...answers];
    let shown = '';
    let from = 0;
    const pty = spawn(ssh[0], [...ssh.slice(1), command], { cols: 100, rows: 50, name: 'xterm-256color' });
    const timer = setTimeout(() => pty.kill(), 180_000);
    pty.onData((data) => {
      shown += data;
      const [next] = left;
      if (next === undefined || !shown.slice(from).includes(next[0])) return;
      from = shown.length;
      left.shift();
      setTimeout(() => pty.write(`${next[1]}\r`), 300);
    });
    pty.onExit(({ exitCode }) => {
      clearTimeout(timer);
      const asked = left.length === 0 ? '' : `; never asked: ${left.map(([question]) => question).join(', ')}`;
      if (exitCode === 0 && asked === '') resolve(shown);
      else reject(new Error(`${command}: exit ${exitCode}${asked}\n${shown}`));
    });
  });
}

async function timed(command, answers) {
  const started = performance.now();
  const shown = await converse(command, answers);
  const seconds = (performance.now() - started) / 1000;
  console.log(`${seconds.toFixed(1).padStart(6)} s  ${command}${answers ? `   (${answers.length} answers)` : ''}`);
  return { seconds, shown };
}

let ssh = [];
try {
  const [operator, host] = JSON.parse(lab('up', ...NAMES, '--owner-pid', String(process.pid), '--json'));
  const options = ['-F', '/dev/null', '-i', operator.keyFile, '-o', `UserKnownHostsFile=${operator.knownHosts}`];
  ssh = ['ssh', '-tt', '-o', 'LogLevel=ERROR', ...options, `root@${operator.address}`];
  execFileSync(join(root, 'scripts/package'), ['--out', work, 'archive'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const tree = lab('root', NAMES[0]).trim();
  const [archive] = execFileSync('find', [work, '-name', '*.tar.gz', '-printf', '%f\n'], { encoding: 'utf8' }).split(
    '\n',
  );
  copyFileSync(join(work, archive), join(tree, 'root', archive));
  mkdirSync(join(tree, 'root/.ssh'), { recursive: true, mode: 0o700 });
  copyFileSync(host.keyFile, join(tree, 'root/.ssh/id_ed25519'));
  execFileSync('chmod', ['600', join(tree, 'root/.ssh/id_ed25519')]);

  const directory = archive.replace('.tar.gz', '');
  const unpack = await timed(`tar -xzf ${archive}`);
  const setup = await timed(`${directory}/docker-tls setup`, [
    ['Host:', `root@${host.address}`],
    ['Is that its key?', 'y'],
    ['Make these changes?', 'y'],
    ['New passphrase of the CA:', PASSPHRASE],
    ['The same again:', PASSPHRASE],
  ]);
  if (!/no certificate: rejected/.test(setup.shown)) throw new Error(setup.shown);
  const context = /docker --context (\S+) ps/.exec(setup.shown)?.[1];
  if (context === undefined) throw new Error(setup.shown);
  const use = await timed(`docker --context ${context} version --format '{{.Server.Version}}'`);
  const total = unpack.seconds + setup.seconds + use.seconds;
  console.log(`${total.toFixed(1).padStart(6)} s  in all: 3 commands (unpack, setup, use), 5 answers`);
} finally {
  lab('down', ...NAMES);
  rmSync(work, { recursive: true, force: true });
}
