// Measures the first minutes of a new user: on a bare Debian, from nothing to a verified host. Prints commands, answers, keystrokes and seconds.
//
// Usage: node scripts/first-minutes.mjs [--archive FILE] [--passphrase TEXT] [-- WORD…]
// --archive FILE      the archive of an executable that was built elsewhere, such as one of an older commit (default: built from this tree)
// --passphrase TEXT   the answer to the question for a passphrase of the CA (default: Enter)
// WORD…               additional words of setup
//
// Root, Linux; boots two lab hosts, an operator's computer and a Docker host, and takes them down. What is given: the archive as a file (a
// download takes what the line takes), and an SSH key that the host accepts. A keystroke is a typed character or Enter. Answers are typed at
// once, 0.3 s after their question is there.
import { execFileSync } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { spawn } from '@lydell/node-pty';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { archive: { type: 'string' }, passphrase: { type: 'string', default: '' } },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const lab = (...args) => execFileSync(join(root, 'scripts/lab'), args, { encoding: 'utf8' });
const work = mkdtempSync(join(tmpdir(), 'docker-tls-first-'));
const NAMES = [`first-operator-${process.pid}`, `first-host-${process.pid}`];

/** What a setup may ask, and the answer. Each once; another question is a failure, because nobody answers it. */
const ANSWERS = [
  [/Is that its key\?[^\n]*\)/, 'y'],
  [/Make these changes\?[^\n]*\)/, 'y'],
  [/New passphrase of the CA:/, values.passphrase],
  [/The same again:/, values.passphrase],
];

let ssh = [];
/** Types a command and each answer once its question is there; resolves to what was shown and how much was typed. */
function converse(directory, typed) {
  return new Promise((resolve, reject) => {
    let shown = '';
    const left = [...ANSWERS];
    let answers = 0;
    let keystrokes = typed.length + 1;
    const started = performance.now();
    const pty = spawn(ssh[0], [...ssh.slice(1), `cd ${directory} && ${typed}`], { cols: 100, rows: 50, name: 'xterm' });
    const timer = setTimeout(() => pty.kill(), 180_000);
    pty.onData((data) => {
      shown += data;
      const text = shown.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '');
      const next = left.findIndex(([question]) => question.test(text));
      if (next < 0) return;
      const [[, answer]] = left.splice(next, 1);
      answers += 1;
      keystrokes += answer.length + 1;
      setTimeout(() => pty.write(`${answer}\r`), 300);
    });
    pty.onExit(({ exitCode }) => {
      clearTimeout(timer);
      const seconds = (performance.now() - started) / 1000;
      if (exitCode === 0) resolve({ typed, shown, answers, keystrokes, seconds });
      else reject(new Error(`${typed}: exit ${exitCode}\n${shown}`));
    });
  });
}

try {
  const [operator, host] = JSON.parse(lab('up', ...NAMES, '--owner-pid', String(process.pid), '--json'));
  const options = ['-F', '/dev/null', '-i', operator.keyFile, '-o', `UserKnownHostsFile=${operator.knownHosts}`];
  ssh = ['ssh', '-tt', '-o', 'LogLevel=ERROR', ...options, `root@${operator.address}`];
  if (values.archive === undefined)
    execFileSync(join(root, 'scripts/package'), ['--out', work, 'archive'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const built = () => execFileSync('find', [work, '-name', '*.tar.gz'], { encoding: 'utf8' }).split('\n')[0];
  const file = values.archive ?? built();
  const archive = basename(file);
  const tree = lab('root', NAMES[0]).trim();
  copyFileSync(file, join(tree, 'root', archive));
  appendFileSync(join(tree, 'etc/hosts'), `${host.address} build-1\n`);
  mkdirSync(join(tree, 'root/.ssh'), { recursive: true, mode: 0o700 });
  copyFileSync(host.keyFile, join(tree, 'root/.ssh/id_ed25519'));
  execFileSync('chmod', ['600', join(tree, 'root/.ssh/id_ed25519')]);

  const directory = archive.replace('.tar.gz', '');
  const steps = [
    await converse('.', `tar -xzf ${archive} && cd ${directory}`),
    await converse(directory, ['./docker-tls setup root@build-1', ...positionals].join(' ')),
  ];
  if (!/no certificate: rejected/.test(steps[1].shown)) throw new Error(steps[1].shown);
  steps.push(await converse(directory, "docker --context build-1 version --format '{{.Server.Version}}'"));
  const line = (seconds, answers, keystrokes, what) =>
    console.log(
      `${seconds.toFixed(1).padStart(6)} s ${String(answers).padStart(3)} answers ${String(keystrokes).padStart(4)} keystrokes  ${what}`,
    );
  for (const { seconds, answers, keystrokes, typed } of steps) line(seconds, answers, keystrokes, typed);
  const sum = (key) => steps.reduce((total, step) => total + step[key], 0);
  line(sum('seconds'), sum('answers'), sum('keystrokes'), `in all: ${steps.length} commands`);
} finally {
  lab('down', ...NAMES);
  rmSync(work, { recursive: true, force: true });
}
