/**
 * Owns hardening as data: which fixes there are, which profile has which, and what the chosen ones add to the desired state of a host.
 * Pure; their names are those that audit prints beside a finding (src/domain/audit/fixes.ts).
 */

import type { AuditFacts } from '../audit/facts.ts';
import { ALL_FIXES, type Fix, type FixName, needsYes } from '../audit/fixes.ts';
import { SSHD_DROP_IN } from '../dockerd/paths.ts';
import { viewDaemon } from './daemon-view.ts';
import type { DesiredHost } from './desired.ts';
import { fileText, type HostFacts } from './facts.ts';
import { hardenDaemon } from './hardening-daemon.ts';
import { AUDIT_RULES, GROUP_FILE, hardenFiles, TMPFILES } from './hardening-files.ts';
import { hardenSshd, type Login, SSHD_CONFIG } from './hardening-sshd.ts';

/** Every fix but `tls`, which `setup` makes. */
export const FIXES: readonly Fix[] = ALL_FIXES.filter((fix) => fix.name !== 'tls');

export const PROFILES = ['cis', 'article', 'minimal'] as const;
export type Profile = (typeof PROFILES)[number];

/** `minimal`: what nobody notices but an intruder. `article`: host, daemon and containers as the article has them. */
const MEMBERS: Readonly<Record<Profile, readonly FixName[]>> = {
  cis: FIXES.map((fix) => fix.name),
  article: [
    'icc',
    'no-new-privileges',
    'live-restore',
    'userland-proxy',
    'userns-remap',
    'log-limits',
    'default-ulimits',
    'audit-rules',
    'sshd',
    'sshd-root',
    'sshd-passwords',
  ],
  minimal: ['log-level', 'iptables', 'live-restore', 'log-limits', 'experimental', 'audit-rules', 'file-modes'],
};

export function profilesOf(fix: FixName): readonly Profile[] {
  return PROFILES.filter((profile) => MEMBERS[profile].includes(fix));
}

export type Choice = {
  readonly fixes: readonly FixName[];
  /** Not made, because nobody said yes to what they cost. */
  readonly leftOut: readonly Fix[];
};

/** The fixes of a profile, or those that are named; those that cost need to be accepted by name. */
export function chooseFixes(wanted: {
  readonly only: readonly FixName[];
  readonly profile: Profile;
  readonly accepted: readonly FixName[];
}): Choice {
  const requested = wanted.only.length > 0 ? wanted.only : MEMBERS[wanted.profile];
  const all = FIXES.filter((fix) => requested.includes(fix.name));
  const refused = (fix: Fix): boolean => needsYes(fix.name) && !wanted.accepted.includes(fix.name);
  return { fixes: all.filter((fix) => !refused(fix)).map((fix) => fix.name), leftOut: all.filter(refused) };
}

/** Those that a host lacks: what all have already was said yes to before, and stays. `hosts`: their entries. */
export function leftOutOn(leftOut: readonly Fix[], hosts: readonly (readonly string[])[]): readonly Fix[] {
  return leftOut.filter(({ name }) => hosts.some((entries) => !entries.includes(name)));
}

/** The record of a host remembers who stays in the docker group, beside the names of fixes: `docker-group:USER`. */
const KEPT_MEMBER = 'docker-group:';

/** Fixes and kept members as the record has them, in one order, without doubles. */
export function recordHardening(fixes: readonly string[], keepInDockerGroup: readonly string[]): readonly string[] {
  const known = FIXES.map((fix) => fix.name as string).filter((name) => fixes.includes(name));
  const kept = [
    ...fixes.filter((entry) => entry.startsWith(KEPT_MEMBER)),
    ...keepInDockerGroup.map((user) => KEPT_MEMBER + user),
  ];
  return [...known, ...[...new Set(kept)].sort()];
}

/** Paths whose state the fixes need, beside what every plan asks for. */
export const HARDENING_PATHS: readonly string[] = [SSHD_CONFIG, SSHD_DROP_IN, AUDIT_RULES, TMPFILES, GROUP_FILE];

/** What could not be made costs nothing; the notes say why. True for fixes of anything else. */
function isMadeInSshd(fix: FixName, content = ''): boolean {
  switch (fix) {
    case 'sshd':
      return /^MaxAuthTries /m.test(content);
    case 'sshd-root':
      return /^PermitRootLogin /m.test(content);
    case 'sshd-passwords':
      return /^(Password|KbdInteractive)Authentication no$/m.test(content);
    default:
      return true;
  }
}

export type HardenInput = {
  /** As in the record of a host. */
  readonly entries: readonly string[];
  /** Those of them that the host had before this run: what they cost is known. */
  readonly known: readonly string[];
  readonly facts: HostFacts;
  readonly audit: AuditFacts;
  readonly login: Login;
};

/** What the fixes add to the desired state; what cannot be done, or not now, is in `notes`. */
export function hardenHost({ entries, known, facts, audit, login }: HardenInput): Partial<DesiredHost> {
  const fixes = new Set(FIXES.map((fix) => fix.name).filter((name) => entries.includes(name)));
  const keep = entries.filter((entry) => entry.startsWith(KEPT_MEMBER)).map((entry) => entry.slice(KEPT_MEMBER.length));
  const daemon = hardenDaemon(fixes, viewDaemon(facts), {
    swarm: facts.docker.swarm,
    openFiles: audit.daemon.openFiles,
    running: facts.docker.containers.map((container) => container.name),
  });
  const files = hardenFiles(fixes, audit, fileText(facts, GROUP_FILE) ?? '', keep);
  const sshd = hardenSshd(fixes, {
    settings: audit.sshd,
    version: audit.sshdVersion,
    config: fileText(facts, SSHD_CONFIG),
    matches: audit.sshdMatch,
    login,
  });
  return {
    daemonSettings: daemon.settings,
    ...(daemon.liveRestore ? { liveRestore: true } : {}),
    extras: [
      ...files.extras,
      ...(sshd.content === undefined
        ? []
        : [
            {
              kind: 'file' as const,
              path: SSHD_DROP_IN,
              mode: '0644',
              content: sshd.content,
              reason: [...fixes].filter((name) => name.startsWith('sshd')).join(', '),
            },
          ]),
    ],
    reloadSshd: sshd.content !== undefined,
    loadAuditRules: files.loadAuditRules,
    costs: FIXES.filter(
      ({ name, cost }) =>
        cost !== undefined && fixes.has(name) && !known.includes(name) && isMadeInSshd(name, sshd.content),
    ).map(({ name, cost }) => `${name}: ${cost}`),
    notes: [...daemon.notes, ...files.notes, ...sshd.notes],
  };
}
