/** nft on a lab host, whose roots have only iptables: from the packages of this machine, with the libraries that it needs. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LabHost } from './lab.ts';

const PACKAGES = ['nftables', 'libnftables1', 'libjansson4', 'libedit2', 'libbsd0', 'libmd0'];

export function installNft(host: LabHost): void {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-nft-'));
  execFileSync('apt-get', ['download', ...PACKAGES], { cwd: directory, stdio: 'ignore' });
  for (const name of readdirSync(directory)) {
    execFileSync('dpkg-deb', ['-x', join(directory, name), join(directory, 'files')]);
  }
  execFileSync('cp', ['-a', `${directory}/files/.`, host.root]);
  rmSync(directory, { recursive: true, force: true });
}
