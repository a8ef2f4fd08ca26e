/** Numbers of the CIS Docker Benchmark. A check's ID is its number in the newest edition; numbers of older editions are derived from it. */

export const BENCHMARKS = ['1.6', '1.7', '1.8'] as const;
export type Benchmark = (typeof BENCHMARKS)[number];

/** Default edition for IDs, docs and reports. */
export const NEWEST: Benchmark = '1.8';

/** A control's number in each edition that contains it. */
export type Numbers = Readonly<Partial<Record<Benchmark, string>>>;

/**
 * 1.8 inserted a control on devicemapper at 2.7, and moved the following ones up by one; all other numbers are unchanged since 1.6.
 * Undefined if the edition lacks the control. IDs of docker-tls have no edition.
 */
export function idIn(id: string, benchmark: Benchmark): string | undefined {
  const number = Number(/^2\.(\d+)$/.exec(id)?.[1] ?? 0);
  if (benchmark === NEWEST || number < 7) return id;
  return number === 7 ? undefined : `2.${number - 1}`;
}

/** Numbers of a check ID, including file checks (`compose.5.5`); empty for checks of docker-tls (`tls.1`). */
export function numbersOf(id: string): Numbers {
  const number = id.replace(/^(?:compose|dockerfile)\./, '');
  if (!/^\d/.test(number)) return {};
  return Object.fromEntries(BENCHMARKS.map((benchmark) => [benchmark, idIn(number, benchmark)]));
}
