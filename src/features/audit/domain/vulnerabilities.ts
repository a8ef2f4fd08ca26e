/**
 * Known vulnerabilities: which entries of the table are open in what is installed on a host, and which upgrade closes most of them.
 * The table (vulnerabilities.json, made by scripts/vulnerabilities.mjs) follows golang/vulndb, CC-BY-4.0, and the release notes of moby.
 */

import { upgradeCommand } from '../../../core/domain/dockerd/packages.ts';
import { at, listAt, textAt, textsAt } from '../../../core/domain/json.ts';
import type { Upgrade } from '../../../core/domain/status.ts';
import { plural } from '../../../core/domain/words.ts';
import { gravestFirst, rank, SEVERITIES, type Severity } from './check.ts';
import type { AuditFacts } from './facts.ts';
import { compareVersions, type Package, parseVersion, type Version } from './software.ts';
import table from './vulnerabilities.json' with { type: 'json' };

export const COMPONENTS = ['engine', 'buildkit', 'containerd', 'runc', 'cli', 'compose', 'buildx'] as const;
export type Component = (typeof COMPONENTS)[number];

/** What has to be there besides the version. */
type Need = 'authorization-plugin' | 'firewalld' | 'swarm' | 'cri' | 'windows';

/** Versions from the first up to, not including, the second. */
type Range = readonly [string, string];

export type Vulnerability = {
  readonly id: string;
  readonly component: Component;
  readonly affected: readonly Range[];
  /** Of what dockerd brings along: the versions of the engine. */
  readonly engine?: readonly Range[];
  readonly severity: Severity;
  /** No score was published: the severity is ours. */
  readonly unscored?: true;
  readonly needs?: Need;
  readonly summary: string;
  /** An entry of golang/vulndb, or an address. */
  readonly source: string;
  /** The ranges are ours: those of the source are of a Go module that has other versions, or wrong. */
  readonly byHand?: true;
};

/** The day up to which the table's sources were read. */
export const TABLE_DATE: string = table.date;

export const VULNERABILITIES: readonly Vulnerability[] = Object.entries(table.vulnerabilities).flatMap(
  ([component, rows]) =>
    Object.entries(rows).map(([id, row]) => ({ id, component, ...row }) as unknown as Vulnerability),
);

/** Packages that hold a component, the likelier first. */
const PACKAGES: Readonly<Record<Component, readonly string[]>> = {
  engine: ['docker-ce', 'docker.io', 'moby-engine', 'docker'],
  buildkit: ['docker-ce', 'docker.io', 'moby-engine', 'docker'],
  containerd: ['containerd.io', 'containerd', 'moby-containerd'],
  runc: ['containerd.io', 'runc', 'moby-runc'],
  cli: ['docker-ce-cli', 'docker-cli', 'moby-cli', 'docker.io', 'docker'],
  compose: ['docker-compose-plugin', 'docker-compose-v2', 'docker-compose'],
  buildx: ['docker-buildx-plugin', 'docker-buildx'],
};

/** Made by Docker from the released sources: their versions tell everything. Distributions fix old versions, and say so in the changelog. */
const UPSTREAM = /^(?:docker-ce|docker-ce-cli|containerd\.io|docker-(?:buildx|compose)-plugin)$/;

export type Installed = {
  readonly component: Component;
  readonly version: string;
  readonly upstream: Version;
  /** Undefined for a program that no package brought. */
  readonly package?: string;
  readonly origin: 'upstream' | 'distribution' | 'unknown';
  readonly details?: Package;
};

/** What is known of a component; undefined where it is not installed, or does not say which version it is. */
export function installed(facts: AuditFacts, component: Component): Installed | undefined {
  const { packages, manager } = facts.software;
  const name = PACKAGES[component].find((one) => packages.has(one));
  const details = name === undefined ? undefined : packages.get(name);
  // What runs comes first: a package may be newer than the daemon. runc of containerd.io has a version of its own.
  const running = runningVersion(facts, component);
  const own = component === 'runc' && name === 'containerd.io' ? undefined : details?.version;
  // A build of one’s own may call itself `dev`.
  const upstream = parseVersion(running) ?? parseVersion(own ?? '');
  if (upstream === undefined) return undefined;
  const origin =
    name === undefined
      ? manager === undefined
        ? 'unknown'
        : 'upstream'
      : UPSTREAM.test(name)
        ? 'upstream'
        : 'distribution';
  const version = running.replace(/^v/, '') || (own ?? '');
  return { component, version, upstream, package: name, origin, details };
}

