/** Owns the gathering of a host's facts: one exec that changes nothing. */

import { type AuditFacts, parseAuditFacts } from '../domain/audit/facts.ts';
import { SYSCTL_PATHS } from '../domain/audit/host-settings.ts';
import { distributionOf, installHint } from '../domain/dockerd/packages.ts';
import { NEEDED_PROGRAMS, packagesOf, parseMissing } from '../domain/dockerd/programs.ts';
import { viewDaemon } from '../domain/plan/daemon-view.ts';
import { type HostFacts, parseFacts } from '../domain/plan/facts.ts';
import { shellQuote } from '../domain/quote.ts';
import { DockerTlsError } from '../errors/errors.ts';
import { AUDIT_SCRIPT, FACTS_SCRIPT, LYNIS_SCRIPT } from '../host/scripts.ts';
import type { HostSession } from '../runtime.ts';

export type Gathered = {
  readonly facts: HostFacts;
  /** How far the host's clock is ahead of ours (negative: behind), in milliseconds; right to about the round trip. */
  readonly skewMs: number;
};

export type GatherOptions = {
  /** Further paths whose state is wanted, for hardening. */
  readonly paths?: readonly string[];
  readonly now: () => Date;
  readonly signal?: AbortSignal;
};

/**
 * Asks a host for its facts, as root; once more where the answer is not whole or a file of it changed meanwhile. Errors: those of
 * HostSession.run, E_HOST_PROGRAM, E_FACTS, E_HOST_STATE.
 */
export async function gather(session: HostSession, options: GatherOptions): Promise<Gathered> {
  const found = await gatherWhole(session, options);
  // Where the daemon's configuration file is, only its unit says.
  const { configName } = viewDaemon(found.facts);
  if (configName === found.facts.places.daemonJson || !configName.startsWith('/') || /[\n\0]/.test(configName))
    return found;
  return gatherWhole(session, { ...options, paths: [...(options.paths ?? []), configName] });
}

async function gatherWhole(session: HostSession, options: GatherOptions): Promise<Gathered> {
  try {
    return await gatherOnce(session, options);
  } catch (error) {
    if (!(error instanceof DockerTlsError && error.code === 'E_FACTS')) throw error;
    return gatherOnce(session, options);
  }
}

async function gatherOnce(session: HostSession, options: GatherOptions): Promise<Gathered> {
  const before = options.now().getTime();
  const result = await session.run({
    phase: 'facts',
    script: [
      `MORE_PATHS=${shellQuote((options.paths ?? []).join('\n'))}`,
      `PROGRAMS=${shellQuote(NEEDED_PROGRAMS.join(' '))}`,
      FACTS_SCRIPT,
    ].join('\n'),
    asRoot: true,
    timeoutMs: 60_000,
    signal: options.signal,
  });
  const after = options.now().getTime();
  const missing = parseMissing(result.stdout.toString('latin1'));
  if (missing !== undefined) throw programsMissing(session, missing);
  const facts = parseFacts(result.stdout);
  return { facts, skewMs: facts.clockMs - (before + after) / 2 };
}

function programsMissing(
  { host, login }: HostSession,
  { programs, osRelease }: { programs: string[]; osRelease: string },
): DockerTlsError {
  return new DockerTlsError('E_HOST_PROGRAM', `this host has no ${programs.join(', no ')}`, {
    where: host,
    hints: [installHint(login, distributionOf(osRelease), packagesOf(programs))],
  });
}

/**
 * All facts that the checks need, or only those of the known vulnerabilities, in one exec, as root. Errors: those of the session,
 * E_AUDIT_FACTS (exit 4).
 */
export async function gatherAuditFacts(
  session: HostSession,
  signal: AbortSignal,
  parts: 'all' | 'software' = 'all',
): Promise<AuditFacts> {
  const result = await session.run({
    phase: 'audit',
    script: [`PARTS=${parts}`, `SYSCTLS=${shellQuote(SYSCTL_PATHS)}`, AUDIT_SCRIPT].join('\n'),
    asRoot: true,
    timeoutMs: 120_000,
    signal,
  });
  return parseAuditFacts(result.stdout);
}

/** Lynis takes half a minute on a fast host, and several on a slow one. */
const LYNIS_TIMEOUT_MS = 1_200_000;

/** What Lynis prints of the host (src/host/audit/lynis.sh), as root. Errors: those of the session. */
export async function gatherLynis(session: HostSession, signal: AbortSignal): Promise<string> {
  const { stdout } = await session.run({
    phase: 'lynis',
    script: LYNIS_SCRIPT,
    asRoot: true,
    timeoutMs: LYNIS_TIMEOUT_MS,
    signal,
  });
  return stdout.toString('utf8');
}
