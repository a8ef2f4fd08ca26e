// docker-bench-security and Lynis on a lab host, for what compares them with the audit. Neither is part of this project: the first is your
// checkout of docker/docker-bench-security, the second Debian's package, which comes by this machine's apt since a lab host has no way out.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const lab = fileURLToPath(new URL('lab', import.meta.url));

/** What a program prints, as bytes. */
function run(program, words, options = {}) {
  const done = spawnSync(program, words, { maxBuffer: 1 << 26, ...options });
  if (done.status !== 0) throw new Error(`${program} ${words.join(' ')}: ${done.error ?? done.stderr}`);
  return done.stdout;
}

/** What docker-bench-security says of a host. It runs on a copy of the checkout, which is gone afterwards. */
export function dockerBenchSecurity(host, checkout) {
  const input = run('tar', ['-C', checkout, '-c', 'docker-bench-security.sh', 'functions', 'tests']);
  // As after a login: pam_env reads /etc/environment.
  const script = `set -a; [ ! -r /etc/environment ] || . /etc/environment; set +a; umask 077
    D=$(mktemp -d) && tar -xC $D && cd $D && bash docker-bench-security.sh -b 2>/dev/null; rm -r $D`;
  return String(run(lab, ['exec', host, 'sh', '-c', script], { input }));
}

/** Gives Debian's package, by way of `directory`. Fails where apt cannot have it. */
export function downloadLynis(directory) {
  run('apt-get', ['download', '-q', 'lynis'], { cwd: directory });
  const file = readdirSync(directory).find((name) => name.startsWith('lynis_') && name.endsWith('.deb'));
  return readFileSync(join(directory, file));
}

export function installLynis(host, deb) {
  const script = 'cat >/tmp/lynis.deb && dpkg --force-depends -i /tmp/lynis.deb';
  run(lab, ['exec', host, 'sh', '-c', script], { input: deb });
}

/** Its hardening index of a host. */
export function lynisIndex(host) {
  run(lab, ['exec', host, 'lynis', 'audit', 'system', '--cronjob', '--quiet']);
  return Number(/^hardening_index=(\d+)/m.exec(run(lab, ['exec', host, 'cat', '/var/log/lynis-report.dat']))?.[1] ?? 0);
}
