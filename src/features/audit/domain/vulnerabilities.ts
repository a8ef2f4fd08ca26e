/** Known vulnerabilities: open table entries for a host's software, and the upgrade that closes most of them. */

import { upgradeCommand } from '../../../core/domain/dockerd/install-hints.ts';
import { at, listAt, textAt, textsAt } from '../../../core/domain/json.ts';
import type { Upgrade } from '../../../core/domain/status-row.ts';
import { plural } from '../../../core/domain/words.ts';
import type { AuditFacts } from './audit-facts.ts';
import { gravestFirst, rank, SEVERITIES, type Severity } from './check.ts';
import { compareVersions, type Package, parseVersion, type Version } from './software.ts';
import {
  BUILT_IN,
  COMPONENTS,
  type Component,
  type Need,
  type Range,
  type Vulnerability,
  type VulnerabilityTable,
} from './vulnerability-table.ts';

/** Packages that contain a component, the likelier first. */
const PACKAGES: Readonly<Record<Component, readonly string[]>> = {
  engine: ['docker-ce', 'docker.io', 'moby-engine', 'docker'],
  buildkit: ['docker-ce', 'docker.io', 'moby-engine', 'docker'],
  containerd: ['containerd.io', 'containerd', 'moby-containerd'],
  runc: ['containerd.io', 'runc', 'moby-runc'],
  cli: ['docker-ce-cli', 'docker-cli', 'moby-cli', 'docker.io', 'docker'],
  compose: ['docker-compose-plugin', 'docker-compose-v2', 'docker-compose'],
  buildx: ['docker-buildx-plugin', 'docker-buildx'],
};

/**
 * Packages that Docker builds from released sources: their version is conclusive. Distributions patch old versions, and document it in the
 * changelog.
 */
const UPSTREAM = /^(?:docker-ce|docker-ce-cli|containerd\.io|docker-(?:buildx|compose)-plugin)$/;

export type Installed = {
  readonly component: Component;
  readonly version: string;
  readonly upstream: Version;
  /** Undefined for a program without a package. */
  readonly package?: string;
  readonly origin: 'upstream' | 'distribution' | 'unknown';
  readonly details?: Package;
};

/** Data of an installed component; undefined if missing or without a version. */
export function installed(facts: AuditFacts, component: Component): Installed | undefined {
  const { packages, manager } = facts.software;
  const name = PACKAGES[component].find((one) => packages.has(one));
  const details = name === undefined ? undefined : packages.get(name);
  // The running version comes first: a package may be newer than the daemon. runc of containerd.io has its own version.
  const running = runningVersion(facts, component);
  const own = component === 'runc' && name === 'containerd.io' ? undefined : details?.version;
  // A custom build may report `dev`.
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

/**
 * True if containerd's CRI plugin is active: by default, unless containerd's configuration or dockerd (with its own containerd) disables
 * it.
 */
export function criEnabled(facts: AuditFacts): boolean {
  const ownOfDocker = textAt(facts.docker?.info, 'Containerd', 'Address').includes('/docker/containerd/');
  const active = facts.units.get('containerd.service')?.get('ActiveState')?.[0] === 'active';
  return active && !ownOfDocker && !facts.software.criDisabled;
}

/** Undefined if the decision needs Docker's API, and it does not answer. */
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

/** The range of affected versions that contains this one. */
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
  /** First unaffected version of the same line. */
  readonly fixed: string;
};

export type Assessment = {
  readonly open: readonly Open[];
  /** Neither version nor changelog decides. */
  readonly unknown: readonly Vulnerability[];
};

/**
 * Fixed: a version outside the ranges, or an ID in the changelog of a distribution's package. Open: an upstream package in range, or a
 * distribution's package whose changelog lacks the ID. Otherwise unknown.
 */
function verdict(vulnerability: Vulnerability, { origin, details }: Installed): 'fixed' | 'open' | 'unknown' {
  if (origin !== 'distribution') return origin === 'upstream' ? 'open' : 'unknown';
  if (details?.named === undefined) return 'unknown';
  const { id } = vulnerability;
  if (details.named.has(id)) return 'fixed';
  // Removed entries are as old as the oldest remaining one, or older, so they name no ID of later years.
  const year = Number(/^CVE-(\d{4})-/.exec(id)?.[1] ?? 0);
  return year <= (details.since ?? 0) ? 'unknown' : 'open';
}