function runningVersion({ docker }: AuditFacts, component: Component): string {
  if (component === 'engine' || component === 'buildkit')
    return textAt(docker?.version, 'Version') || textAt(docker?.info, 'ServerVersion');
  if (component !== 'containerd' && component !== 'runc') return '';
  const found = listAt(docker?.version, 'Components').find((one) => textAt(one, 'Name') === component);
  return textAt(found, 'Version');
}

/** containerd's CRI plugin is on: by default, unless its configuration or dockerd, which starts one of its own, says otherwise. */
export function criEnabled(facts: AuditFacts): boolean {
  const ownOfDocker = textAt(facts.docker?.info, 'Containerd', 'Address').includes('/docker/containerd/');
  const active = facts.units.get('containerd.service')?.get('ActiveState')?.[0] === 'active';
  return active && !ownOfDocker && !facts.software.criDisabled;
}

/** Undefined where Docker's API would tell, and does not answer. */
function isExposed(facts: AuditFacts, needs: Need): boolean | undefined {
  const { docker, software } = facts;
  switch (needs) {
    case 'authorization-plugin':
      return docker && textsAt(docker.info, 'Plugins', 'Authorization').length > 0;
    case 'swarm':
      return docker && textAt(docker.info, 'Swarm', 'LocalNodeState') === 'active';
    case 'firewalld':
      return software.firewalld;
    case 'cri':
      return criEnabled(facts);
    case 'windows':
      return false;
  }
}

/** The range of affected versions that holds this one. */
function rangeOf({ affected, engine }: Vulnerability, version: Version): Range | undefined {
  return (engine ?? affected).find(
    ([from, to]) =>
      compareVersions(parseVersion(from) ?? [], version) <= 0 && compareVersions(version, parseVersion(to) ?? []) < 0,
  );
}

export type Open = {
  readonly vulnerability: Vulnerability;
  readonly installed: Installed;
  readonly severity: Severity;
  /** The first version of the same line that is not affected. */
  readonly fixed: string;
};

export type Assessment = {
  readonly open: readonly Open[];
  /** Neither version nor changelog tells. */
  readonly unknown: readonly Vulnerability[];
};

/**
 * A version that is not affected is fixed, and so is what the changelog of a distribution's package names. In its range, a package made
 * upstream is open, and one of a distribution whose changelog is there and does not name it. All else is unknown.
 */
function verdict(vulnerability: Vulnerability, { origin, details }: Installed): 'fixed' | 'open' | 'unknown' {
  if (origin !== 'distribution') return origin === 'upstream' ? 'open' : 'unknown';
  if (details?.named === undefined) return 'unknown';
  const { id } = vulnerability;
  if (details.named.has(id)) return 'fixed';
  // An entry that was removed is as old as the oldest one that is left, or older: it names nothing of later years.
  const year = Number(/^CVE-(\d{4})-/.exec(id)?.[1] ?? 0);
  return year <= (details.since ?? 0) ? 'unknown' : 'open';
}

/** The table held against one component, gravest first; undefined where it is not installed. */
export function assess(facts: AuditFacts, component: Component): Assessment | undefined {
  const found = installed(facts, component);
  if (found === undefined) return undefined;
  const open: Open[] = [];
  const unknown: Vulnerability[] = [];
  for (const vulnerability of VULNERABILITIES.filter((one) => one.component === component)) {
    const range = rangeOf(vulnerability, found.upstream);
    if (range === undefined) continue;
    const exposed = vulnerability.needs === undefined || isExposed(facts, vulnerability.needs);
    const state = verdict(vulnerability, found);
    if (exposed === false || state === 'fixed') continue;
    if (exposed === undefined || state === 'unknown') unknown.push(vulnerability);
    else open.push({ vulnerability, installed: found, severity: severityOf(facts, vulnerability), fixed: range[1] });
  }
  return { open: gravestFirst(open), unknown };
}

/** What takes a client of the CRI plugin is low where there is none: dockerd does not use it. */
function severityOf({ software }: AuditFacts, { needs, severity }: Vulnerability): Severity {
  return needs === 'cri' && !software.kubelet ? 'low' : severity;
}

