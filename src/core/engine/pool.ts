/** A run over several hosts: in parallel, canaries first, one host's trouble its own, stopping after too many failures. */

import { availableParallelism } from 'node:os';
import pMap from 'p-map';
import { asErrors, interruption } from '../../errors/errors.ts';
import type { HostResult } from '../domain/host-results.ts';
import type { HostSpec } from '../domain/settings.ts';
import { plural } from '../domain/words.ts';
import type { Progress, Runtime } from '../runtime.ts';

export type FleetOptions<T = unknown> = {
  /** Hosts at the same time; default: defaultParallel. */
  readonly parallel?: number;
  /** This many hosts first; the others only if all of those went well. */
  readonly canary?: number;
  /** After this many failures no further host is begun. */
  readonly maxFailures?: number;
  readonly runtime: Pick<Runtime, 'signal' | 'now'>;
  readonly progress: Progress;
  /** Called once for each host as soon as its result is there. */
  readonly onResult?: (result: HostResult<T>) => void;
};

/** A host keeps a processor busy for some 50 ms, its own restart takes seconds; the cap is for what is between (bastions, networks). */
export function defaultParallel(processors = availableParallelism()): number {
  return Math.min(10 * processors, 50);
}

/**
 * Does one thing on every host and collects what came of it, in the order of `specs`. Whatever is thrown is that host's result:
 * a run never ends while others are in the middle of a change. After a bug (E_BUG) no further host is begun.
 */
export async function overHosts<T>(
  specs: readonly HostSpec[],
  {
    parallel = defaultParallel(),
    canary = 0,
    maxFailures,
    runtime: { signal, now },
    progress,
    onResult,
  }: FleetOptions<T>,
  work: (spec: HostSpec, line: ReturnType<Progress['host']>) => Promise<T>,
): Promise<HostResult<T>[]> {
  const results = new Map<string, HostResult<T>>();
  let failures = 0;
  let stopped: string | undefined;
  function settle(result: HostResult<T>): void {
    results.set(result.host, result);
    onResult?.(result);
  }
  async function one(spec: HostSpec): Promise<void> {
    if (stopped !== undefined || signal.aborted) {
      settle({ host: spec.name, kind: 'skipped', reason: stopped ?? interruption(signal).message });
      return;
    }
    const clock = () => now().getTime() - progress.askedMs();
    const began = clock();
    const line = progress.host(spec.name);
    try {
      const value = await work(spec, line);
      settle({ host: spec.name, kind: 'done', value, elapsedMs: clock() - began });
    } catch (error) {
      const errors = asErrors(error, signal);
      // The full error is printed once, at the end.
      line.failed([...new Set(errors.map(({ code }) => code))].join(', '));
      settle({
        host: spec.name,
        kind: 'failed',
        errors: errors.map((one) => one.orAt(spec.name)),
        elapsedMs: clock() - began,
      });
      failures += 1;
      // What went wrong here may go wrong anywhere; those at work come to their end.
      if (errors.some(({ code }) => code === 'E_BUG')) stopped ??= 'stopped after a bug in docker-tls';
      if (maxFailures !== undefined && failures >= maxFailures)
        stopped ??= `stopped after ${plural(failures, 'failure')}`;
    }
  }
  const canaries = specs.slice(0, canary);
  await pMap(canaries, one, { concurrency: parallel });
  if (failures > 0 && canaries.length > 0) stopped ??= 'the canary failed';
  await pMap(specs.slice(canaries.length), one, { concurrency: parallel });
  return specs.map((spec) => results.get(spec.name) as HostResult<T>);
}
