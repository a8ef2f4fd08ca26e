/** Owns docs/hosts.md: which hosts there are, and what happens on strange ones, made from the cases that are tried. */

import { exitOfCode } from '../../src/errors/catalogue.ts';
import type { StrangeCase } from './strange/case.ts';
import { STRANGE } from './strange/cases.ts';

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*');
}

/** What becomes of the host, by the exit status (src/errors/catalogue.ts). */
function outcome({ code, remark }: StrangeCase): string {
  const words =
    code === undefined
      ? 'works'
      : `[${code}](errors.md#${code.toLowerCase()})${exitOfCode(code) === 4 ? '' : ', rolled back'}`;
  return remark === undefined ? words : `${words}; ${cell(remark)}`;
}

const PROMISES = [
  '| promise | systemd | sysvinit, OpenRC |',
  '|---|---|---|',
  '| nobody confirms: the host rolls back by itself | a timer of systemd (fault suite) | a process of its own session that waits (fault suite); if that is killed too, the next boot or the next change rolls back |',
  '| a reboot in the middle | a unit before docker.service (fault suite) | a script in rcS, or a service in the runlevel `boot` (fault suite) |',
  '| `remove` leaves nothing behind | tested byte for byte | tested byte for byte |',
  '| mutual TLS is checked from outside before a change counts | tested | tested |',
  '| containers keep running over the restart | tested | tested |',
  '| no client is refused over the restart | systemd holds the port; a new connection waits about 0.5 s (tested) | a firewall rule delays new connections until dockerd listens again: a client tries after 1, 3 and 7 s (tested: 0 refused). Without nft or iptables, or without ss, clients are refused for some seconds; the plan says so |',
  '| containers that mount docker.sock keep it | tested, where the unit has `-H fd://` | **no**: dockerd makes the file anew at each start; the plan names those containers |',
  '| services that need the daemon are started again | tested | **no**: init scripts do not say who needs whom, and none is stopped |',
  '| a daemon that dies once a change is kept is started again | by its unit (`Restart=always`) | **no**: init starts no service again, with docker-tls or without |',
  '| the daemon failed: its last words are in the error | the journal (tested) | its log, where its standard error goes to a file, otherwise `/var/log/docker.log` (tested) |',
];