/** The package whose upgrade closes most of what is open; undefined where nothing is. */
export function bestUpgrade(facts: AuditFacts): Upgrade | undefined {
  const groups = new Map<string, Open[]>();
  for (const component of COMPONENTS) {
    for (const open of assess(facts, component)?.open ?? []) {
      const name = open.installed.package ?? open.installed.component;
      groups.set(name, [...(groups.get(name) ?? []), open]);
    }
  }
  const weight = (open: readonly Open[]) => open.length * 100 - Math.min(...open.map(({ severity }) => rank(severity)));
  const [name, open] = [...groups].sort(([, a], [, b]) => weight(b) - weight(a))[0] ?? [];
  return name === undefined || open === undefined ? undefined : upgrade(facts, name, open);
}

function programOf({ installed: { component } }: Open): string {
  return component === 'buildkit' ? 'engine' : component;
}

/** The first version that none of these affects: an end of one of their ranges. */
function goalOf(open: readonly Open[]): string | undefined {
  return open
    .flatMap(({ vulnerability: { affected, engine } }) => (engine ?? affected).map(([, to]) => to))
    .map((text) => ({ text, version: parseVersion(text) ?? [] }))
    .filter(({ version }) => open.every(({ installed: { upstream } }) => compareVersions(version, upstream) > 0))
    .sort((a, b) => compareVersions(a.version, b.version))
    .find(({ version }) => open.every(({ vulnerability }) => rangeOf(vulnerability, version) === undefined))?.text;
}

/** How the daemon that answers is restarted. Units are those of root: a rootless daemon has none of them, and neither has one of init scripts. */
function restartOf({ docker, units }: AuditFacts): { readonly command: string; readonly stopsContainers: boolean } {
  if (textsAt(docker?.info, 'SecurityOptions').some((one) => one.startsWith('name=rootless')))
    return { command: 'as the user of the daemon: systemctl --user restart docker', stopsContainers: true };
  const active = ['containerd', 'docker'].filter(
    (name) => units.get(`${name}.service`)?.get('ActiveState')?.[0] === 'active',
  );
  return {
    command: active.includes('docker')
      ? `systemctl restart ${active.join(' ')}`
      : 'restart containerd and dockerd with the service manager of this host',
    stopsContainers: at(docker?.info, 'LiveRestoreEnabled') !== true,
  };
}

function upgrade(facts: AuditFacts, name: string, open: readonly Open[]): Upgrade {
  const { software, distribution } = facts;
  const programs = new Set(open.map(programOf));
  const versions = [...programs]
    .map((program) => `${program} ${goalOf(open.filter((one) => programOf(one) === program))}`)
    .join(', ');
  const counts = SEVERITIES.flatMap((severity) => {
    const count = open.filter((one) => one.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}`];
  });
  const what = `${plural(open.length, 'known vulnerability', 'known vulnerabilities')} (${counts.join(', ')})`;
  const first = open[0] as Open;
  const { candidate, version } = first.installed.details ?? {};
  // Containers start runc from its file: a restart changes nothing for it, and the version of containerd.io is not that of its runc.
  const there = open.some(({ installed: { component } }) => component === 'runc')
    ? undefined
    : parseVersion(version ?? '');
  if (there !== undefined && open.every(({ vulnerability }) => rangeOf(vulnerability, there) === undefined)) {
    const { command, stopsContainers } = restartOf(facts);
    return {
      package: name,
      closes: open.length,
      text: `${name} ${version} is installed, and an older ${[...programs].join(' and ')} still runs: a restart closes ${what}${stopsContainers ? '; running containers stop for that' : ''}`,
      command,
    };
  }
  const text =
    first.installed.origin === 'upstream'
      ? `upgrade ${name} (${versions} or later): closes ${what}`
      : candidate !== undefined && candidate !== version
        ? `upgrade ${name} from ${version} to ${candidate}: ${what} in the installed one`
        : `${name} has ${what}; the package index of this host has no newer version; fixed upstream in ${versions}`;
  const command =
    first.installed.package === undefined
      ? `replace the program: ${versions} or later`
      : `${software.manager === 'deb' ? 'apt-get update && ' : ''}${upgradeCommand(distribution ?? { manager: software.manager === 'rpm' ? 'dnf' : 'apt', docker: undefined }, [name]).join(' ')}`;
  return { package: name, closes: open.length, text, command };
}
