// The index that `lynis audit system` (Debian's package) gives a host: fresh, with `docker-tls harden --profile minimal`, with `--profile
// lynis`, and with every fix accepted but userns-remap, which says nothing to Lynis. No package is installed. Fails where `--profile lynis`
// is below the bar: node scripts/lynis.mjs [SUITE…]      default: bookworm, trixie, sid; further ones: trixie-vm, sid-vm
// Takes root. On a virtual machine (trixie-vm) each index takes some ten minutes: there `--profile lynis` follows on the fresh one, and it ends
// with the first that reaches the bar.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { downloadLynis, installLynis, lynisIndex } from './other-audits.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-lynis-'));
const suites = process.argv.length > 2 ? process.argv.slice(2) : ['bookworm', 'trixie', 'sid'];
/**
 * The index to reach with `--profile lynis`. On sid Lynis (up to 3.1.7) counts no setting of sshd: OpenSSH 10.4 and later print `MaxAuthTries`
 * where it looks for `maxauthtries`. With a kernel of its own such a host gets there all the same; in a container it does not.
 */
const BARS = { sid: 71, 'sid-vm': 74, 'trixie-vm': 78 };
const bar = (suite) => BARS[suite] ?? 74;
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
  return fixes.flatMap(({ name, needsAccept }) => (needsAccept && name !== 'userns-remap' ? [name] : [])).join(',');
}

try {
  run(process.execPath, [join(root, 'scripts/build.mjs'), join(directory, 'dist')]);
  for (const path of ['bin', 'package.json']) cpSync(join(root, path), join(directory, path), { recursive: true });
  const deb = downloadLynis(directory);
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
    const index = () => lynisIndex(host);
    installLynis(host, deb);
    // As Debian's installer writes it; the lab's roots lack it, and sid has none.
    if (!suite.startsWith('sid')) {
      const line = `deb http://security.debian.org/debian-security ${suite.replace('-vm', '')}-security main`;
      lab('exec', host, 'sh', '-c', `echo '${line}' >/etc/apt/sources.list.d/security.list`);
    }
    const vm = suite.endsWith('-vm');
    const show = (state, value) => console.log(`${suite}: hardening index ${value} ${state}`);
    show('fresh', index());
    const ssh = ['-i', keyFile, '--host-key', 'accept-new', '--no-ca-passphrase', '--confirm-within', '5m'];
    dockerTls('setup', `ops@${address}`, '--name', host, ...ssh);
    const harden = (...words) => {
      dockerTls('harden', host, ...words);
      return index();
    };
    if (!vm) show('profile minimal', harden('--profile', 'minimal'));
    let reached = harden('--profile', 'lynis', '--banner', BANNER);
    show('profile lynis', reached);
    if (!vm || reached < bar(suite)) {
      const all = harden('--profile', 'lynis', '--banner', BANNER, '--accept', accepted(dockerTls));
      show('with every fix accepted', all);
      if (vm) reached = all;
    }
    if (reached < bar(suite)) throw new Error(`${suite}: ${reached} is below ${bar(suite)}`);
    lab('down', host);
  }
} finally {
  rmSync(directory, { recursive: true });
}
