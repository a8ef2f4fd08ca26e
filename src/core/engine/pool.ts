/** Run over several hosts: in parallel, canaries first, stopping after too many failures. A failure affects only its own host. */

import { availableParallelism } from 'node:os';
import pMap from 'p-map';
import { asErrors, interruption } from '../../errors/errors.ts';
import type { HostResult } from '../domain/host-results.ts';
import type { HostSpec } from '../domain/settings.ts';
import { plural } from '../domain/words.ts';
import type { Progress, Runtime } from '../runtime.ts';

export type FleetOptions<T = unknown> = {
  /** Concurrent hosts; default: defaultParallel. */
  readonly parallel?: number;
  /** Number of hosts that run first; the others run only if all of those succeed. */
  readonly canary?: number;
  /** Number of failures after which no further host starts. */
  readonly maxFailures?: number;
  readonly runtime: Pick<Runtime, 'signal' | 'now'>;
  readonly progress: Progress;
  /** Called once for each host, as soon as it has a result. */
  readonly onResult?: (result: HostResult<T>) => void;
};

/** A host uses some 50 ms of CPU, and its own restart takes seconds. The cap is for bastions and networks in between. */
export function defaultParallel(processors = availableParallelism()): number {
  return Math.min(10 * processors, 50);
}

/**
 * Runs `work` on every host and collects the results in the order of `specs`. An error becomes the host's result, so that a run never ends
 * while other hosts are mid-change. After a bug (E_BUG) no further host starts.
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
      // The same bug may occur on any host; running hosts finish.
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
