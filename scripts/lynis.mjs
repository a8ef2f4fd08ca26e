// What `lynis audit system` (Debian's package) says of a host before and after `docker-tls harden`: node scripts/lynis.mjs [SUITE…]
// Takes root; the package comes by this machine's apt, since a lab host has no way out.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-lynis-'));
const suites = process.argv.length > 2 ? process.argv.slice(2) : ['trixie'];
/** What keeps somebody out takes a yes; user namespaces say nothing to Lynis. */
const ACCEPTED = 'icc,userland-proxy,sshd-root,sshd-passwords,docker-group';

function run(program, words, options = {}) {
  const done = spawnSync(program, words, { maxBuffer: 1 << 26, env: { ...process.env, HOME: directory }, ...options });
  if (done.status !== 0) throw new Error(`${program} ${words.join(' ')}: ${done.error ?? done.stderr}`);
  return String(done.stdout);
}
const lab = (...words) => run(join(root, 'scripts/lab'), words);

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
      return /^hardening_index=(\d+)/m.exec(lab('exec', host, 'cat', '/var/log/lynis-report.dat'))?.[1];
    };
    run(
      join(root, 'scripts/lab'),
      ['exec', host, 'sh', '-c', 'cat >/tmp/lynis.deb && dpkg --force-depends -i /tmp/lynis.deb'],
      { input },
    );
    const before = index();
    const ssh = ['-i', keyFile, '--host-key', 'accept-new', '--no-ca-passphrase'];
    dockerTls('setup', `ops@${address}`, '--name', host, ...ssh);
    dockerTls('harden', host, '--accept', ACCEPTED);
    console.log(`${suite}: hardening index ${before} before, ${index()} after`);
    lab('down', host);
  }
} finally {
  rmSync(directory, { recursive: true });
}
