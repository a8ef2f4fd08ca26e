/**
 * Hardening as data: fixes, profiles, and the desired state of a host with the chosen fixes. Pure. audit prints the same names with its
 * findings (src/features/audit/domain/fixes.ts).
 */

import { viewDaemon } from '../../../../core/domain/plan/daemon-view.ts';
import type { DesiredHost } from '../../../../core/domain/plan/desired.ts';
import { fileText, type HostFacts } from '../../../../core/domain/plan/facts.ts';
import { kindOf } from '../../../../core/domain/plan/host-kind.ts';
import type { AuditFacts } from '../audit-facts.ts';
import type { FixName } from '../fix-names.ts';
import { ALL_FIXES, type Fix, needsYes } from '../fixes.ts';
import { LYNIS_AUTH_TRIES } from '../lynis.ts';
import { SSHD_DROP_IN } from './change-details.ts';
import { type ExtraChange, planFile } from './extra-change.ts';
import { type HardenedDaemon, hardenDaemon, leaveDaemon } from './hardening-daemon.ts';
import { AUDIT_RULES, GROUP_FILE, type HardenedFiles, hardenFiles, TMPFILES } from './hardening-files.ts';
import { type HardenedSettings, HOST_PATHS, hardenSettings, noLoopbackRule } from './hardening-host.ts';
import {
  type HardenedSshd,
  hardenSshd,
  SSHD_CONFIG,
  SSHD_FIXES,
  SSHD_KEYWORDS,
  type SshdLogin,
} from './hardening-sshd.ts';

/** Every fix except `tls`: `setup` applies that one. */
export const FIXES: readonly Fix[] = ALL_FIXES.filter((fix) => fix.name !== 'tls');

export const PROFILES = ['cis', 'article', 'lynis', 'minimal'] as const;
export type Profile = (typeof PROFILES)[number];
/** Neither in help nor in lists. */
export const UNLISTED_PROFILES: readonly Profile[] = ['article'];

/** Fixes of the host outside Docker, beyond the CIS Docker Benchmark. */
const OF_HOST: readonly FixName[] = [
  'kernel-network',
  'kernel-self',
  'kernel-bpf',
  'modules',
  'modules-used',
  'sshd-idle',
  'sshd-x11',
  'sshd-remote-forwarding',
  'sshd-forwarding',
  'sshd-sessions',
  'core-dumps',
  'login-defs',
  'banner',
  'umask',
  'session-timeout',
];

/** `minimal`: without any risk. `article`: host, daemon and containers as in the article. `lynis`: every fix. */
const MEMBERS: Readonly<Record<Profile, readonly FixName[]>> = {
  cis: FIXES.map((fix) => fix.name).filter((name) => !OF_HOST.includes(name)),
  lynis: FIXES.map((fix) => fix.name),
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
  minimal: FIXES.filter((fix) => fix.risk === 'none').map((fix) => fix.name),
};

export function profilesOf(fix: FixName): readonly Profile[] {
  return PROFILES.filter((profile) => MEMBERS[profile].includes(fix));
}

/** Fixes of a profile, or named ones; costly ones need acceptance by name. */
export function chooseFixes(wanted: {
  readonly only: readonly FixName[];
  readonly profile: Profile;
  readonly accepted: readonly FixName[];
}) {
  const requested = wanted.only.length > 0 ? wanted.only : MEMBERS[wanted.profile];
  const all = FIXES.filter((fix) => requested.includes(fix.name));
  const refused = (fix: Fix): boolean => needsYes(fix.name) && !wanted.accepted.includes(fix.name);
  return {
    fixes: all.filter((fix) => !refused(fix)).map((fix) => fix.name),
    /** Skipped, because their costs were not accepted. */
    leftOut: all.filter(refused),
    /** Accepted, but not chosen. */
    notChosen: wanted.accepted.filter((name) => !requested.includes(name)),
  };
}

