/** Owns the checks of section 2: how dockerd is configured, judged from its effective options and its own answers. */

import { at, entriesAt, textAt, textsAt } from '../api.ts';
import {
  type Check,
  finding,
  forPerson,
  judge,
  notApplicable,
  type Outside,
  PASS,
  UNANSWERED,
  type Verdict,
} from '../check.ts';
import { isOn, placeOf, setting, tlsModeOf } from '../dockerd.ts';
import { exposedAddresses, gotIn } from '../exposure.ts';
import type { AuditFacts } from '../facts.ts';

/** dockerd's security options by name, for instance `userns`, `rootless`, `no-new-privileges`, `seccomp`. */
export function securityOption(facts: AuditFacts, name: string): string | undefined {
  const options = textsAt(facts.docker?.info, 'SecurityOptions');
  return options.find((option) => option.split(',').includes(`name=${name}`));
}

/** A finding when the setting is on; `text` says what is wrong with that. */
function mustBe(wanted: boolean, name: string, otherwise: boolean, text: string): Check['evaluate'] {
  return (facts) => {
    if (facts.daemon.words === undefined && facts.docker === undefined) return notApplicable('there is no dockerd');
    if (isOn(facts.daemon, name, otherwise) === wanted) return PASS;
    return finding([{ place: placeOf(facts.daemon, name), text }]);
  };
}

function mustBeUnset(name: string, filter: (value: string) => boolean, text: string): Check['evaluate'] {
  return (facts) => {
    if (facts.daemon.words === undefined && facts.docker === undefined) return notApplicable('there is no dockerd');
    const found = setting(facts.daemon, name);
    return judge(
      (found?.values ?? [])
        .filter(filter)
        .map((value) => ({ place: found?.place ?? '', text: `${name} ${value}: ${text}` })),
    );
  };
}

function rootless(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  if (securityOption(facts, 'rootless') !== undefined) return PASS;
  const beside = facts.rootlessSockets.filter((socket) => socket !== facts.apiSocket);
  return finding([
    { place: 'dockerd', text: 'runs as root' },
    ...beside.map((socket) => ({ place: socket, text: 'a rootless daemon listens here as well; it is not judged' })),
  ]);
}

function icc(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const bridge = facts.docker.networks.find(
    (network) =>
      network.options.get('com.docker.network.bridge.default_bridge') === 'true' || network.name === 'bridge',
  );
  if (bridge === undefined) return notApplicable('there is no default bridge');
  if (bridge.options.get('com.docker.network.bridge.enable_icc') === 'false') return PASS;
  return finding([
    { place: `network ${bridge.name}`, text: 'every container on it reaches every port of every other' },
  ]);
}

function logLevel(facts: AuditFacts): Verdict {
  if (facts.daemon.words === undefined) return notApplicable('there is no dockerd');
  const level = isOn(facts.daemon, 'debug', false)
    ? 'debug'
    : (setting(facts.daemon, 'log-level')?.values.at(-1) ?? 'info');
  if (level === 'info') return PASS;
  return finding([
    { place: placeOf(facts.daemon, level === 'debug' ? 'debug' : 'log-level'), text: `the level is ${level}` },
  ]);
}

function insecureRegistries(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const registry = at(facts.docker.info, 'RegistryConfig');
  const networks = textsAt(registry, 'InsecureRegistryCIDRs').filter(
    (network) => !/^(127\.0\.0\.0\/8|::1\/128)$/.test(network),
  );
  const hosts = entriesAt(registry, 'IndexConfigs').flatMap(([name, index]) =>
    at(index, 'Secure') === false ? [name] : [],
  );
  return judge(
    [...networks, ...hosts].map((name) => ({ place: `registry ${name}`, text: 'is used without verified TLS' })),
  );
}

