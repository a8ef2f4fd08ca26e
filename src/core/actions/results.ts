/** The names under which a renderer knows what the engine planned and made. */

import type { ExitStatus } from '../../errors/catalogue.ts';
import { type DockerTlsError, gravestExit } from '../../errors/errors.ts';
import { errorsOf, exitOfResults } from '../domain/host-results.ts';
import type * as engine from '../engine/intent.ts';

export type Planned = engine.Planned;
export type AgreedHost = engine.AgreedHost;
export type Changed = engine.Changed;

/** The exit status of a change that was made: hosts that were left out count as well as those that failed. */
export function exitOfChange({ wanted, results }: Changed, signal: AbortSignal): ExitStatus {
  return gravestExit([exitOfResults(results, signal), ...(wanted.leftOut ?? []).map(({ exit }) => exit)]);
}

/** What went wrong besides what was done: copies of clients' files, hosts that were left out, hosts that failed. */
export function failuresOf({ copies, wanted, results }: Changed): DockerTlsError[] {
  return [...[...copies.values()].flatMap(({ problems }) => problems), ...(wanted.leftOut ?? []), ...errorsOf(results)];
}
