// The index that `lynis audit system` (Debian's package) gives a host: fresh, with `docker-tls harden --profile minimal`, with `--profile
// lynis`, with the fix that costs least accepted beside it, and with every fix accepted but userns-remap, which says nothing to Lynis. No
// package is installed. Fails below the bar: node scripts/lynis.mjs [SUITE…]
// Takes root; the package comes by this machine's apt, since a lab host has no way out. On a virtual machine (trixie-vm) it takes a long time.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-lynis-'));
const suites = process.argv.length > 2 ? process.argv.slice(2) : ['bookworm', 'trixie', 'sid'];
const LEAST = 'sshd-sessions';
/** The index to reach with the profile and LEAST. Lynis 3.1.4 counts no option of sid's OpenSSH, whose `sshd -T` has capitals. */
const bar = (suite) => (suite.endsWith('-vm') ? 78 : suite === 'sid' ? 71 : 74);
const BANNER =
  'Authorized users only. Use of this system is monitored and recorded. Unauthorized access is prohibited by law.';

function run(program, words, options = {}) {
  const done = spawnSync(program, words, { maxBuffer: 1 << 26, env: { ...process.env, HOME: directory }, ...options });
  if (done.status !== 0) throw new Error(`${program} ${words.join(' ')}: ${done.error ?? done.stderr}`);
  return String(done.stdout);
}
const lab = (...words) => run(join(root, 'scripts/lab'), words);

/** Names of the fixes that take a yes of their own. */
function accepted(dockerTls) {
  const { fixes } = JSON.parse(dockerTls('harden', '--list', '--json')).result;
  return fixes.flatMap(({ name, needsYes }) => (needsYes && name !== 'userns-remap' ? [name] : [])).join(',');
}

try {
  run(process.execPath, [join(root, 'scripts/build.mjs'), join(directory, 'dist')]);
  for (const path of ['bin', 'package.json']) cpSync(join(root, path), join(directory, path), { recursive: true });
  run('apt-get', ['download', '-q', 'lynis'], { cwd: directory });
  const input = readFileSync(
    join(
      directory,
      readdirSync(directory).find((name) => name.endsWith('.deb')),
    ),
  );
  for (const suite of suites) {
    const host = `lynis-${suite}`;
    const [{ address, keyFile }] = JSON.parse(
      lab('up', host, '--suite', suite, '--owner-pid', String(process.pid), '--json'),
    );
    const dockerTls = (...words) =>
      run(process.execPath, [
        join(directory, 'bin/docker-tls.js'),
        '--home',
        join(directory, 'store'),
        ...words,
        '--yes',
      ]);
    const index = () => {
      lab('exec', host, 'lynis', 'audit', 'system', '--cronjob', '--quiet');
      return Number(/^hardening_index=(\d+)/m.exec(lab('exec', host, 'cat', '/var/log/lynis-report.dat'))?.[1] ?? 0);
    };
    run(
      join(root, 'scripts/lab'),
      ['exec', host, 'sh', '-c', 'cat >/tmp/lynis.deb && dpkg --force-depends -i /tmp/lynis.deb'],
      { input },
    );
    // As Debian's installer writes it; the lab's roots lack it, and sid has none.
    if (!suite.startsWith('sid')) {
      const line = `deb http://security.debian.org/debian-security ${suite.replace('-vm', '')}-security main`;
      lab('exec', host, 'sh', '-c', `echo '${line}' >/etc/apt/sources.list.d/security.list`);
    }
    const before = index();
    const ssh = ['-i', keyFile, '--host-key', 'accept-new', '--no-ca-passphrase'];
    dockerTls('setup', `ops@${address}`, '--name', host, ...ssh);
    dockerTls('harden', host, '--profile', 'minimal', '--banner', BANNER);
    const minimal = index();
    const profile = ['harden', host, '--profile', 'lynis', '--banner', BANNER];
    dockerTls(...profile);
    const low = index();
    dockerTls(...profile, '--accept', LEAST);
    const least = index();
    dockerTls(...profile, '--accept', accepted(dockerTls));
    const all = index();
    console.log(
      `${suite}: hardening index ${before} fresh, ${minimal} minimal, ${low} profile lynis, ${least} with --accept ${LEAST}, ${all} with every fix accepted`,
    );
    if (least < bar(suite)) throw new Error(`${suite}: ${least} is below ${bar(suite)}`);
    lab('down', host);
  }
} finally {
  rmSync(directory, { recursive: true });
}
