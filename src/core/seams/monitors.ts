/** Ways to keep an eye on what `status` shows. commands/status.ts uses the first one. */

import type { Store } from '../adapters/store/store.ts';
import type { StatusRow } from '../domain/status-row.ts';
import type { Runtime } from '../runtime.ts';
import { seam } from './seam.ts';

export type Watched = {
  readonly store: Store;
  readonly runtime: Runtime;
  /** Options that need an end. */
  readonly ending: readonly string[];
};

type Monitor = {
  /** A text file for Prometheus' node exporter. */
  metrics(rows: readonly StatusRow[], now: Date): string;
  /** Prints what `look` gives, again at every change of the store, until interrupted. Fails with E_USAGE (exit 2), and as `look` does. */
  watch(look: () => Promise<string>, watched: Watched): Promise<void>;
};

export const MONITORS = seam<{ load(): Promise<Monitor> }>();

/** Its options exist only with it. */
export async function loadMonitor(): Promise<Monitor> {
  const [first] = MONITORS.all;
  if (first === undefined) throw new Error('no feature watches the status');
  return first.load();
}
