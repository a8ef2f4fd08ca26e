/** Results of several hosts, each by itself, and together: one exit status, and the errors in their order. */

import type { ExitStatus } from '../../errors/catalogue.ts';
import { type DockerTlsError, gravestExit } from '../../errors/errors.ts';

export type HostResult<T> =
  | { readonly host: string; readonly kind: 'done'; readonly value: T; readonly elapsedMs: number }
  | {
      readonly host: string;
      readonly kind: 'failed';
      readonly errors: readonly DockerTlsError[];
      readonly elapsedMs: number;
    }
  | { readonly host: string; readonly kind: 'skipped'; readonly reason: string };

/**
 * The exit status of a run: the gravest of its failures; skipped hosts are not done, so they never make a run good. 2 says that nothing was
 * touched: beside a host that went well, one whose own entry is wrong counts as one that is not fit for it. An interruption that came
 * when every host was done already interrupted nothing.
 */
export function exitOfResults(results: readonly HostResult<unknown>[], signal?: AbortSignal): ExitStatus {
  const statuses = results.flatMap((result) =>
    result.kind === 'failed' ? result.errors.map((error) => error.exit) : [],
  );
  const touched = results.some(({ kind }) => kind === 'done');
  const counted = statuses.map((status) => (status === 2 && touched ? 4 : status));
  const interrupted = signal?.aborted === true && results.some(({ kind }) => kind !== 'done');
  return gravestExit([...(interrupted ? [130 as const] : []), ...counted]);
}

/** Every failure, gravest last, as it is shown after the table. */
export function errorsOf(results: readonly HostResult<unknown>[]): DockerTlsError[] {
  const order: readonly ExitStatus[] = [0, 3, 2, 4, 7, 5, 1, 6, 130];
  return results
    .flatMap((result) => (result.kind === 'failed' ? result.errors : []))
    .sort((a, b) => order.indexOf(a.exit) - order.indexOf(b.exit));
}
