/**
 * The Debian package and the rpm as people get them: built by scripts/package, read by lintian and rpm, and the life of the package on
 * real hosts without Node.js: installed by apt, used, upgraded, removed and purged, with nothing left.
 */

import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SINGLE } from '../support/cli.ts';
import { issueStore } from '../support/issued-store.ts';
import { type LabHost, labUp, type Suite } from '../support/lab.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-package-'));
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
const [debian, fedora] = process.arch === 'arm64' ? ['arm64', 'aarch64'] : ['amd64', 'x86_64'];
const deb = join(directory, `docker-tls_${version}_${debian}.deb`);
const rpm = join(directory, `docker-tls-${version}-1.${fedora}.rpm`);
const SUITES: readonly Suite[] = ['bookworm', 'trixie'];
const hosts = new Map<Suite, LabHost>();

/** A package made of a control file alone, or of another package with some lines of its control file and one more file. */
async function repack(name: string, change: (directory: string) => void, from?: string): Promise<string> {
  const tree = join(directory, `${name}.tree`);
  if (from === undefined) await run('mkdir', ['-p', join(tree, 'DEBIAN')]);
  else await run('dpkg-deb', ['--raw-extract', from, tree]);
  change(tree);
  const file = join(directory, `${name}.deb`);
  await run('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, file]);
  return file;
}

beforeAll(async () => {
  await Promise.all([
    run(join(ROOT, 'scripts/package'), [
      ...['--out', directory, ...(SINGLE ? ['--program', SINGLE] : []), '--level', '1', 'deb', 'rpm'],
    ]),
    ...SUITES.map(async (suite) => {
      const [host] = await labUp({ names: [`package-${suite}`], suite });
      if (host === undefined) throw new Error('no host');
      hosts.set(suite, host);
    }),
  ]);
});

afterAll(async () => {
  await Promise.all([...hosts.values()].map((host) => host.down()));
  rmSync(directory, { recursive: true, force: true });
});

// It reads all of the executable: 45 s of CPU.
test.concurrent('lintian has nothing to say about the Debian package', { timeout: 900_000 }, async () => {
  const { stdout, stderr } = await run('lintian', ['--allow-root', '--display-info', '--fail-on', 'none', deb]);
  expect(stdout + stderr).toBe('');
});

test.concurrent('the rpm holds what the Debian package holds', async () => {
  const listed = async (file: string, words: readonly string[]) =>
    (await run(file, words)).stdout
      .split('\n')
      .filter((line) => !/\/$|doc\/docker-tls|share\/licenses|share\/lintian|^$/.test(line))
      .map((line) => line.replace(/^\.|(?<=zsh\/)(?:site-functions|vendor-completions)/g, ''))
      .sort();
  const inRpm = await listed('rpm', ['-qp', '--nosignature', '--qf', '[%{FILEMODES:perms} %{FILENAMES}\n]', rpm]);
  const inDeb = await listed('sh', ['-c', `dpkg-deb --fsys-tarfile ${deb} | tar -t`]);
  const files = inRpm.filter((line) => !line.startsWith('d')).map((line) => line.slice(11));
  expect(files.sort()).toEqual(inDeb);
  expect((await run('rpm', ['-qlp', '--nosignature', rpm])).stdout).toContain('/usr/bin/docker-tls\n');
  expect((await run('rpm', ['-qp', '--nosignature', '--requires', rpm])).stdout).toContain(
    'libc.so.6(GLIBC_2.28)(64bit)\n',
  );
  expect((await run('rpm', ['-qp', '--nosignature', '--requires', rpm])).stdout).not.toContain('node');
});

/** Into a root of its own, with a shell for its scripts: there is no Fedora here, and dnf asks rpm to do the same. */
test.concurrent('rpm refuses it without a C library, installs, verifies, runs and erases it, and leaves nothing', async () => {
  const root = join(directory, 'rpm-root');
  const busybox = join(root, 'bin/busybox');
  await run('mkdir', ['-p', join(root, 'bin'), join(root, 'etc/systemd/system/timers.target.wants')]);
  copyFileSync('/bin/busybox', busybox);
  await run(busybox, ['--install', '-s', join(root, 'bin')]);
  await run('sh', ['-c', `cd ${root}/bin && for tool in sh rm; do ln -sf busybox $tool; done`]);
  const timer = join(root, 'etc/systemd/system/timers.target.wants/docker-tls-renew@ops.timer');
  // Directories such as /usr/share/man are those of a system.
  const ours = ['(', '!', '-type', 'd', '-o', '-path', '*docker-tls*/*', ')', '-print'];
  const files = async () =>
    (await run('find', ['.', '-path', '*/var/lib/rpm', '-prune', '-o', ...ours], { cwd: root })).stdout;
  await run('rpm', ['--root', root, '--initdb']);
  const before = await files();
  const ask = (...words: readonly string[]) => run('rpm', ['--root', root, ...words]);
  await expect(ask('-i', '--nosignature', rpm)).rejects.toThrow('libc.so.6(GLIBC_2.28)(64bit) is needed by docker-tls');
  await ask('-i', '--nosignature', '--nodeps', rpm);
  // Modes, owners, links and checksums of every file are those of the package.
  expect((await ask('-V', '--nodeps', 'docker-tls')).stdout).toBe('');
  expect((await run(join(root, 'usr/bin/docker-tls'), ['--version'])).stdout).toContain(`docker-tls ${version} (`);
  await run('ln', ['-s', '/usr/lib/systemd/system/docker-tls-renew@.timer', timer]);
  await ask('-U', '--nosignature', '--nodeps', '--replacepkgs', rpm);
  expect((await run('readlink', [timer])).stdout).not.toBe('');
  await ask('-e', 'docker-tls');
  expect(await files()).toBe(before);
});

/** Every file of a host that a package could leave. */
function filesOf(host: LabHost): Promise<string> {
  const apart = [
    'proc',
    'sys',
    'dev',
    'run',
    'tmp',
    'root',
    'var/log',
    'var/cache',
    'var/lib/apt',
    'var/lib/dpkg/info',
  ];
  const prune = apart.map((path) => `-path /${path} -prune`).join(' -o ');
  return host.must(`find / -xdev \\( ${prune} \\) -o ! -name '*-old' -print | sort`);
}

const APT = 'DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends';

/** Nothing else is installed with it; the timer is off until it is enabled for a user; an upgrade leaves no file of the version before. */
async function installsAndUpgrades(host: LabHost): Promise<void> {
  const stale = '/usr/share/docker-tls/dist/of-an-older-version.js';
  const older = (tree: string) => {
    const control = join(tree, 'DEBIAN/control');
    writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, 'Version: 0.0.9'));
    writeFileSync(join(tree, stale), '');
  };
  copyFileSync(await repack(`older-${host.suite}`, older, deb), join(host.root, 'root/older.deb'));
  await host.must(`${APT} install /root/older.deb 2>&1 && test -e ${stale}`);
  expect(await host.must('systemctl is-enabled docker-tls-renew@.timer || true')).toBe('disabled');
  await host.must('systemctl enable --now docker-tls-renew@ops.timer 2>&1');
  await host.must(`${APT} install /root/${basename(deb)} 2>&1`);
  expect((await host.exec(`test -e ${stale}`)).exit).toBe(1);
  expect(await host.must('dpkg --verify docker-tls')).toBe('');
  expect(await host.must('systemctl is-active docker-tls-renew@ops.timer')).toBe('active');
}