function tls(facts: AuditFacts, outside: Outside): Verdict {
  // What the network says comes first: settings may be written and not in force, or something else may stand in front.
  const open = outside.probes.filter((probe) => /^(plain|no-certificate)$/.test(probe.what) && gotIn(probe));
  if (open.length > 0) {
    return finding(
      [...new Set(open.map(({ address, port }) => `${address}:${port}`))].map((place) => ({
        place,
        text: 'lets anybody in, as root, whatever the settings say',
      })),
    );
  }
  const exposed = exposedAddresses(facts);
  if (exposed.length === 0) return notApplicable('dockerd does not listen on TCP');
  const mode = tlsModeOf(facts.daemon);
  if (mode === 'verified') return PASS;
  const text =
    mode === 'unverified'
      ? 'TLS, but clients are not verified: anybody who reaches it is root on this host'
      : 'no TLS: anybody who reaches it is root on this host';
  const onlyLocal = exposed.every(({ loopback }) => loopback);
  return finding(
    exposed.map(({ address, place }) => ({ place, text: `${address}: ${text}` })),
    onlyLocal ? 'high' : 'critical',
  );
}

function ulimits(facts: AuditFacts): Verdict {
  if (facts.daemon.words === undefined) return notApplicable('there is no dockerd');
  if ((setting(facts.daemon, 'default-ulimits')?.values.length ?? 0) > 0) return PASS;
  return finding([
    { place: facts.daemon.file.path, text: 'containers get no default limit, such as that of open files' },
  ]);
}

function userns(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  if (securityOption(facts, 'rootless') !== undefined)
    return notApplicable('rootless: the daemon is in a user namespace as a whole');
  if (securityOption(facts, 'userns') !== undefined) return PASS;
  return finding([{ place: placeOf(facts.daemon, 'userns-remap'), text: 'root in a container is root on the host' }]);
}

function authorization(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  if (textsAt(facts.docker.info, 'Plugins', 'Authorization').length > 0) return PASS;
  return finding([{ place: 'dockerd', text: 'no authorization plugin: whoever gets in may do everything' }]);
}

const REMOTE_LOGS = new Set(['syslog', 'gelf', 'fluentd', 'awslogs', 'splunk', 'gcplogs', 'etwlogs', 'logentries']);

function logDriver(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const driver = textAt(facts.docker.info, 'LoggingDriver');
  if (REMOTE_LOGS.has(driver) || driver.includes('/') || driver.includes(':')) return PASS;
  const uploads = facts.units.get('systemd-journal-upload.service')?.get('ActiveState')?.[0] === 'active';
  if (driver === 'journald' && uploads) return PASS;
  return finding([
    { place: placeOf(facts.daemon, 'log-driver'), text: `${driver} keeps the logs of containers on this host only` },
  ]);
}

function noNewPrivileges(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const on = securityOption(facts, 'no-new-privileges') !== undefined || isOn(facts.daemon, 'no-new-privileges', false);
  return on
    ? PASS
    : finding([
        { place: placeOf(facts.daemon, 'no-new-privileges'), text: 'programs in containers may gain rights (setuid)' },
      ]);
}

function liveRestore(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  if (textAt(facts.docker.info, 'Swarm', 'LocalNodeState') === 'active')
    return notApplicable('not possible in swarm mode');
  if (at(facts.docker.info, 'LiveRestoreEnabled') === true) return PASS;
  return finding([{ place: placeOf(facts.daemon, 'live-restore'), text: 'all containers stop when the daemon does' }]);
}

function seccomp(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const option = securityOption(facts, 'seccomp');
  if (option === undefined)
    return finding([{ place: 'dockerd', text: 'seccomp is not available: system calls are not filtered' }]);
  const profile = /(?:^|,)profile=([^,]*)/.exec(option)?.[1] ?? '';
  if (profile.startsWith('/')) {
    return forPerson('is this profile as strict as the one that is built in? Only its name is known here', [
      { place: profile, text: 'is the profile of all containers' },
    ]);
  }
  if (profile !== 'unconfined') return PASS;
  return finding([{ place: placeOf(facts.daemon, 'seccomp-profile'), text: 'the daemon-wide profile is unconfined' }]);
}

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
    why: "Docker's API is root on the host: without client certificates everybody who reaches the port is root.",
    fix: 'docker-tls setup HOST',
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
