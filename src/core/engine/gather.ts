/** The gathering of a host's facts: one exec that changes nothing. */

import { DockerTlsError } from '../../errors/errors.ts';
import { distributionOf, installHint } from '../domain/dockerd/install-hints.ts';
import { NEEDED_PROGRAMS, packagesOf, parseMissing } from '../domain/dockerd/programs.ts';
import { viewDaemon } from '../domain/plan/daemon-view.ts';
import { type HostFacts, parseFacts } from '../domain/plan/facts.ts';
import { shellQuote } from '../domain/quote.ts';
import type { HostSession } from '../runtime.ts';
import { factsScript } from './loaded-kinds.ts';

type Gathered = {
  readonly facts: HostFacts;
  /** Milliseconds by which the host's clock is ahead of ours (negative: behind), accurate to about the round trip. */
  readonly skewMs: number;
};

type GatherOptions = {
  /** Further paths to report on, for hardening. */
  readonly paths?: readonly string[];
  /** The facts script, where it must not be waited for: the exec then begins before this returns. */
  readonly script?: string;
  readonly now: () => Date;
  readonly signal?: AbortSignal;
};

/**
 * Gathers a host's facts as root. Retries once if the answer is incomplete or one of its files changed meanwhile. Errors: those of
 * HostSession.run, E_HOST_PROGRAM, E_FACTS, E_HOST_STATE.
 */
export async function gather(session: HostSession, options: GatherOptions): Promise<Gathered> {
  const found = await gatherWhole(session, options);
  // Only the daemon's unit names its configuration file.
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
  const script = options.script ?? (await factsScript());
  const before = options.now().getTime();
  const result = await session.run({
    phase: 'facts',
    script: [
      `MORE_PATHS=${shellQuote((options.paths ?? []).join('\n'))}`,
      `PROGRAMS=${shellQuote(NEEDED_PROGRAMS.join(' '))}`,
      script,
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
