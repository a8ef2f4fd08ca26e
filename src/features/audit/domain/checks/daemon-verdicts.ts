/** Verdicts on dockerd's settings and API answers, for the table in daemon.ts. */

import { isOn, lastOf, setting, tlsModeOf } from '../../../../core/domain/dockerd/daemon-options.ts';
import { at, entriesAt, textAt, textsAt } from '../../../../core/domain/json.ts';
import type { AuditFacts } from '../audit-facts.ts';
import {
  type Check,
  finding,
  findingAt,
  forPerson,
  judge,
  notApplicable,
  type Outside,
  PASS,
  UNANSWERED,
  type Verdict,
} from '../check.ts';
import { exposedAddresses, gotIn } from '../exposure.ts';
import { settingPlace } from '../setting-place.ts';

/** dockerd's security options by name, for instance `userns`, `rootless`, `no-new-privileges`, `seccomp`. */
export function securityOption(facts: AuditFacts, name: string): string | undefined {
  const options = textsAt(facts.docker?.info, 'SecurityOptions');
  return options.find((option) => option.split(',').includes(`name=${name}`));
}

/** A finding if the setting has the other value; `text` describes the problem. */
export function mustBe(wanted: boolean, name: string, otherwise: boolean, text: string): Check['evaluate'] {
  return (facts) => {
    if (facts.daemon.words === undefined && facts.docker === undefined) return notApplicable('there is no dockerd');
    if (isOn(facts.daemon, name, otherwise) === wanted) return PASS;
    return findingAt(settingPlace(facts.daemon, name), text);
  };
}

