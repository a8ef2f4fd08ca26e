/** Run of all checks over the facts of one host. */

import { shellQuote } from '../../../core/domain/quote.ts';
import { maskPasswords } from '../../../core/domain/secret.ts';
import { printable } from '../../../errors/errors.ts';
import type { AuditFacts } from './audit-facts.ts';
import { type Benchmark, idIn, type Level, levelOf, type Numbers, numbersOf } from './benchmark.ts';
import {
  type AuditProbe,
  type Check,
  checkGroup,
  type Evidence,
  gravestOf,
  type Outside,
  type Severity,
  UNANSWERED,
  type Verdict,
} from './check.ts';
import { ACCOUNT_CHECKS } from './checks/accounts.ts';
import { AUDIT_LOG_CHECKS } from './checks/audit-log.ts';
import { CONFIG_CHECKS } from './checks/config.ts';
import { CONTAINER_CHECKS } from './checks/containers.ts';
import { DAEMON_CHECKS } from './checks/daemon.ts';
import { SETTINGS_CHECKS } from './checks/daemon-defaults.ts';
import { FILE_CHECKS } from './checks/file-modes.ts';
import { HARDENING_CHECKS } from './checks/hardening-checks.ts';
import { HOST_CHECKS } from './checks/host.ts';
import { IMAGE_CHECKS } from './checks/images.ts';
import { ISOLATION_PROBES } from './checks/isolation.ts';
import { VULNERABILITY_CHECKS } from './checks/known-vulnerabilities.ts';
import { SSH_CHECKS } from './checks/sshd-settings.ts';
import { OPERATION_CHECKS, SWARM_CHECKS } from './checks/swarm.ts';
import { TLS_CHECKS } from './checks/tls.ts';
import { exposedAddresses } from './exposure.ts';
import type { FixName } from './fix-names.ts';
import { BUILT_IN } from './vulnerability-table.ts';

export const CHECKS: readonly Check[] = [
  ...TLS_CHECKS,
  ...VULNERABILITY_CHECKS,
  ...CONFIG_CHECKS,
  ...SETTINGS_CHECKS,
  ...SSH_CHECKS,
  ...HOST_CHECKS,
  ...HARDENING_CHECKS,
  ...ACCOUNT_CHECKS,
  ...AUDIT_LOG_CHECKS,
  ...DAEMON_CHECKS,
  ...FILE_CHECKS,
  ...IMAGE_CHECKS,
  ...CONTAINER_CHECKS,
  ...ISOLATION_PROBES,
  ...OPERATION_CHECKS,
  ...SWARM_CHECKS,
];

/** A check and its verdict: serialisable, with clean text. */
export type CheckResult = {
  readonly id: string;
  /** Numbers in the editions of the CIS Docker Benchmark; empty for a check of docker-tls. */
  readonly cis: Numbers;
  /** The lowest profile of the benchmark with it; absent for a check of docker-tls. */
  readonly level?: Level;
  /** Title: the desired state. */
  readonly title: string;
  /** Title of a finding: the failure. */
  readonly failure: string;
  readonly group: string;
  /** Severity of this finding; may differ from the check's. */
  readonly severity: Severity;
  readonly why: string;
  /** Fix, with the host's name in its commands. */
  readonly fix: string;
  /** Fix without a host name, if `fix` contains one. */
  readonly fixOfAny?: string;
  readonly fixable?: FixName;
  readonly manual: boolean;
  readonly state: Verdict['state'];
  readonly reason?: string;
  /** Question for a person, if the check cannot decide. */
  readonly question?: string;
  /** Data is missing: a finding is possible. */
  readonly unseen?: true;
  readonly evidence: readonly Evidence[];
  /** Of a finding that no upgrade can fix yet: the packages that it waits for. */
  readonly waits?: string;
  /** Set by a baseline or a comment that accepts the whole finding. */
  readonly accepted?: Acceptance;
  /** Set by a baseline or comments: accepted evidence of a finding that still counts. */
  readonly acceptedEvidence?: readonly AcceptedEvidence[];
};

/** `expires`: its last day; without one a comment in the file accepts it. */
export type Acceptance = { readonly reason: string; readonly expires?: string };

export type AcceptedEvidence = Evidence & { readonly accepted: Acceptance };

/** The finding with each piece of evidence accepted that has an acceptance; as a whole if none is left. */
export function withAccepted(
  result: CheckResult,
  acceptanceOf: (piece: Evidence) => Acceptance | undefined,
): CheckResult {
  const pieces = result.evidence.map((piece) => ({ piece, accepted: acceptanceOf(piece) }));
  const taken = pieces.flatMap(({ piece, accepted }) => (accepted === undefined ? [] : [{ ...piece, accepted }]));
  if (taken.length === 0) return result;
  const left = pieces.flatMap(({ piece, accepted }) => (accepted === undefined ? [piece] : []));
  if (left.length === 0) return { ...result, accepted: allOf(taken.map(({ accepted }) => accepted)) };
  const acceptedEvidence = [...(result.acceptedEvidence ?? []), ...taken];
  return { ...result, evidence: left, acceptedEvidence, severity: gravestOf(left) ?? result.severity };
}

/** Every reason, and the first last day. */
function allOf(acceptances: readonly Acceptance[]): Acceptance {
  const reason = [...new Set(acceptances.map((one) => one.reason))].join('; ');
  const [expires] = acceptances.flatMap((one) => one.expires ?? []).sort();
  return expires === undefined ? { reason } : { reason, expires };
}

