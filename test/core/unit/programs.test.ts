/** Programs that a host needs: a missing one is detected first, and reported with the distribution's package. */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  distributionOf,
  installCommand,
  installDockerHints,
  installHereHint,
} from '../../../src/core/domain/dockerd/install-hints.ts';
import { NEEDED_PROGRAMS, packagesOf, parseMissing } from '../../../src/core/domain/dockerd/programs.ts';
import programsModule from '../../../src/core/host/facts/programs.sh';

const HOST = new URL('../../../src/core/host/', import.meta.url).pathname;

/** Programs that the scripts do without, or look for before use. */
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
    'lsattr',
  ],
  ...[
    'logger',
    'loginctl',
    'mount',
    'nft',
    'perl',
    'python3',
    'restorecon',
    'selinuxenabled',
    'sh',
    'ss',
    'sshd',
    'systemd-analyze',
    'useradd',
    'usermod',
  ],
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

const DISTRIBUTIONS = {
  debian: 'ID=debian\n',
  mint: 'ID=linuxmint\nID_LIKE="ubuntu debian"\n',
  fedora: 'ID=fedora\n',
  alma: 'NAME="AlmaLinux"\nID="almalinux"\nID_LIKE="rhel centos fedora"\n',
  amazon: 'ID="amzn"\nID_LIKE="fedora"\n',
  suse: 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n',
  alpine: 'ID=alpine\n',
  arch: 'ID=arch\n',
  nixos: 'ID=nixos\n',
  nothing: '',
};

test.each<[keyof typeof DISTRIBUTIONS, string | undefined, string | undefined]>([
  ['debian', 'apt-get install -y --reinstall coreutils util-linux openssh-client', 'docker.io'],
  ['mint', 'apt-get install -y --reinstall coreutils util-linux openssh-client', 'docker.io'],
  ['fedora', 'dnf install -y coreutils util-linux openssh-clients', 'moby-engine'],
  // Its `docker` is Podman.
  ['alma', 'dnf install -y coreutils util-linux openssh-clients', undefined],
  ['amazon', 'dnf install -y coreutils util-linux openssh-clients', 'docker'],
  ['suse', 'zypper install -y -f coreutils util-linux openssh-clients', 'docker'],
  ['alpine', 'apk add coreutils util-linux openssh-client', 'docker'],
  ['arch', 'pacman -S --noconfirm coreutils util-linux openssh', 'docker'],
  ['nixos', undefined, undefined],
  ['nothing', undefined, undefined],
])('packages on %s', (name, command, docker) => {
  const distribution = distributionOf(DISTRIBUTIONS[name]);
  const packages = [...packagesOf(['flock', 'od']), 'openssh-client'];
  expect(installCommand(distribution, packages)?.join(' ')).toBe(command);
  const hints = installDockerHints({ destination: 'h1', user: 'root' }, distribution);
  expect(hints.length).toBe(docker === undefined ? 1 : 2);
  if (docker !== undefined) expect(hints[0]).toMatch(new RegExp(`^ssh root@h1 .* ${docker}$`));
  expect(installHereHint(DISTRIBUTIONS[name], packages)).toEqual(
    command ?? expect.toSay('install-here', 'coreutils util-linux openssh-client'),
  );
  expect(hints.at(-1)).toMatch(/install it.*: https:\/\/docs\.docker\.com\/engine\/install\/$/);
});