/** Table entries for one component, gravest first; undefined if it is not installed. */
export function assess(
  facts: AuditFacts,
  component: Component,
  { entries }: VulnerabilityTable = BUILT_IN,
): Assessment | undefined {
  const found = installed(facts, component);
  if (found === undefined) return undefined;
  const open: Open[] = [];
  const unknown: Vulnerability[] = [];
  for (const vulnerability of entries.filter((one) => one.component === component)) {
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

/** A vulnerability that needs a CRI client is low without one: dockerd does not use the plugin. */
function severityOf({ software }: AuditFacts, { needs, severity }: Vulnerability): Severity {
  return needs === 'cri' && !software.kubelet ? 'low' : severity;
}

/** Days after which apt's index says no longer what can be installed. */
const INDEX_DAYS = 14;

/**
 * The package of a component that no upgrade on this host makes newer: its index is current, and offers the installed version. Undefined if
 * an upgrade, a source, a pin or a restart can help, or if the host does not tell. `now`: by the auditor's clock, as a host's may be behind.
 */
export function awaitedPackage(facts: AuditFacts, component: Component, now: Date): string | undefined {
  const { package: name, details, upstream } = installed(facts, component) ?? {};
  const { indexedAt } = facts.software;
  if (name === undefined || details === undefined || upstream === undefined || indexedAt === undefined)
    return undefined;
  const ageDays = (now.getTime() / 1000 - indexedAt) / 86_400;
  if (details.candidate !== details.version || details.held || ageDays > INDEX_DAYS || ageDays < -1) return undefined;
  // The version of containerd.io is not that of its runc.
  const there = component === 'runc' && name === 'containerd.io' ? undefined : parseVersion(details.version);
  return there !== undefined && compareVersions(there, upstream) > 0 ? undefined : name;
}

/** The package upgrade that closes most open vulnerabilities; undefined without any. */
export function bestUpgrade(facts: AuditFacts, table: VulnerabilityTable = BUILT_IN): Upgrade | undefined {
  const groups = new Map<string, Open[]>();
  for (const component of COMPONENTS) {
    for (const open of assess(facts, component, table)?.open ?? []) {
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

/** First version unaffected by all of these: the end of one of their ranges. */
function goalOf(open: readonly Open[]): string | undefined {
  return open
    .flatMap(({ vulnerability: { affected, engine } }) => (engine ?? affected).map(([, to]) => to))
    .map((text) => ({ text, version: parseVersion(text) ?? [] }))
    .filter(({ version }) => open.every(({ installed: { upstream } }) => compareVersions(version, upstream) > 0))
    .sort((a, b) => compareVersions(a.version, b.version))
    .find(({ version }) => open.every(({ vulnerability }) => rangeOf(vulnerability, version) === undefined))?.text;
}

/** Restart command of the answering daemon. Units are root's: neither a rootless daemon nor one with an init script has any. */
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
  const { candidate, version, held } = first.installed.details ?? {};
  // Containers run runc from its file, so it needs no restart; and containerd.io's version differs from that of its runc.
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
  const none = held
    ? `apt-cache policy ${name} says why this host gets no newer version`
    : 'the package index of this host has no newer version';
  const text =
    first.installed.origin === 'upstream'
      ? `upgrade ${name} (${versions} or later): closes ${what}`
      : candidate !== undefined && candidate !== version
        ? `upgrade ${name} from ${version} to ${candidate}: ${what} in the installed one`
        : `${name} has ${what}; ${none}; fixed upstream in ${versions}`;
  const command =
    first.installed.package === undefined
      ? `replace the program: ${versions} or later`
      : `${software.manager === 'deb' ? 'apt-get update && ' : ''}${upgradeCommand(distribution ?? { manager: software.manager === 'rpm' ? 'dnf' : 'apt', docker: undefined }, [name]).join(' ')}`;
  return { package: name, closes: open.length, text, command };
}