export function acceptedWords({ reason, expires }: Acceptance): string {
  return `${reason} (${expires === undefined ? 'a comment in the file' : `until ${expires}`})`;
}

/** True for a finding that is not accepted. */
export function counts(result: CheckResult): boolean {
  return result.state === 'finding' && result.accepted === undefined;
}

const EVIDENCE_LENGTH = 300;

function cleaned(evidence: readonly Evidence[]): readonly Evidence[] {
  return evidence.map(({ place, text, file, line, severity }) => ({
    place: printable(maskPasswords(place), EVIDENCE_LENGTH),
    text: printable(maskPasswords(text), EVIDENCE_LENGTH),
    file: file && printable(file, EVIDENCE_LENGTH),
    line,
    severity,
  }));
}

/** Fix text for a host. */
export function fixWords({ fix }: Pick<Check, 'fix'>, host: string): string {
  return typeof fix === 'string' ? fix : fix(host);
}

/** Result of one check. Removes everything from its text that a terminal or a page could interpret. */
export function resultOf(check: Omit<Check, 'evaluate'>, verdict: Verdict, host = 'HOST'): CheckResult {
  const { id, title, why } = check;
  const { stays, waits } = verdict.state === 'finding' ? verdict : { stays: undefined, waits: undefined };
  const awaited = waits === undefined ? undefined : printable(waits, EVIDENCE_LENGTH);
  const fixOn = (name: string) => {
    const fix = fixWords(check, name);
    if (awaited !== undefined) return `${fix} (the host's package index has no newer ${awaited} yet)`;
    return stays === undefined ? fix : `${fix} (docker-tls harden leaves it: ${stays})`;
  };
  return {
    id,
    cis: numbersOf(id),
    level: levelOf(id),
    title,
    failure: check.failure ?? title,
    group: checkGroup(id),
    severity: (verdict.state === 'finding' ? verdict.severity : undefined) ?? check.severity,
    why,
    fix: fixOn(shellQuote(printable(host, EVIDENCE_LENGTH))),
    fixOfAny: typeof check.fix === 'string' ? undefined : fixOn('HOST'),
    fixable: stays === undefined ? check.fixable : undefined,
    manual: check.manual === true,
    state: verdict.state,
    reason: verdict.state === 'not-applicable' ? printable(verdict.reason, EVIDENCE_LENGTH) : undefined,
    question: verdict.state === 'not-applicable' ? verdict.question : undefined,
    unseen: verdict.state === 'not-applicable' ? verdict.unseen : undefined,
    evidence: verdict.state === 'pass' ? [] : cleaned(verdict.evidence ?? []),
    waits: awaited,
  };
}

function noDaemon({ podman }: AuditFacts): Verdict {
  const reason = podman
    ? 'no dockerd runs here: Podman serves the API, and this check is about dockerd'
    : 'no dockerd runs here';
  return { state: 'not-applicable', reason, unseen: podman ? undefined : true };
}

/**
 * Judges every check. `outside.now` defaults to the host's clock. Checks that need probes are not applicable without them, and say so.
 * `host` is the name in commands.
 */
export function evaluate(facts: AuditFacts, outside: Partial<Outside> = {}, host?: string): readonly CheckResult[] {
  const whole: Outside = {
    probes: outside.probes ?? [],
    dialled: outside.dialled ?? [],
    now: outside.now ?? facts.clock,
    table: outside.table ?? BUILT_IN,
    ourCas: outside.ourCas,
    isolation: outside.isolation,
    listener: outside.listener,
  };
  const { docker, daemon, apiSocket } = facts;
  const silent = docker === undefined && daemon.words === undefined && apiSocket === '';
  return CHECKS.map((check) => {
    const verdict = check.evaluate(facts, whole);
    // Without a daemon, a missing API answer would be the wrong problem to report.
    return resultOf(check, silent && verdict === UNANSWERED ? noDaemon(facts) : verdict, host);
  });
}

/** Results with the numbers of another edition, without controls that it lacks. */
export function inBenchmark(results: readonly CheckResult[], benchmark: Benchmark): readonly CheckResult[] {
  return results.flatMap((result) => {
    const id = idIn(result.id, benchmark);
    return id === undefined ? [] : [{ ...result, id }];
  });
}

/** A probe over the network, at the address that clients use. */
export type WantedProbe = { readonly what: AuditProbe['what']; readonly address: string; readonly port: number };

/**
 * Probes of client access: each port that dockerd serves (except loopback, unreachable from this machine). Always 2375 and 2376 as well,
 * because another program may be in front of dockerd.
 */
export function wantedProbes(facts: AuditFacts, address: string, more: readonly number[] = []): readonly WantedProbe[] {
  const served = exposedAddresses(facts)
    .filter(({ loopback }) => !loopback)
    .map(({ port }) => port);
  return [...new Set([...served, ...more, 2376, 2375])].flatMap((port): readonly WantedProbe[] => {
    const plain: WantedProbe = { what: 'plain', address, port };
    if (port === 2375 && !served.includes(port)) return [plain];
    const questions: readonly AuditProbe['what'][] = ['no-certificate', 'other-authority', 'old-protocol'];
    return [plain, ...questions.map((what) => ({ what, address, port }))];
  });
}
