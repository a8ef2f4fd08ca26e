/** Owns how a command opens the store. */

import { openStore, type Store } from '../store/store.ts';
import type { CommandContext } from './command.ts';

/** How long a run waits for another one that is writing to the store. */
const PATIENCE_MS = 30_000;

export function storeOf({
  global,
  runtime,
}: Pick<CommandContext<unknown, unknown>, 'global'> & {
  readonly runtime: Pick<CommandContext<unknown, unknown>['runtime'], 'now'>;
}): Store {
  return openStore(global.home, { now: runtime.now, patienceMs: PATIENCE_MS });
}