export function mustBeUnset(name: string, filter: (value: string) => boolean, text: string): Check['evaluate'] {
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

export function storageDriver(driver: string): Check['evaluate'] {
  return ({ docker }) => {
    if (docker === undefined) return UNANSWERED;
    if (textAt(docker.info, 'Driver') !== driver) return PASS;
    return findingAt('dockerd', `the storage driver is ${driver}`);
  };
}

export function experimental(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  if (at(facts.docker.info, 'ExperimentalBuild') !== true) return PASS;
  return findingAt(settingPlace(facts.daemon, 'experimental'), 'experimental features are on');
}

export function rootless(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  if (securityOption(facts, 'rootless') !== undefined) return PASS;
  const beside = facts.rootlessSockets.filter((socket) => socket !== facts.apiSocket);
  return finding([
    { place: 'dockerd', text: 'runs as root' },
    ...beside.map((socket) => ({ place: socket, text: 'a rootless daemon listens here as well; it is not audited' })),
  ]);
}

export function icc(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const bridge = facts.docker.networks.find(
    (network) =>
      network.options.get('com.docker.network.bridge.default_bridge') === 'true' || network.name === 'bridge',
  );
  if (bridge === undefined) return notApplicable('there is no default bridge');
  if (bridge.options.get('com.docker.network.bridge.enable_icc') === 'false') return PASS;
  const open = { place: `network ${bridge.name}`, text: 'every container on it reaches every port of every other' };
  const stays = isOn(facts.daemon, 'icc', true)
    ? undefined
    : 'icc is false already, and dockerd makes the bridge anew at its first start without running containers';
  return finding([open], undefined, stays);
}

export function logLevel(facts: AuditFacts): Verdict {
  if (facts.daemon.words === undefined) return notApplicable('there is no dockerd');
  const level = isOn(facts.daemon, 'debug', false) ? 'debug' : (lastOf(facts.daemon, 'log-level') ?? 'info');
  if (level === 'info') return PASS;
  return findingAt(settingPlace(facts.daemon, level === 'debug' ? 'debug' : 'log-level'), `the level is ${level}`);
}

export function insecureRegistries(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const registry = at(facts.docker.info, 'RegistryConfig');
  const networks = textsAt(registry, 'InsecureRegistryCIDRs').filter(
    (network) => !/^(127\.0\.0\.0\/8|::1\/128)$/.test(network),
  );
  const hosts = entriesAt(registry, 'IndexConfigs').flatMap(([name, index]) =>
    at(index, 'Secure') === false ? [name] : [],
  );
  const mirrors = textsAt(registry, 'Mirrors').filter(
    (url) => /^http:/i.test(url) && !/^http:\/\/(localhost|127\.[\d.]+|\[::1\])(:\d+)?(\/|$)/i.test(url),
  );
  return judge([
    ...[...networks, ...hosts].map((name) => ({ place: `registry ${name}`, text: 'is used without verified TLS' })),
    ...mirrors.map((url) => ({ place: `mirror ${url}`, text: 'is used without TLS' })),
  ]);
}

export function tls(facts: AuditFacts, outside: Outside): Verdict {
  // Probes take precedence: settings may be written but inactive, or another program may answer.
  const open = outside.probes.filter((probe) => /^(plain|no-certificate)$/.test(probe.what) && gotIn(probe));
  if (open.length > 0) {
    return finding(
      [...new Set(open.map(({ address, port }) => `${address}:${port}`))].map((place) => ({
        place,
        text: 'accepts any client, as root, whatever the settings say',
      })),
    );
  }
  const exposed = exposedAddresses(facts);
  if (exposed.length === 0) return notApplicable('dockerd does not listen on TCP');
  const mode = tlsModeOf(facts.daemon);
  if (mode === 'verified') return PASS;
  const text =
    mode === 'unverified'
      ? 'TLS, but clients are not verified: any client that reaches it is root on this host'
      : 'no TLS: any client that reaches it is root on this host';
  const onlyLocal = exposed.every(({ loopback }) => loopback);
  return finding(
    exposed.map(({ address, place }) => ({ place, text: `${address}: ${text}` })),
    onlyLocal ? 'high' : 'critical',
  );
}

export function ulimits(facts: AuditFacts): Verdict {
  if (facts.daemon.words === undefined) return notApplicable('there is no dockerd');
  if ((setting(facts.daemon, 'default-ulimits')?.values.length ?? 0) > 0) return PASS;
  return findingAt(facts.daemon.json.path, 'containers get no default limit, such as that of open files');
}

export function userns(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  if (securityOption(facts, 'rootless') !== undefined)
    return notApplicable('rootless: the daemon is in a user namespace as a whole');
  if (securityOption(facts, 'userns') !== undefined) return PASS;
  return findingAt(settingPlace(facts.daemon, 'userns-remap'), 'root in a container is root on the host');
}

export function authorization(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  if (textsAt(facts.docker.info, 'Plugins', 'Authorization').length > 0) return PASS;
  return findingAt('dockerd', 'no authorization plugin: every accepted client may do everything');
}

const REMOTE_LOGS = new Set(['syslog', 'gelf', 'fluentd', 'awslogs', 'splunk', 'gcplogs', 'etwlogs', 'logentries']);

export function logDriver(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const driver = textAt(facts.docker.info, 'LoggingDriver');
  if (REMOTE_LOGS.has(driver) || driver.includes('/') || driver.includes(':')) return PASS;
  const uploads = facts.units.get('systemd-journal-upload.service')?.get('ActiveState')?.[0] === 'active';
  if (driver === 'journald' && uploads) return PASS;
  return findingAt(
    settingPlace(facts.daemon, 'log-driver'),
    `${driver} keeps the logs of containers on this host only`,
  );
}

export function noNewPrivileges(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const on = securityOption(facts, 'no-new-privileges') !== undefined || isOn(facts.daemon, 'no-new-privileges', false);
  return on
    ? PASS
    : findingAt(settingPlace(facts.daemon, 'no-new-privileges'), 'programs in containers may gain rights (setuid)');
}

export function liveRestore(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  if (textAt(facts.docker.info, 'Swarm', 'LocalNodeState') === 'active')
    return notApplicable('not possible in swarm mode');
  if (at(facts.docker.info, 'LiveRestoreEnabled') === true) return PASS;
  return findingAt(settingPlace(facts.daemon, 'live-restore'), 'all containers stop when the daemon does');
}

export function seccomp(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const option = securityOption(facts, 'seccomp');
  if (option === undefined) return findingAt('dockerd', 'seccomp is not available: system calls are not filtered');
  const profile = /(?:^|,)profile=([^,]*)/.exec(option)?.[1] ?? '';
  if (profile.startsWith('/')) {
    return forPerson('is this profile as strict as the one that is built in? Only its name is known here', [
      { place: profile, text: 'is the profile of all containers' },
    ]);
  }
  if (profile !== 'unconfined') return PASS;
  return findingAt(settingPlace(facts.daemon, 'seccomp-profile'), 'the daemon-wide profile is unconfined');
}
