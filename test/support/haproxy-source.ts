/** A lab host without HAProxy, and a source of its packages on the host itself. */

import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LabHost } from './lab.ts';

export const SOURCE = '/etc/apt/sources.list.d/lab.list';
/** Everything that an installation leaves elsewhere than in files below /etc. */
export const REST = `dpkg-query -W -f '\${db:Status-Abbrev} \${Package}\\n'; getent passwd; getent group; ls /var/cache/apt/archives /run/systemd/system; ls -d /run/haproxy /usr/sbin/haproxy 2>/dev/null; systemctl is-enabled haproxy 2>&1; :`;

/** Purges HAProxy and what came with it. */
export const PURGE = `dpkg --purge $(for deb in /srv/repo/*.deb; do dpkg-deb -f "$deb" Package; done)
    ! getent passwd haproxy || userdel haproxy; rmdir /run/haproxy 2>/dev/null || :`;

/** `host`: one that the lab has made with HAProxy. Leaves it without, and with its packages in /srv/repo, and reboots it. */
export async function withoutHaproxy(host: LabHost): Promise<void> {
  const debs = join(process.env.DOCKER_TLS_LAB ?? '/var/lib/docker-tls-lab', `debs/${host.suite}-with-haproxy`);
  mkdirSync(join(host.root, 'srv/repo'), { recursive: true });
  cpSync(debs, join(host.root, 'srv/repo'), { recursive: true });
  await host.must(`set -e
    cd /srv/repo
    systemctl stop haproxy
    ${PURGE}
    rm -rf /var/lib/haproxy /etc/haproxy
    mkdir -p made/DEBIAN
    printf 'Package: needs-haproxy\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: lab\\nDescription: lab\\nDepends: haproxy\\n' >made/DEBIAN/control
    dpkg-deb -b made needs-haproxy.deb
    for deb in *.deb; do
      dpkg-deb -f "$deb"
      printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
    done >Packages
    rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
    apt-get -q update`);
  await host.reboot();
}

export async function addSource(host: LabHost): Promise<void> {
  await host.must(`echo 'deb [trusted=yes] file:/srv/repo ./' >${SOURCE} && apt-get -q update`);
}
