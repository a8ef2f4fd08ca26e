/** nft, chattr and firewalls on a lab host, whose image has only iptables: copied from this machine's packages, with their libraries. */

import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { LabHost } from './lab.ts';

const PACKAGES = ['nftables', 'libnftables1', 'libjansson4', 'libedit2', 'libbsd0', 'libmd0'];

export function installNft(host: LabHost): void {
  unpack(PACKAGES, (files) => {
    if (host.suite === 'bookworm') installForeign(host, join(files, 'usr/sbin/nft'), join(files, LIBRARIES));
    else execFileSync('cp', ['-a', `${files}/.`, host.root]);
  });
}

/** Installs the files of packages of this machine's own suite (trixie), including their units and D-Bus names, without configuring them. */
export async function installPackages(host: LabHost, names: readonly string[]): Promise<void> {
  unpack(names, (files) => execFileSync('cp', ['-a', `${files}/.`, host.root]));
  await host.must('ldconfig; systemctl daemon-reload; systemctl reload dbus');
}

function unpack(names: readonly string[], use: (files: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-nft-'));
  const files = join(directory, 'files');
  execFileSync('apt-get', ['download', ...names], { cwd: directory, stdio: 'ignore' });
  for (const name of readdirSync(directory)) execFileSync('dpkg-deb', ['-x', join(directory, name), files]);
  use(files);
  rmSync(directory, { recursive: true, force: true });
}

export function installChattr(host: LabHost): void {
  for (const name of ['chattr', 'lsattr']) installForeign(host, `/usr/bin/${name}`);
}

const LIBRARIES = 'usr/lib/x86_64-linux-gnu';

/** A program of this machine, with all its libraries and their loader: an older host's C library is too old for it. */
function installForeign(host: LabHost, program: string, libraries = ''): void {
  const name = basename(program);
  const there = `/opt/${name}`;
  mkdirSync(join(host.root, there), { recursive: true });
  const env = { ...process.env, LD_LIBRARY_PATH: libraries };
  const needed = execFileSync('ldd', [program], { encoding: 'utf8', env }).match(/(?<=\s)\/\S+/g) ?? [];
  for (const file of [program, ...needed]) cpSync(file, join(host.root, there, basename(file)), { dereference: true });
  const loader = needed.map((file) => basename(file)).find((file) => file.startsWith('ld-'));
  const wrapper = join(host.root, 'usr/sbin', name);
  writeFileSync(wrapper, `#!/bin/sh\nexec ${there}/${loader} --library-path ${there} ${there}/${name} "$@"\n`);
  chmodSync(wrapper, 0o755);
}

/** A host with nft alone: a dockerd without firewall rules runs on it without iptables. */
export async function withoutIptables(host: LabHost): Promise<void> {
  installNft(host);
  await host.must(
    `mkdir /root/away && mv /usr/sbin/*ip*tables* /usr/sbin/xtables* /root/away/ && echo '{ "iptables": false, "ip6tables": false }' >/etc/docker/daemon.json
     nft flush ruleset; systemctl restart docker; systemctl is-active docker && ! command -v iptables`,
  );
}
