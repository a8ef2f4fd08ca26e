/** Generator of docs/lists/tested-hosts.md: the tests of each kind of host, and the results on unusual ones. */

import { exitOfCode } from '../../src/errors/catalogue.ts';
import { cellWords, KINDS_TRIED, TRIED } from './kinds-tried.ts';
import type { StrangeCase } from './strange/case.ts';
import { STRANGE } from './strange/cases.ts';

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*');
}

/** The result for the host, by the exit status (src/errors/catalogue.ts). */
function outcome({ code, remark }: StrangeCase): string {
  const words =
    code === undefined
      ? 'works'
      : `[${code}](errors.md#${code.toLowerCase()})${exitOfCode(code) === 4 ? '' : ', rolled back'}`;
  return remark === undefined ? words : `${words}; ${cell(remark)}`;
}

const PROMISES = [
  '| promise | systemd | sysvinit, OpenRC | rootless Docker | Podman |',
  '|---|---|---|---|---|',
  "| no confirmation: the host rolls back automatically | a timer of systemd (fault suite) | a waiting process in a separate session (fault suite); if that is killed too, the next boot or the next change rolls back | a timer of the user's own systemd (fault suite); setup makes the user linger if polkit lets them, and `remove` ends it (tested)<!-- rootless -->; otherwise [E_LINGER](errors.md#e_linger)<!-- /rootless --> | a timer of systemd (fault suite) |",
  '| a reboot in the middle | a unit before docker.service (fault suite) | a script in rcS, or a service in the runlevel `boot` (fault suite) | a unit of the user, before docker.service (fault suite) | a unit before the docker-tls unit (fault suite) |',
  '| `remove` leaves nothing behind | tested byte for byte | tested byte for byte | tested byte for byte | tested byte for byte |',
  '| docker-tls checks mutual TLS from outside before a change counts | tested | tested | tested | tested |',
  '| containers keep running over the restart | tested | tested | **no**: they run in namespaces that end with the daemon, even with live-restore (tried). If any run, setup refuses ([E_CONTAINERS](errors.md#e_containers)) without `--containers may-stop`; those with a restart policy start again; the plan says so | tested: none depends on the service |',
  "| no client is refused over the restart | systemd holds the port; a new connection waits about 0.5 s (tested) | a firewall rule delays new connections until dockerd listens again: a client retries after 1, 3 and 7 s (tested: 0 refused). Without nft or iptables, or without ss, clients are refused for some seconds; the plan says so | the user's systemd holds the port; a new connection waits until dockerd is back (tested: 0 of 328 cut or refused, the longest waited 5.3 s on a busy machine). No rule delays the moment before: dockerd may cut a connection that it has just accepted when it stops; the plan says so | systemd holds the port (tested: 0 refused) |",
  "| containers that mount docker.sock keep it | tested, if the unit has `-H fd://` | **no**: dockerd creates the file again at each start; the plan names those containers | **no**: they stop | docker-tls never touches Podman's own socket `/run/podman/podman.sock` and podman.service (tested) |",
  '| services that need the daemon are started again | tested | **no**: init scripts do not declare which services need which, and none is stopped | those of the user (tested) | none needs the docker-tls service |',
  '| a daemon that dies after a confirmed change starts again | by its unit, `Restart=always` (fault suite) | **no**: init restarts no service, with or without docker-tls; supervise-daemon of OpenRC does | by its unit, `Restart=always` (fault suite) | by the docker-tls unit, `Restart=always` (fault suite) |',
  "| the daemon failed: its last log lines are in the error | the journal (tested) | its log, if its standard error goes to a file, otherwise `/var/log/docker.log` (tested) | the user's journal (tested) | the journal (tested) |",
];

