/** The memory of this process for garbage. A fleet makes much that is soon garbage; what is kept of each host is a few kilobytes. */

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** V8 would keep 32 MB for what was just made. A worker's options have this, a running thread has it as a flag. */
const YOUNG_BYTES = 8 * 1024 * 1024;

/** From this many hosts on memory counts for more than the few percent of CPU time that smaller heaps cost. */
export const MANY_HOSTS = 200;

/** To be called again while the work goes on: the young generation is kept at the size that it has reached. */
export function keepHeapSmall(): void {
  // Otherwise V8 collects when the heap is up to four times what was alive the last time.
  setFlagsFromString('--heap-growing-percent=30');
  const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
  if (young !== undefined && young.space_size >= YOUNG_BYTES) setFlagsFromString('--semi-space-growth-factor=1');
}
