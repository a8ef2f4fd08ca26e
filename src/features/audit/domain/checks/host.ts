/** Checks of section 1: the host itself, and its audit rules. */

import { lastOf } from '../../../../core/domain/dockerd/daemon-options.ts';
import { textAt } from '../../../../core/domain/json.ts';
import { plural } from '../../../../core/domain/words.ts';
import type { AuditFacts } from '../audit-facts.ts';
import { type AuditRule, isHollow, isWatched } from '../audit-rules.ts';
import {
  type Check,
  checksOf,
  finding,
  findingAt,
  forPerson,
  manual,
  notApplicable,
  type Outside,
  PASS,
  UNANSWERED,
  type Verdict,
} from '../check.ts';
import { assess, awaitedPackage } from '../vulnerabilities.ts';
import type { Component } from '../vulnerability-table.ts';

const DAY_MS = 86_400_000;

/** dockerd's data directory, without the subdirectory 100000.100000 of userns-remap. */
export function dataRoot(facts: AuditFacts): string {
  const configured = textAt(facts.docker?.info, 'DockerRootDir') || lastOf(facts.daemon, 'data-root');
  return (configured || '/var/lib/docker').replace(/(?<=.)\/+$/, '').replace(/\/\d+\.\d+$/, '');
}

/** The nearest mount point at or above the directory. */
function mountOf(facts: AuditFacts, directory: string): string {
  let here = directory;
  while (here !== '/' && !facts.mounts.has(here)) here = here.slice(0, here.lastIndexOf('/')) || '/';
  return here;
}

/** Mounts that contain more than Docker's data. */
const SHARED = /^\/(boot|etc|home|opt|root|run|srv|tmp|usr|usr\/local|var|var\/lib)?$/;

function ownPartition(facts: AuditFacts): Verdict {
  const directory = dataRoot(facts);
  if (facts.docker === undefined && !facts.files.has(directory)) return notApplicable(`there is no ${directory}`);
  let mount = mountOf(facts, directory);
  // dockerd bind-mounts the directory onto itself: the same device as above it.
  while (mount !== '/') {
    const above = mountOf(facts, mount.slice(0, mount.lastIndexOf('/')) || '/');
    if (facts.mounts.get(mount) !== facts.mounts.get(above)) break;
    mount = above;
  }
  if (!SHARED.test(mount)) return PASS;
  return findingAt(directory, `shares the file system of ${mount} with the rest of the host`);
}

function groupMembers(facts: AuditFacts): Verdict {
  const { dockerGroup, socketGroup } = facts;
  if (dockerGroup === undefined && socketGroup === undefined) return notApplicable('there is no docker group');
  const evidence = (members: readonly string[], group: string) =>
    members
      .filter((user) => user !== 'root')
      .map((user) => ({ place: `user ${user}`, text: `is in ${group} and can become root` }));
  const inDocker = evidence(dockerGroup ?? [], 'the docker group');
  const inOther = evidence(socketGroup?.members ?? [], `the group ${socketGroup?.name} of Docker's socket`);
  const stays =
    inDocker.length > 0
      ? undefined
      : `it edits the docker group alone; for this one: gpasswd --delete USER ${socketGroup?.name}`;
  const all = [...inDocker, ...inOther];
  return all.length === 0 ? PASS : finding(all, undefined, stays);
}

/**
 * The oldest release line that still gets fixes (moby: project/BRANCHES-AND-TAGS.md). The version number does not show fixes that a
 * distribution backports to an older one.
 */
const FIRST_MAINTAINED = 25;

/** Parts that an engine upgrade includes. */
const ENGINE = ['engine', 'buildkit', 'containerd', 'runc'] as const;

function version(facts: AuditFacts, { now, table }: Pick<Outside, 'now' | 'table'>): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const name = textAt(facts.docker.version, 'Version') || textAt(facts.docker.info, 'ServerVersion');
  const open = ENGINE.flatMap((component) => assess(facts, component, table)?.open ?? []);
  const old = (text: string, ...components: readonly Component[]): Verdict => {
    const awaited = components.map((component) => awaitedPackage(facts, component, now));
    const waits = awaited.includes(undefined) ? undefined : [...new Set(awaited)].join(', ');
    return { ...finding([{ place: 'dockerd', text: `version ${name}${text}` }]), waits };
  };
  if (Number.parseInt(name, 10) < FIRST_MAINTAINED)
    return old(
      `: Docker no longer fixes anything before ${FIRST_MAINTAINED}.0; at most the distribution does`,
      'engine',
    );
  const built = Date.parse(textAt(facts.docker.version, 'BuildTime'));
  if (Number.isNaN(built)) return forPerson('is this version still maintained?', [{ place: 'dockerd', text: name }]);
  const days = Math.floor((now.getTime() - built) / DAY_MS);
  if (days > 365) return old(` was built ${days} days ago`, 'engine');
  const [first] = open;
  if (first === undefined) return PASS;
  const known = `${plural(open.length, 'known vulnerability', 'known vulnerabilities')} ${open.length === 1 ? 'is' : 'are'}`;
  return old(
    `: ${known} fixed in later versions (${first.vulnerability.id} in ${first.fixed}): vuln.*`,
    ...open.map(({ installed: { component } }) => component),
  );
}

