/** Results of several hosts, and their combination: one exit status, and the errors in order. */

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
 * Exit status of a run: the gravest failure. Skipped hosts are not done, so they never count as success. Status 2 means that no host was
 * touched, so next to a successful host, an invalid entry counts as 4. An interruption after all hosts were done does not count.
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

/** Every failure in display order (after the table), gravest last. */
export function errorsOf(results: readonly HostResult<unknown>[]): DockerTlsError[] {
  const order: readonly ExitStatus[] = [0, 3, 2, 4, 7, 5, 1, 6, 130];
  return results
    .flatMap((result) => (result.kind === 'failed' ? result.errors : []))
    .sort((a, b) => order.indexOf(a.exit) - order.indexOf(b.exit));
}