/** As a program, as a plugin of the docker CLI, with man pages and completion. */
async function runs(host: LabHost): Promise<void> {
  expect((await host.exec('command -v node')).exit).not.toBe(0);
  expect(await host.must('docker-tls --version')).toContain(`docker-tls ${version} (`);
  expect(await host.must('docker tls version')).toContain(`docker-tls ${version}\nNode.js `);
  expect(await host.must('docker --help')).toMatch(/^ +tls\*? +TLS for remote Docker daemons/m);
  expect(await host.must('man -w docker-tls docker-tls-rotate-server')).toMatch(/docker-tls-rotate-server\.1\.gz$/);
  expect(await host.must(`fish -c "complete -C 'docker-tls rot'"`)).toMatch(/^rotate/);
  const load = '. /usr/share/bash-completion/completions/docker-tls';
  const bash = 'COMP_WORDS=(docker-tls rot); COMP_CWORD=1; _docker_tls; echo "$COMPREPLY"';
  expect(await host.must(`bash -c '${load}; ${bash}'`)).toBe('rotate');
}

/** The timer works on the store and with the secrets of that user. */
async function renews(host: LabHost): Promise<void> {
  const units = 'docker-tls-renew@ops.timer docker-tls-renew@ops.service';
  expect(await host.must(`systemd-analyze verify ${units} 2>&1`)).toBe('');
  const passphrase = 'a long passphrase of ours';
  const now = new Date(Date.now() - 300 * 86_400_000);
  await issueStore(join(host.root, 'home/ops/.docker/tls'), { now, clients: { laptop: undefined }, passphrase });
  await host.must('chown -R ops: /home/ops/.docker');
  expect(await host.must("su - ops -c 'docker-tls status --offline'")).toContain('rotate client laptop');
  await host.must(
    `umask 077; mkdir -p /etc/credstore; echo '${passphrase}' >/etc/credstore/docker-tls.ops.ca-passphrase`,
  );
  const { exit } = await host.exec('systemctl start docker-tls-renew@ops.service');
  const journal = await host.must('journalctl -o cat -u docker-tls-renew@ops.service');
  expect({ exit, journal }).toMatchObject({ exit: 0, journal: expect.stringContaining('All is well.') });
}

/** Of the package nothing stays; the store belongs to its user. */
async function leavesNothing(host: LabHost, before: string): Promise<void> {
  await host.must(`${APT} remove docker-tls 2>&1`);
  expect(await host.must("systemctl list-units --all --no-legend 'docker-tls*'")).toBe('');
  await host.must(`${APT} purge --autoremove docker-tls 2>&1`);
  expect((await host.exec('dpkg -s docker-tls')).exit).toBe(1);
  await host.must('test -d ~ops/.docker/tls && rm -rf ~ops/.docker /etc/credstore/docker-tls.*');
  expect((await filesOf(host)).split('\n')).toEqual(before.split('\n'));
}

test.concurrent.each(SUITES)('installed without Node.js, upgraded, used, removed and purged on %s', async (suite) => {
  const host = hosts.get(suite) as LabHost;
  const before = await filesOf(host);
  copyFileSync(deb, join(host.root, 'root', basename(deb)));
  await installsAndUpgrades(host);
  await runs(host);
  // Credentials of a service need systemd 254.
  if (suite === 'bookworm') await host.must("su - ops -c 'mkdir -p .docker/tls'");
  else await renews(host);
  await leavesNothing(host, before);
});
