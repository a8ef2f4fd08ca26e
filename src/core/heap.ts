/** Heap settings for large fleets: each host produces much short-lived garbage and keeps only a few kilobytes. */

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** V8's default for new objects is 32 MB. A worker gets this limit as an option, a running thread as a flag. */
const YOUNG_BYTES = 8 * 1024 * 1024;

/** From this many hosts, memory matters more than the few percent of CPU time that smaller heaps cost. */
export const MANY_HOSTS = 200;

/** Call repeatedly during the run: it stops the young generation from growing once it has reached YOUNG_BYTES. */
export function keepHeapSmall(): void {
  // By default V8 collects only when the heap has grown to four times the memory left by the last collection.
  setFlagsFromString('--heap-growing-percent=30');
  const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
  if (young !== undefined && young.space_size >= YOUNG_BYTES) setFlagsFromString('--semi-space-growth-factor=1');
}
