/** Programs that a host needs: found missing before anything else is asked, and named with the package of the distribution. */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installCommand, NEEDED_PROGRAMS, parseMissing } from '../../src/domain/dockerd/programs.ts';
import programsModule from '../../src/host/facts/programs.sh';

const HOST = new URL('../../src/host/', import.meta.url).pathname;

/** What the scripts do without, or look for before they use it. */
const OPTIONAL = [
  ...[
    'auditctl',
    'augenrules',
    'curl',
    'docker',
    'firewall-cmd',
    'getent',
    'gpasswd',
    'hostname',
    'ip',
    'iptables',
    'journalctl',
  ],
  ...['logger', 'mount', 'nft', 'perl', 'python3', 'sh', 'ss', 'sshd', 'sync'],
];

test('every program that a header names is looked for, or done without', () => {
  const files = ['.', 'apply', 'rollback', 'facts'].flatMap((directory) =>
    readdirSync(join(HOST, directory))
      .filter((name) => name.endsWith('.sh'))
      .map((name) => readFileSync(join(HOST, directory, name), 'utf8')),
  );
  const named = new Set(
    files.flatMap((text) =>
      [...text.matchAll(/^# Needs programs: (.+)$/gm)].flatMap(([, names = '']) => names.split(' ')),
    ),
  );
  expect([...named].filter((name) => !OPTIONAL.includes(name)).sort()).toEqual(
    NEEDED_PROGRAMS.filter((name) => named.has(name)).sort(),
  );
});

test.each(['dash', 'bash', 'busybox sh'])(
  'by %s: nothing is printed where all are there, and what is missing otherwise',
  (shell) => {
    const run = (programs: string): string =>
      spawnSync('sh', ['-c', `${shell} -c "$0"`, `PROGRAMS='${programs}'\n${programsModule}`], { encoding: 'utf8' })
        .stdout;
    expect(run('cat sed systemd-run')).toBe('');
    const missing = parseMissing(`Welcome!\n${run('cat no-such sed nor-this')}`);
    expect(missing?.programs).toEqual(['no-such', 'nor-this']);
    expect(missing?.osRelease).toContain('ID=debian');
  },
);

test.each([
  ['ID=debian\n', 'apt-get install -y --reinstall coreutils util-linux'],
  ['NAME="AlmaLinux"\nID="almalinux"\nID_LIKE="rhel centos fedora"\n', 'dnf install -y coreutils util-linux'],
  ['ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', 'zypper install -y -f coreutils util-linux'],
  ['ID=alpine\n', 'apk add coreutils util-linux'],
  ['ID=nixos\n', undefined],
  ['', undefined],
])('%j', (osRelease, command) => {
  expect(installCommand(osRelease, ['flock', 'od'])?.join(' ')).toBe(command);
});