export function renderHostsDoc(): string {
  return `${[
    '# Tested hosts',
    '',
    'This page is generated from the cases of the tests (`UPDATE_DOCS=1 npx vitest run test/core/unit/hosts-doc.test.ts`); do not edit it by hand.',
    '[Hosts](../hosts.md) has the text about each kind.',
    '',
    '## Promises',
    '',
    ...PROMISES,
    '',
    '## How each kind is tested',
    '',
    '| kind | tests |',
    '|---|---|',
    "| Debian and Ubuntu with systemd, `docker.io` or Docker's own packages | every test of the lab: Docker 20.10, 26.1 and 28.5, systemd 252, 257 and 262 |",
    '| RHEL, Alma, Rocky, Fedora, openSUSE, Arch with systemd | the unit, `/etc/sysconfig/docker` and the messages of firewalld on a Debian host; not on the distribution itself |',
    "| SELinux enforcing (Debian's reference policy, with a confined dockerd) | `scripts/selinux` on a virtual machine, Docker 26.1. docker-tls caused no denial in setup, a second one, rotate, revoke, rollback, the rollback by the timer and at boot, harden, remove. Not the policy of Fedora or RHEL |",
    '| hosts with nft and without iptables | `test/e2e/held-port.test.ts`, Docker 28.5: every promise, with two faults; the nftables backend by hand, with 29.1.5 |',
    '| Fedora CoreOS, Flatcar: `/usr` is read-only, `ExecStart=/usr/bin/env … dockerd` | the mount and the command line on a Debian host |',
    "| sysvinit (Devuan, Debian with sysvinit-core): Debian's `/etc/init.d/docker` | `test/e2e/without-systemd.test.ts`, the fault suite: Docker 26.1 <!-- init --> |",
    "| OpenRC with Debian's `/etc/init.d/docker`, and busybox's tools | `test/e2e/without-systemd.test.ts`, the fault suite: Docker 26.1, OpenRC 0.56 <!-- init --> |",
    "| OpenRC with a native script, settings in `/etc/conf.d/docker` (Alpine, Gentoo) | such a script with supervise-daemon on Debian's OpenRC, by hand; not on Alpine or Gentoo themselves <!-- init --> |",
    '| Podman 5.7 or later as the engine, with systemd and without Docker | `test/e2e/podman.test.ts`, the fault suite: Podman 5.8, systemd 262 <!-- podman --> |',
    '| Podman before 5.7 (Debian 13 has 5.4) | its version on recorded facts <!-- podman --> |',
    '| HAProxy before Podman | `test/e2e/haproxy-podman.test.ts`: Podman 5.4 and 5.8, systemd 257 and 262 <!-- haproxy --> <!-- podman --> |',
    '| [rootless Docker](../hosts.md#rootless-docker) | `test/e2e/rootless.test.ts`, the fault suite, a golden plan: Docker 26.1 with slirp4netns; by hand with pasta, and with Docker 28.5 and systemd 262 <!-- rootless --> |',
    '| Docker from snap | below |',
    '| Docker Desktop, Colima, Lima | not tried |',
    '| Synology DSM, QNAP QTS, Unraid | their marks on a Debian host, below |',
    '',
    '## What is tried on each kind',
    '',
    'A name refers to a file of `test/e2e/` that CI runs on a real host. Other cells say how the case was tried.',
    '',
    `| kind | ${TRIED.join(' | ')} |`,
    `|${'---|'.repeat(TRIED.length + 1)}`,
    ...KINDS_TRIED.map(({ kind, cells }) => `| ${kind} | ${cells.map(cellWords).join(' | ')} |`),
    '',
    'The last two columns come from a fault suite. Failures (the controller, the network, sshd, the daemon, the disk, the host, Ctrl-C) occur at each of',
    "twelve steps of each kind of change. CI runs some of them, `scripts/faults` all: on systemd with iptables, sysvinit, OpenRC with Debian's script,",
    'rootless Docker and Podman.',
    '',
    '## Strange hosts',
    '',
    '"works" means that setup works, a second setup changes nothing, and remove restores the host. An error before the change leaves the host',
    'untouched. `scripts/strange` runs all of them on lab hosts, `scripts/strange WORD` those whose group or name has the word; CI runs a dozen.',
    'The results are those of Debian 13. All cases were also run on unstable (`STRANGE_SUITE=sid`); the table shows differences on Docker 20.10 or unstable.',
    ...STRANGE.flatMap(({ title, cases }) => [
      '',
      `### ${title}`,
      '',
      '| case | what happens |',
      '|---|---|',
      ...cases.map((one) => `| ${cell(one.name)} | ${outcome(one)} ${one.feature ? `<!-- ${one.feature} --> ` : ''}|`),
    ]),
  ].join('\n')}\n`;
}