/** Skipped fixes that would change a host, by its plan, or without one by its record. Earlier acceptances stay. */
export function leftOutOn(
  leftOut: readonly Fix[],
  hosts: readonly { readonly entries: readonly string[]; readonly unmade: readonly string[] | undefined }[],
): readonly Fix[] {
  return leftOut.filter(({ name }) =>
    hosts.some(({ entries, unmade }) => unmade?.includes(name) ?? !entries.includes(name)),
  );
}

/** Prefix of an entry in a host's record, in addition to names of fixes, for members who stay in the docker group: `docker-group:USER`. */
const KEPT_MEMBER = 'docker-group:';

/** Prefix for the number of keys and passwords per SSH connection: `sshd:max-auth-tries=N`. The default is 4, as in the CIS benchmark. */
const MAX_AUTH_TRIES = 'sshd:max-auth-tries=';
const CIS_AUTH_TRIES = 4;

/** Values of profiles beyond CIS: the article that this tool started from, and Lynis. */
export const PROFILE_AUTH_TRIES: Readonly<Partial<Record<Profile, number>>> = { article: 2, lynis: LYNIS_AUTH_TRIES };

/** Prefix for the text of the fix `banner`: `banner:text=…`. */
const BANNER = 'banner:text=';

/** Fixes and their settings in the record's order, without duplicates. */
export function recordHardening(
  fixes: readonly string[],
  settings: {
    readonly keepInDockerGroup: readonly string[];
    readonly maxAuthTries: number | undefined;
    readonly banner?: string | undefined;
  },
): readonly string[] {
  const entries = (prefix: string, ...more: readonly string[]): string[] => [
    ...fixes.filter((entry) => entry.startsWith(prefix)),
    ...more.map((value) => prefix + value),
  ];
  const { keepInDockerGroup, maxAuthTries, banner: words } = settings;
  const kept = entries(KEPT_MEMBER, ...keepInDockerGroup);
  const tries = entries(MAX_AUTH_TRIES, ...(maxAuthTries === undefined ? [] : [`${maxAuthTries}`]));
  const banner = words === undefined ? entries(BANNER).slice(0, 1) : [BANNER + words];
  return [
    // A banner needs a text.
    ...FIXES.flatMap(({ name }) => (fixes.includes(name) && (name !== 'banner' || banner.length > 0) ? [name] : [])),
    ...banner,
    ...[...new Set(kept)].sort(),
    ...(tries.length === 0 ? [] : [`${MAX_AUTH_TRIES}${authTriesOf(tries)}`]),
  ];
}

/** The banner's text in the record. */
function bannerOf(entries: readonly string[]): string | undefined {
  return entries.find((entry) => entry.startsWith(BANNER))?.slice(BANNER.length);
}

/** MaxAuthTries of a record: the strictest value requested. */
export function authTriesOf(entries: readonly string[]): number {
  const requested = entries.flatMap((entry) =>
    entry.startsWith(MAX_AUTH_TRIES) ? [Number(entry.slice(MAX_AUTH_TRIES.length)) || CIS_AUTH_TRIES] : [],
  );
  return requested.length === 0 ? CIS_AUTH_TRIES : Math.min(...requested);
}

/** Paths that the fixes need, beyond those of every plan. */
export const HARDENING_PATHS: readonly string[] = [
  SSHD_CONFIG,
  SSHD_DROP_IN,
  AUDIT_RULES,
  TMPFILES,
  GROUP_FILE,
  ...HOST_PATHS,
];

type Hardened = {
  readonly daemon: HardenedDaemon;
  readonly files: HardenedFiles;
  readonly sshd: HardenedSshd;
  readonly host: HardenedSettings;
};

/** A fix without an effect costs nothing: the host already has it, or cannot have it, as the notes explain. */
function changesHost(fix: FixName, { daemon, files, sshd, host }: Hardened): boolean {
  const keywords = SSHD_KEYWORDS[fix];
  if (keywords !== undefined) return sshd.changed.some((keyword) => keywords.test(keyword));
  if (fix === 'docker-group') return files.extras.some(({ kind }) => kind === 'member');
  return host.changed.has(fix) || (fix === 'log-limits' ? 'log-opts' : fix) in daemon.settings;
}