export function renderHostsDoc(): string {
  const count = STRANGE.reduce((sum, { cases }) => sum + cases.length, 0);
  return `${[
    '# Hosts',
    '',
    'This page is generated from the cases of the tests (`UPDATE_DOCS=1 npx vitest run test/unit/hosts-doc.test.ts`); do not edit it by hand.',
    '',
    '## Kinds of hosts',
    '',
    '| kind | docker-tls | how it is tested |',
    '|---|---|---|',
    "| Debian and Ubuntu with systemd, `docker.io` or Docker's own packages | works | every test of the lab: Docker 20.10, 26.1 and 28.5, systemd 252, 257 and 262 |",
    '| RHEL, Alma, Rocky, Fedora, openSUSE, Arch with systemd | works where docker.service starts dockerd itself | the unit, `/etc/sysconfig/docker` and the words of firewalld on a Debian host; not on the distribution itself |',
    '| hosts with nft and without iptables | works, where dockerd needs no iptables (`"iptables": false`, `"firewall-backend": "nftables"`) | `test/e2e/held-port.test.ts`, Docker 28.5; the nftables backend by hand, with 29.1.5 |',
    '| Fedora CoreOS, Flatcar: `/usr` is read-only, `ExecStart=/usr/bin/env … dockerd` | works; also [from the first boot on](#hosts-configured-at-first-boot) | the mount and the command line on a Debian host |',
    "| sysvinit (Devuan, Debian with sysvinit-core): Debian's `/etc/init.d/docker` | works; see Promises | `test/e2e/without-systemd.test.ts`, the fault suite: Docker 26.1 |",
    "| OpenRC with Debian's `/etc/init.d/docker`, and busybox's tools | works; see Promises | `test/e2e/without-systemd.test.ts`, the fault suite: Docker 26.1, OpenRC 0.56 |",
    "| OpenRC with a script of its own, settings in `/etc/conf.d/docker` (Alpine, Gentoo) | works; see Promises | such a script on Debian's OpenRC with busybox's tools, by hand; not on Alpine or Gentoo themselves |",
    '| another service manager (runit, s6, Slackware) | [E_NO_SYSTEMD](errors.md#e_no_systemd) | |',
    '| rootless Docker | left alone and named; alone on its host [E_NO_DOCKER](errors.md#e_no_docker) | below |',
    '| Docker from snap | [E_DOCKER_SNAP](errors.md#e_docker_snap), see below | below |',
    '| Docker Desktop, Colima, Lima | the daemon runs in a virtual machine: a Lima machine with systemd is a host like every other by its own ssh | not tried |',
    '| Synology DSM, QNAP QTS, Unraid | [E_VENDOR_SYSTEM](errors.md#e_vendor_system), see below | their marks on a Debian host, below |',
    '',
    '### Promises',
    '',
    ...PROMISES,
    '',
    'Without systemd the flags go to the end of the file of settings, as `DOCKER_OPTS="$DOCKER_OPTS …"`. The script of the service has to give `$DOCKER_OPTS` to',
    'dockerd, and the file may assign it once, on one line, without anything that only a shell can read; otherwise setup refuses',
    '([E_UNIT_COMMAND](errors.md#e_unit_command), [E_UNIT_VARIABLE](errors.md#e_unit_variable)). `plan --json` has the kind of a host (`kind`) and who holds its',
    'port (`listening`).',
    '',
    '### Docker 29',
    '',
    'Debian has Docker 28.5 at most. What follows is read from the source of moby at its tags 29.0 to 29.7. By hand, with a dockerd 29.1.5 built from that source on',
    'Debian unstable: setup, verify, doctor and rotate, with both firewall backends; the refusals without `nft`, and of userns-remap beside the image store.',
    '',
    '| what changed | for docker-tls |',
    '|---|---|',
    '| 29.0 to 29.2 speak no API below 1.44, as daemon and as client; from 29.3 on it is 1.40 | `doctor` names both directions (`api-version`): an old docker command, and a docker command of 29.0 to 29.2 for a daemon before 25.0. docker-tls itself names no version when it asks |',
    '| new installations store images in containerd, but not with `userns-remap` | `harden --accept userns-remap` says that new images are stored by overlay2 again. It leaves the fix out where `features.containerd-snapshotter` is set to true, since dockerd would not start |',
    '| `"firewall-backend": "nftables"` | dockerd does not start without `nft`: setup refuses before the restart ([E_UNIT_NEEDS](errors.md#e_unit_needs)). dockerd no longer sets `net.ipv4.ip_forward`; no fix of `harden` sets it to 0. Swarm mode needs 29.6 and the feature `swarm-nftables` |',
    '| containers get 1024 open files at first (the unit of containerd) | the fix `default-ulimits` sets the hard limit alone, and does not raise that one (tried with containerd 2 on Debian) |',
    '| from 29.2 on the TLS port offers HTTP/2 | nothing: the certificate is asked for before either. Vulnerabilities of HTTP/2 are open to holders of a certificate only |',
    '',
    '### Hosts configured at first boot',
    '',
    'Fedora CoreOS and Flatcar get their configuration at their first boot, from an Ignition file. Set up such a machine once as any host, then write what it has',
    'as a Butane file. Every later machine that boots with it, under the same name and address, serves mutual TLS from the first connection and is in sync: `plan`',
    'has nothing to do there, and `rotate`, `rollback` and `remove` work.',
    '',
    '    docker-tls setup core@build-1',
    '    docker-tls plan build-1 --format butane > build-1.bu',
    '    (umask 077; butane --strict --files-dir ~/.docker/tls build-1.bu > build-1.ign)',
    '',
    'A plan signs nothing and holds no key, and neither does the Butane file: it names `hosts/build-1/server-key.pem` and the two certificates below',
    '`--files-dir`, which is the directory of the store. `setup` and `apply` issue and store them, after you agreed. The Ignition file holds the private key:',
    'anyone who reads it can pose as the host. Write the file anew after each rotation and after each change of clients. The command line in it is',
    'that of the image that was set up: if a new image starts dockerd otherwise, run `docker-tls apply` and write it anew. Attributes and memberships of `harden` are not in it; a',
    'comment names them. A host whose key was made there (`--keys host`), and a shared store, are refused ([E_BUTANE](errors.md#e_butane)).',
    '',
    'Tested: butane 0.29 (`--strict`) accepts the file as `fcos` 1.5.0 and `flatcar` 1.1.0, and a Debian host that boots with its files verifies, rotates and goes back byte for byte',
    '(`test/e2e/first-boot.test.ts`). Not tried on Fedora CoreOS or Flatcar themselves.',
    '',
    '### Docker from snap',
    '',
    'The snap keeps its configuration below `/var/snap/docker/current`, of which each refresh makes a new copy, and AppArmor keeps its dockerd from',
    '`/etc/docker`. docker-tls does not change it. Either install Docker as a package, or configure TLS by hand, with a server certificate of a CA of',
    'your own. `/var/snap/docker/common` stays the same over a refresh. (These lines were tried with dockerd 28.5 on Debian, in directories of these names; not with',
    'the snap, its AppArmor profile and its refresh.)',
    '',
    '    sudo install -d -m 700 /var/snap/docker/common/tls',
    '    sudo install -m 400 server-key.pem /var/snap/docker/common/tls/',
    '    sudo install -m 444 ca.pem server-cert.pem /var/snap/docker/common/tls/',
    '',
    'In `/var/snap/docker/current/config/daemon.json`:',
    '',
    '```json',
    '{',
    '  "hosts": ["unix:///var/run/docker.sock", "tcp://0.0.0.0:2376"],',
    '  "tlsverify": true,',
    '  "tlscacert": "/var/snap/docker/common/tls/ca.pem",',
    '  "tlscert": "/var/snap/docker/common/tls/server-cert.pem",',
    '  "tlskey": "/var/snap/docker/common/tls/server-key.pem"',
    '}',
    '```',
    '',
    'Then `sudo snap restart docker`. After `snap refresh docker`, check the file: a refresh that brings a file of its own loses the settings, and the port is closed.',
    '',
    '### Systems of vendors',
    '',
    'Their own tools write the configuration of dockerd, and write it anew with an update or a restart. docker-tls recognises Synology DSM, QNAP QTS and',
    'Unraid and changes nothing there. Where such a system offers the settings of daemon.json, use the five keys above with paths that its updates keep;',
    'otherwise reach the daemon through ssh: `docker context create NAME --docker host=ssh://USER@HOST`.',
    '',
    '## Strange hosts',
    '',
    `${count} cases. "works" means: setup, a second setup with nothing to do, and remove, after which the host is as it was. With an error before the change the host is`,
    'untouched. `scripts/strange` runs all of them on lab hosts, `scripts/strange WORD` those whose group or name has the word; CI runs a dozen.',
    ...STRANGE.flatMap(({ title, cases }) => [
      '',
      `### ${title}`,
      '',
      '| case | what happens |',
      '|---|---|',
      ...cases.map((one) => `| ${cell(one.name)} | ${outcome(one)} |`),
    ]),
  ].join('\n')}\n`;
}