/** For a directory, changes inside count too. Not for the data root: there each write of each container would count. */
export function isAudited(rules: readonly AuditRule[], facts: AuditFacts, path: string): boolean {
  return isWatched(rules, path, facts.files.get(path)?.kind === 'directory' && path !== dataRoot(facts));
}

/** Reason why `harden` leaves it unchanged. */
const INSIDE_STAYS =
  'it watches the directory alone; to record every write of every container as well: -w /var/lib/docker -p wa';

const AUDITD_STAYS = 'it writes rules and does not start auditd: systemctl enable --now auditd';

/** Checks for an audit rule that is loaded now and also in a file for the next boot. */
function watched(facts: AuditFacts, paths: readonly string[], what: string): Verdict {
  const present = paths.filter((path) => path !== '' && facts.files.has(path));
  const path = present[0];
  if (path === undefined) return notApplicable(`there is no ${what}`);
  const { audit } = facts;
  const inFiles = present.some((candidate) => isAudited(audit.files, facts, candidate));
  const words = inFiles ? 'a rule for it is in /etc/audit' : 'no rule for it is in /etc/audit';
  if (!audit.kernel) return notApplicable('the kernel has no audit subsystem', [{ place: path, text: words }]);
  if (audit.bootDisabled) {
    return findingAt('kernel command line', `auditing is switched off at boot (audit=0); ${words}`);
  }
  if (!audit.installed) return findingAt(path, 'auditd is not installed: nothing is recorded');
  if (audit.refused !== undefined) {
    return notApplicable(`auditctl cannot ask the kernel, as in a container: ${audit.refused}`, [
      { place: path, text: words },
    ]);
  }
  const isLoaded = present.some((candidate) => isAudited(audit.loaded, facts, candidate));
  if (!isLoaded && isHollow(audit.loaded, path))
    return findingAt(
      path,
      'a rule is loaded, but the kernel records nothing that happens inside: the directory was made later',
    );
  if (!inFiles && isHollow(audit.files, path))
    return findingAt(path, 'a rule is loaded at boot before its directory is made: then nothing inside is recorded');
  if (isLoaded && !audit.enabled) return findingAt(path, 'a rule is loaded, but auditing is off (auditctl -e 1)');
  if (isLoaded && !audit.daemon)
    return findingAt(path, 'a rule is loaded, but auditd does not run', undefined, AUDITD_STAYS);
  if (inFiles && !audit.atBoot)
    return findingAt(
      path,
      'a rule is in a file, but auditd, which loads it, is not started at boot',
      undefined,
      AUDITD_STAYS,
    );
  if (isLoaded && inFiles && path === dataRoot(facts) && !isWatched(audit.loaded, path, true))
    return findingAt(path, 'a rule reports changes of the directory, not of its content', undefined, INSIDE_STAYS);
  if (isLoaded && inFiles) return PASS;
  if (isLoaded) return findingAt(path, 'a rule is loaded, but no file restores it at the next boot');
  if (inFiles && audit.locked)
    return findingAt(path, 'a rule is in a file, and counts from the next boot: the kernel is locked (-e 2)');
  if (inFiles) return findingAt(path, 'a rule is in a file, but is not loaded (augenrules --load)');
  return findingAt(path, 'no audit rule watches it');
}

function programs(name: string): readonly string[] {
  return ['/usr/bin', '/usr/sbin', '/usr/local/bin'].map((directory) => `${directory}/${name}`);
}

function unitFile(facts: AuditFacts, unit: string): readonly string[] {
  return facts.units.get(unit)?.get('FragmentPath') ?? [];
}

type Watch = {
  readonly id: string;
  readonly what: string;
  readonly paths: (facts: AuditFacts) => readonly string[];
  /** An additional step. */
  readonly also?: string;
};

