/** Signals: the first asks the run to stop; a second one that is not an echo of it ends the wait. */

import { expect, test, vi } from 'vitest';
import { watchSignals } from '../../../src/cli/signals.ts';

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s', async (name) => {
  let now = 1000;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  const seen: string[] = [];
  const watch = watchSignals((first) => seen.push(first));
  watch.insisted.then(() => seen.push('insisted'));
  try {
    process.emit(name, name);
    expect([watch.signal.aborted, watch.signal.reason?.code]).toEqual([true, 'E_INTERRUPTED']);
    now += 100;
    process.emit(name, name);
    await Promise.resolve();
    expect(seen).toEqual([name]);
    now += 300;
    process.emit(name, name);
    await Promise.resolve();
    expect(seen).toEqual([name, 'insisted']);
  } finally {
    watch.stop();
    clock.mockRestore();
  }
});
