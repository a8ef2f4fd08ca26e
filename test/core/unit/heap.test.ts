/** Memory that a run over many hosts keeps for short-lived garbage. Uses a separate process, because it sets flags of V8. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { expect, test } from 'vitest';

const source = readFileSync(new URL('../../../src/core/heap.ts', import.meta.url), 'utf8');
const module = transformSync(source, { loader: 'ts', format: 'esm', target: 'node20' }).code;

/** Largest sizes of the young generation and the heap, in MB, while most allocations are garbage. */
function largest(calls: 'called' | 'not called'): { readonly young: number; readonly heap: number } {
  const work = `
    let young = 0;
    let heap = 0;
    let kept = [];
    for (let host = 0; host < 2000; host += 1) {
      if (${calls === 'called'} && host % 50 === 0) keepHeapSmall();
      kept.push(Array.from({ length: 3000 }, (_, index) => ({ host, index, text: host + '-' + index })));
      // Every tenth host a third of them becomes garbage of the old generation.
      if (kept.length > 30) kept = kept.slice(-20);
      if (host % 20 !== 0) continue;
      young = Math.max(young, getHeapSpaceStatistics().find((one) => one.space_name === 'new_space').space_size);
      heap = Math.max(heap, process.memoryUsage().heapTotal);
    }
    console.log(JSON.stringify({ young: young / 2 ** 20, heap: heap / 2 ** 20 }));`;
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', module + work], { encoding: 'utf8' });
  return JSON.parse(text) as { young: number; heap: number };
}

test('the young generation stays at half of what V8 would take, and the old one does not grow for it', () => {
  const [small, left] = [largest('called'), largest('not called')];
  expect(small.young).toBeLessThanOrEqual(left.young / 2);
  // Without the other flag, V8 lets the old generation grow by more than a third.
  expect(small.heap).toBeLessThan(left.heap * 1.15);
});