export type HardenInput = {
  /** Entries of a host's record. */
  readonly entries: readonly string[];
  /** Entries recorded before this run: their cost is accepted. */
  readonly known: readonly string[];
  readonly facts: HostFacts;
  readonly audit: AuditFacts;
  readonly login: SshdLogin;
  /** Hosts of the store that use this one as jump host. */
  readonly leadsTo: readonly string[];
};

/** Additions of the fixes to the desired state; `notes` lists those that are impossible, or impossible now. */
export function hardenHost(input: HardenInput): Partial<DesiredHost> {
  const { entries, known, facts } = input;
  const fixes = new Set(FIXES.map((fix) => fix.name).filter((name) => entries.includes(name)));
  const made = makeFixes(fixes, input);
  const { daemon, files, sshd, host } = made;
  const every = makeFixes(new Set(FIXES.map((fix) => fix.name)), input);
  const sshdFile: ExtraChange[] =
    sshd.content === undefined
      ? []
      : [
          {
            kind: 'file',
            path: SSHD_DROP_IN,
            mode: '0644',
            content: sshd.content,
            reason: [...fixes].filter((name) => SSHD_FIXES.includes(name)).join(', '),
          },
        ];
  return {
    daemonSettings: daemon.settings,
    liveRestore: daemon.liveRestore,
    extras: [...files.extras, ...host.extras, ...sshdFile].map((extra) => planFile(extra, facts)),
    reloads: [
      ...(sshdFile.length > 0 ? (['sshd'] as const) : []),
      ...(files.loadAuditRules ? (['audit rules'] as const) : []),
    ],
    costs: FIXES.filter(
      ({ name, cost }) => cost !== undefined && fixes.has(name) && !known.includes(name) && changesHost(name, made),
    ).map(({ name, cost }) => `${name}: ${cost}`),
    unmade: FIXES.flatMap(({ name }) => (!fixes.has(name) && changesHost(name, every) ? [name] : [])),
    notes: [...daemon.notes, ...files.notes, ...sshd.notes, ...host.notes],
  };
}

function makeFixes(
  wanted: ReadonlySet<FixName>,
  { entries, facts, audit, login, leadsTo }: Omit<HardenInput, 'known'>,
): Hardened {
  const keep = entries.filter((entry) => entry.startsWith(KEPT_MEMBER)).map((entry) => entry.slice(KEPT_MEMBER.length));
  const kind = kindOf(facts);
  const ruleless = wanted.has('userland-proxy') ? noLoopbackRule(kind, audit.settings) : undefined;
  const fixes = new Set([...wanted].filter((name) => name !== 'userland-proxy' || ruleless === undefined));
  // Without dockerd, there is no bridge of it.
  const ofHost = new Set([...fixes].filter((name) => name !== 'userland-proxy' || kind.engine.configurable));
  const host = hardenSettings(ofHost, {
    settings: audit.settings,
    file: (path) => fileText(facts, path),
    banner: bannerOf(entries),
  });
  const notes = ruleless === undefined ? [] : [`userland-proxy: left out, since ${ruleless}`];
  return {
    daemon: kind.engine.configurable
      ? hardenDaemon(fixes, viewDaemon(facts), { swarm: facts.docker.swarm, ...audit.daemon })
      : leaveDaemon(fixes),
    files: hardenFiles(fixes, audit, fileText(facts, GROUP_FILE) ?? '', keep),
    sshd: hardenSshd(fixes, {
      settings: audit.sshd,
      version: audit.sshdVersion,
      config: fileText(facts, SSHD_CONFIG),
      matches: audit.sshdMatch,
      login,
      maxAuthTries: authTriesOf(entries),
      leadsTo,
      banner: bannerOf(entries) !== undefined,
    }),
    host: { ...host, notes: [...notes, ...host.notes] },
  };
}

export function leftOutWords({ name, cost }: Fix): string {
  return `left out: ${name}, since ${cost}; to include it: --accept ${name}`;
}
