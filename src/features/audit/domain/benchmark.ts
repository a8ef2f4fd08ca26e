/** The numbers of the CIS Docker Benchmark: a check's id is its number in the newest edition, and older editions are counted from there. */

export const BENCHMARKS = ['1.6', '1.7', '1.8'] as const;
export type Benchmark = (typeof BENCHMARKS)[number];

/** The edition that ids, docs and reports use unless another one is asked for. */
export const NEWEST: Benchmark = '1.8';

/** A control's number in each edition that has it. */
export type Numbers = Readonly<Partial<Record<Benchmark, string>>>;

/**
 * 1.8 put a control on devicemapper in at 2.7, and moved those after it up by one; all other numbers are the same from 1.6 on. Undefined for
 * a control that the edition does not have. Our own ids have no edition.
 */
export function idIn(id: string, benchmark: Benchmark): string | undefined {
  const number = Number(/^2\.(\d+)$/.exec(id)?.[1] ?? 0);
  if (benchmark === NEWEST || number < 7) return id;
  return number === 7 ? undefined : `2.${number - 1}`;
}

/** The numbers of a check by its id, also of one for files (`compose.5.5`); none for our own (`tls.1`). */
export function numbersOf(id: string): Numbers {
  const number = id.replace(/^(?:compose|dockerfile)\./, '');
  if (!/^\d/.test(number)) return {};
  return Object.fromEntries(BENCHMARKS.map((benchmark) => [benchmark, idIn(number, benchmark)]));
}
