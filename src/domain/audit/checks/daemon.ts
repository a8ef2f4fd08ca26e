/** Owns the checks of section 2: how dockerd is configured, judged from its effective options and its own answers. */

import { placeOf } from '../../dockerd/options.ts';
import { at, textAt } from '../../json.ts';
import { type Check, finding, PASS, UNANSWERED } from '../check.ts';

import {
  authorization,
  icc,
  insecureRegistries,
  liveRestore,
  logDriver,
  logLevel,
  mustBe,
  mustBeUnset,
  noNewPrivileges,
  rootless,
  seccomp,
  tls,
  ulimits,
  userns,
} from './daemon-verdicts.ts';

export const DAEMON_CHECKS: readonly Check[] = [
  {
    id: '2.1',
    title: 'The daemon runs without root rights',
    failure: 'The daemon runs as root',
    severity: 'info',
    why: 'A hole in a rootless daemon gives an attacker one user, not the host. It has limits (ports, storage, networks), so it is a choice.',
    fix: 'dockerd-rootless-setuptool.sh install (https://docs.docker.com/engine/security/rootless/)',
    evaluate: rootless,
  },
  {
    id: '2.2',
    title: 'Containers on the default bridge are kept apart',
    failure: 'Containers on the default bridge reach one another',
    severity: 'medium',
    why: 'One taken container can attack all others on the default bridge. Networks of your own are apart from each other already.',
    fix: '"icc": false in daemon.json, then: systemctl restart docker',
    fixable: 'icc',
    evaluate: icc,
  },
  {
    id: '2.3',
    title: "The daemon's log level is info",
    failure: "The daemon's log level is not info",
    severity: 'low',
    why: 'debug fills the log and can show secrets; warn and above leave out what an investigation needs.',
    fix: '"log-level": "info" in daemon.json, no --debug',
    fixable: 'log-level',
    evaluate: logLevel,
  },
  {
    id: '2.4',
    title: 'Docker may keep its firewall rules',
    failure: 'Docker may not keep its firewall rules',
    severity: 'medium',
    why: 'Without them published ports and the isolation of networks are up to rules written by hand.',
    fix: 'Take "iptables": false out of the configuration.',
    fixable: 'iptables',
    evaluate: mustBe(true, 'iptables', true, 'iptables is switched off'),
  },
  {
    id: '2.5',
    title: 'No insecure registries',
    failure: 'Registries are used without verified TLS',
    severity: 'high',
    why: 'Images from a registry without verified TLS can be replaced on the way.',
    fix: "Take it out of insecure-registries; put the registry's CA into /etc/docker/certs.d/REGISTRY/ca.crt instead.",
    evaluate: insecureRegistries,
  },
  {
    id: '2.6',
    title: 'The aufs storage driver is not used',
    failure: 'The aufs storage driver is used',
    severity: 'low',
    why: 'aufs is no longer maintained and has caused kernel crashes.',
    fix: '"storage-driver": "overlay2" in daemon.json (existing images have to be pulled again)',
    evaluate: (facts) =>
      facts.docker === undefined
        ? UNANSWERED
        : textAt(facts.docker.info, 'Driver') === 'aufs'
          ? finding([{ place: 'dockerd', text: 'the storage driver is aufs' }])
          : PASS,
  },
  {
    id: '2.7',
    title: 'The devicemapper storage driver is not used',
    failure: 'The devicemapper storage driver is used',
    severity: 'low',
    why: 'devicemapper is deprecated since Docker 18.09 and gone from 25.0: its images and containers do not outlive an upgrade.',
    fix: '"storage-driver": "overlay2" in daemon.json (existing images have to be pulled again)',
    evaluate: (facts) =>
      facts.docker === undefined
        ? UNANSWERED
        : textAt(facts.docker.info, 'Driver') === 'devicemapper'
          ? finding([{ place: 'dockerd', text: 'the storage driver is devicemapper' }])
          : PASS,
  },
  {
    id: '2.8',
    title: 'TCP is served with mutual TLS only',
    failure: 'TCP is served without mutual TLS',
    severity: 'critical',
    why: "Docker's API is root on the host: without client certificates every client that reaches the port is root.",
    fix: (host) => `docker-tls setup ${host}`,
    fixable: 'tls',
    evaluate: tls,
  },
  {
    id: '2.9',
    title: 'Default limits (ulimits) are set for containers',
    failure: 'No default limits (ulimits) for containers',
    severity: 'low',
    why: "One container can use up the host's open files.",
    fix: '"default-ulimits": { "nofile": { "Name": "nofile", "Hard": 64000, "Soft": 64000 } } in daemon.json',
    fixable: 'default-ulimits',
    evaluate: ulimits,
  },
  {
    id: '2.10',
    title: 'User namespaces are in use',
    failure: 'User namespaces are not in use',
    severity: 'medium',
    why: 'With them, root in a container is an ordinary user on the host.',
    fix: '"userns-remap": "default" in daemon.json, then restart docker. Existing images and containers are hidden while it is on.',
    fixable: 'userns-remap',
    evaluate: userns,
  },
  {
    id: '2.11',
    title: 'The default cgroup parent is used',
    failure: 'Another cgroup parent than the default is used',
    severity: 'low',
    why: 'Another parent can escape the limits that the host sets for Docker.',
    fix: 'Take cgroup-parent out of the configuration, or note why it is needed.',
    evaluate: mustBeUnset('cgroup-parent', (value) => value !== '', 'not the default'),
  },
  {
    id: '2.12',
    title: 'The base device size is unchanged',
    failure: 'The base device size was changed',
    severity: 'low',
    why: 'A larger base device lets a container fill the disk.',
    fix: 'Take dm.basesize out of storage-opts.',
    evaluate: mustBeUnset('storage-opts', (value) => value.startsWith('dm.basesize'), 'changed'),
  },
  {
    id: '2.13',
    title: 'An authorization plugin decides what clients may do',
    failure: 'No authorization plugin decides what clients may do',
    severity: 'low',
    why: 'Without one a client certificate is all or nothing. docker-tls gives every person a certificate that can be revoked alone, which limits who, not what.',
    fix: 'Install an authorization plugin, for instance https://www.openpolicyagent.org/docs/docker-authorization',
    evaluate: authorization,
  },
  {
    id: '2.14',
    title: 'Logs of containers are kept on another host too',
    failure: 'Logs of containers are kept on this host only',
    severity: 'low',
    why: 'An intruder wipes local logs first.',
    fix: '"log-driver": "syslog" with "log-opts": { "syslog-address": "tcp+tls://…" } in daemon.json, or journald with systemd-journal-upload',
    evaluate: logDriver,
  },
  {
    id: '2.15',
    title: 'Containers cannot gain new privileges',
    failure: 'Containers can gain new privileges',
    severity: 'medium',
    why: 'A setuid program in an image is the usual first step from a user in a container to root in it.',
    fix: '"no-new-privileges": true in daemon.json, then restart docker (for containers started from then on)',
    fixable: 'no-new-privileges',
    evaluate: noNewPrivileges,
  },
  {
    id: '2.16',
    title: 'Containers outlive a restart of the daemon',
    failure: 'Containers stop with the daemon',
    severity: 'low',
    why: 'Without live-restore an update or a renewed certificate stops every container.',
    fix: '"live-restore": true in daemon.json, then: systemctl reload docker',
    fixable: 'live-restore',
    evaluate: liveRestore,
  },
  {
    id: '2.17',
    title: 'The userland proxy is switched off',
    failure: 'The userland proxy is on',
    severity: 'low',
    why: 'It is one more process per published port, and hides the true source address of connections.',
    fix: '"userland-proxy": false in daemon.json',
    fixable: 'userland-proxy',
    evaluate: mustBe(false, 'userland-proxy', true, 'docker-proxy runs for each published port'),
  },
  {
    id: '2.18',
    title: 'System calls are filtered for all containers',
    failure: 'System calls are not filtered by default',
    severity: 'high',
    why: 'seccomp takes away the rarely used system calls that most kernel exploits need.',
    fix: 'Take "seccomp-profile": "unconfined" out of the configuration.',
    evaluate: seccomp,
  },
  {
    id: '2.19',
    title: 'Experimental features are off',
    failure: 'Experimental features are on',
    severity: 'low',
    why: 'They are not covered by security fixes.',
    fix: 'Take "experimental": true out of the configuration.',
    fixable: 'experimental',
    evaluate: (facts) =>
      facts.docker === undefined
        ? UNANSWERED
        : at(facts.docker.info, 'ExperimentalBuild') === true
          ? finding([{ place: placeOf(facts.daemon, 'experimental'), text: 'experimental features are on' }])
          : PASS,
  },
];
