/** Checks of daemon settings beyond the benchmark: settings that open unexpected ports and interfaces. */

import { isOn, lastOf, setting } from '../../../../core/domain/dockerd/daemon-options.ts';
import { textAt } from '../../../../core/domain/json.ts';
import type { AuditFacts } from '../audit-facts.ts';
import {
  type Check,
  checksOf,
  type Evidence,
  findingAt,
  judge,
  notApplicable,
  PASS,
  UNANSWERED,
  type Verdict,
} from '../check.ts';
import { isLoopback } from '../exposure.ts';
import { settingPlace } from '../setting-place.ts';

/** The first engine version with defaults for user-defined networks (`default-network-opts`). */
const FIRST_WITH_NETWORK_OPTIONS = 24;

function hostBinding(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const evidence: Evidence[] = [];
  const open = (address: string | undefined) => address === undefined || /^(0\.0\.0\.0|\[?::\]?|)$/.test(address);
  if (open(lastOf(facts.daemon, 'ip')))
    evidence.push({
      place: settingPlace(facts.daemon, 'ip'),
      text: 'the default bridge publishes ports on every address of the host',
    });
  const options = setting(facts.daemon, 'default-network-opts')?.values.join(' ') ?? '';
  const bound = /bridge\.host_binding_ipv4["']?\s*[=:]\s*["']?([\d.]+)/.exec(options)?.[1];
  const major = Number.parseInt(textAt(facts.docker.info, 'ServerVersion'), 10);
  if (major >= FIRST_WITH_NETWORK_OPTIONS && open(bound))
    evidence.push({
      place: settingPlace(facts.daemon, 'default-network-opts'),
      text: 'other networks, as those of Compose, publish ports on every address of the host',
    });
  return judge(evidence);
}

/** Exposure by each option; all are off by default. */
const DIRECT: Readonly<Record<string, string>> = {
  'allow-direct-routing': 'other machines reach unpublished ports of containers by routing to their addresses',
  'ip-forward-no-drop': 'the host forwards whatever is routed through it',
};

function directRouting(facts: AuditFacts): Verdict {
  if (facts.daemon.words === undefined) return notApplicable('there is no dockerd');
  const on = Object.entries(DIRECT).filter(([name]) => isOn(facts.daemon, name, false));
  const mark = setting(facts.daemon, 'bridge-accept-fwmark');
  return judge([
    ...on.map(([name, text]) => ({ place: settingPlace(facts.daemon, name), text: `${name}: ${text}` })),
    ...(mark === undefined
      ? []
      : [
          {
            place: mark.place,
            text: `bridge-accept-fwmark ${mark.values.join(', ')}: packets with this mark reach unpublished ports`,
          },
        ]),
  ]);
}

function metrics(facts: AuditFacts): Verdict {
  if (facts.daemon.words === undefined) return notApplicable('there is no dockerd');
  const given = setting(facts.daemon, 'metrics-addr');
  const address = given?.values.at(-1) ?? '';
  if (address === '') return PASS;
  const host = address.replace(/:\d+$/, '');
  if (isLoopback(host)) return PASS;
  return findingAt(given?.place ?? '', `${address} serves metrics to every client that reaches it, in plain HTTP`);
}

/** Minimum API version of an engine by default: 1.44 in 29.0 to 29.2, then 1.40 (moby: api/common.go, release notes of 29.0 and 29.3). */
function defaultMinApi(major: number, minor: number): number {
  if (major >= 29) return major === 29 && minor < 3 ? 44 : 40;
  return major >= 25 ? 24 : 12;
}

function minApi(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const version = textAt(facts.docker.version, 'MinAPIVersion');
  const lowest = Number(/^1\.(\d+)$/.exec(version)?.[1]);
  const [major = 0, minor = 0] = textAt(facts.docker.info, 'ServerVersion').split('.').map(Number);
  const usual = defaultMinApi(major, minor);
  if (Number.isNaN(lowest) || lowest >= usual) return PASS;
  return findingAt(
    settingPlace(facts.daemon, 'min-api-version'),
    `the API is served from ${version} on, below the 1.${usual} of this engine`,
  );
}

function cgroups(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const version = textAt(facts.docker.info, 'CgroupVersion');
  if (version === '') return notApplicable('this engine does not say which version of control groups it uses');
  if (version !== '1') return PASS;
  return findingAt('dockerd', 'uses control groups of version 1, deprecated from Docker 29.0 on');
}

function cgroupNamespace(facts: AuditFacts): Verdict {
  if (facts.daemon.words === undefined) return notApplicable('there is no dockerd');
  const given = setting(facts.daemon, 'default-cgroupns-mode');
  if (given?.values.at(-1) !== 'host') return PASS;
  return findingAt(given.place, 'default-cgroupns-mode host: containers without an option of their own share it');
}

export const SETTINGS_CHECKS: readonly Check[] = checksOf<Check>({
  'config.6': {
    title: 'Ports are published on one address by default',
    failure: 'Ports are published on every address by default',
    severity: 'low',
    why: '`-p 8080:80` opens the port to every network that the host is in, past ufw and firewalld.',
    fix: '"ip": "127.0.0.1" and "default-network-opts": { "bridge": { "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1" } } in daemon.json (for networks created from then on); -p 192.0.2.7:80:80 opens one on purpose',
    evaluate: hostBinding,
  },
  'config.7': {
    title: 'Unpublished ports of containers cannot be reached from other machines',
    failure: 'Unpublished ports of containers can be reached from other machines',
    severity: 'medium',
    why: 'Docker 28.0 began to drop packets routed directly to a container. Each of these settings lets them through again.',
    fix: 'Take allow-direct-routing, ip-forward-no-drop and bridge-accept-fwmark out of the configuration, or note why they are needed.',
    evaluate: directRouting,
  },
  'config.8': {
    title: 'Metrics are served on loopback only',
    failure: 'Metrics are served to the network',
    severity: 'medium',
    why: 'metrics-addr knows neither TLS nor a password: every client sees names of images and the load of the host.',
    fix: '"metrics-addr": "127.0.0.1:9323" in daemon.json, and a proxy with TLS in front where others collect them',
    evaluate: metrics,
  },
  'config.9': {
    title: 'Old versions of the API are not served',
    failure: 'Old versions of the API are served',
    severity: 'low',
    why: 'Clients that need them are years old and have known vulnerabilities.',
    fix: 'Take min-api-version out of daemon.json and DOCKER_MIN_API_VERSION out of the environment of docker.service; upgrade the clients.',
    evaluate: minApi,
  },
  'config.10': {
    title: 'Control groups are of version 2',
    failure: 'Control groups are of version 1',
    severity: 'low',
    why: 'Limits of version 1 have gaps, it is deprecated, and rootless daemons have no limits with it.',
    fix: 'systemd.unified_cgroup_hierarchy=1 on the kernel command line, or take systemd.unified_cgroup_hierarchy=0 out of it; then reboot',
    evaluate: cgroups,
  },
  'config.11': {
    title: 'Containers have a cgroup namespace of their own by default',
    failure: "Containers share the host's cgroup namespace by default",
    severity: 'medium',
    why: "A container in the host's namespace sees the control groups of the host and of all containers, and a privileged one changes them.",
    fix: 'Take default-cgroupns-mode out of the configuration; docker run --cgroupns host for a container that needs it.',
    evaluate: cgroupNamespace,
  },
});