const IN_TIME =
  ', and "d /run/containerd 0711 root root -" into /etc/tmpfiles.d/docker.conf (at boot rules are loaded before containerd makes it)';

/** Watched paths; `harden` writes its rules from the same list. */
export const WATCHES: readonly Watch[] = [
  { id: '1.1.3', what: 'dockerd', paths: (facts) => [facts.daemon.binary, ...programs('dockerd')] },
  { id: '1.1.4', what: '/run/containerd', paths: () => ['/run/containerd'], also: IN_TIME },
  {
    id: '1.1.5',
    what: "Docker's data directory",
    paths: (facts) => [dataRoot(facts)],
  },
  { id: '1.1.6', what: '/etc/docker', paths: () => ['/etc/docker'] },
  { id: '1.1.7', what: 'docker.service', paths: (facts) => unitFile(facts, 'docker.service') },
  { id: '1.1.8', what: 'containerd.sock', paths: () => ['/run/containerd/containerd.sock'], also: IN_TIME },
  { id: '1.1.9', what: 'docker.socket', paths: (facts) => unitFile(facts, 'docker.socket') },
  { id: '1.1.10', what: '/etc/default/docker', paths: () => ['/etc/default/docker'] },
  { id: '1.1.11', what: 'daemon.json', paths: (facts) => [facts.daemon.json.path, '/etc/docker/daemon.json'] },
  { id: '1.1.12', what: '/etc/containerd/config.toml', paths: () => ['/etc/containerd/config.toml'] },
  { id: '1.1.13', what: '/etc/sysconfig/docker', paths: () => ['/etc/sysconfig/docker'] },
  { id: '1.1.14', what: 'containerd', paths: () => programs('containerd') },
  { id: '1.1.15', what: 'containerd-shim', paths: () => programs('containerd-shim') },
  { id: '1.1.16', what: 'containerd-shim-runc-v1', paths: () => programs('containerd-shim-runc-v1') },
  { id: '1.1.17', what: 'containerd-shim-runc-v2', paths: () => programs('containerd-shim-runc-v2') },
  { id: '1.1.18', what: 'runc', paths: () => programs('runc') },
];

export const HOST_CHECKS: readonly Check[] = [
  ...checksOf<Check>({
    '1.1.1': {
      title: "Docker's data is on a separate file system",
      failure: "Docker's data shares a file system with the host",
      severity: 'low',
      why: 'Images and logs that fill the disk stop the whole host. A separate mount can be limited and monitored.',
      fix: 'Mount a partition or volume on /var/lib/docker (move the data while docker is stopped).',
      evaluate: ownPartition,
    },
    '1.1.2': {
      title: 'Only trusted users control the daemon',
      failure: 'Users in the docker group are root',
      severity: 'medium',
      why: 'A member of the docker group can mount / into a container and become root, without a password or a trace in the log of sudo.',
      fix: 'gpasswd --delete USER docker',
      fixable: 'docker-group',
      evaluate: groupMembers,
    },
  }),
  ...WATCHES.map(
    (watch): Check => ({
      id: watch.id,
      title: `Changes to ${watch.what} are audited`,
      failure: `Changes to ${watch.what} are not audited`,
      severity: 'low',
      why: 'Without an audit rule no log says afterwards who changed it.',
      fix: `Put a rule "-w PATH -p wa -k docker" for ${watch.what} into /etc/audit/rules.d/docker.rules${watch.also ?? ''}, then: augenrules --load`,
      fixable: 'audit-rules',
      evaluate: (facts) => watched(facts, watch.paths(facts), watch.what),
    }),
  ),
  ...checksOf<Check>({
    '1.2.1': manual({
      title: 'The host is hardened',
      why: "A container is only as safe as the kernel and the host's other services.",
      fix: 'lynis audit system, or the CIS benchmark of the distribution.',
      evaluate: (facts) =>
        forPerson('is the host itself hardened and up to date?', [{ place: facts.os, text: facts.kernel }]),
    }),
    '1.2.2': {
      title: 'The version of Docker is up to date',
      failure: 'The version of Docker is out of date',
      severity: 'medium',
      why: 'Known holes in dockerd, containerd and runc let containers become the host.',
      fix: 'Upgrade docker.io, docker-ce, moby-engine or docker, containerd and runc: apt-get install --only-upgrade, dnf upgrade, zypper update, apk upgrade.',
      evaluate: (facts, outside) => version(facts, outside),
    },
  }),
];
