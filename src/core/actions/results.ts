/** The renderers' names for plans and results of the engine. */

import type { ExitStatus } from '../../errors/catalogue.ts';
import { type DockerTlsError, gravestExit } from '../../errors/errors.ts';
import { errorsOf, exitOfResults } from '../domain/host-results.ts';
import type * as engine from '../engine/intent.ts';

export type Planned = engine.Planned;
export type AgreedHost = engine.AgreedHost;
export type Changed = engine.Changed;

/** The exit status of a change: skipped hosts count as well as failed ones. */
export function exitOfChange({ wanted, results }: Changed, signal: AbortSignal): ExitStatus {
  return gravestExit([exitOfResults(results, signal), ...(wanted.leftOut ?? []).map(({ exit }) => exit)]);
}

/** The errors of a change: copies of clients' files, skipped hosts, failed hosts. */
export function failuresOf({ copies, wanted, results }: Changed): DockerTlsError[] {
  return [...[...copies.values()].flatMap(({ problems }) => problems), ...(wanted.leftOut ?? []), ...errorsOf(results)];
}
