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

/** Profiles of the benchmark: Level 2 has the controls of Level 1, and those that can cost functions or take a decision. */
export const LEVELS = ['1', '2'] as const;
export type Level = (typeof LEVELS)[number];

/**
 * Controls of Level 2 alone, by the numbers of the newest edition; 1.6 and 1.7 have the same ones. 7.7 and 7.9 left it with 1.6: they are in
 * Tenable's audit of Level 1 (https://www.tenable.com/audits/items/CIS_Docker_v1.6.0_L1_Docker_Swarm.audit:9b76a8028bc3a5b0edca038819929320,
 * …:27ce540342beb77b8021bd325d253238), and were in that of Level 2 of 1.5 (…/CIS_Docker_v1.5.0_L2_Docker_Linux.audit:…, as 7.8 and 7.10).
 * 2.7 and 7.8 are of Level 1 in an InSpec profile of 1.8 (risk-sentinel/cis-docker-baseline, controls/2.7.rb and 7.8.rb), which gives this
 * level to all controls; their neighbours, 2.6, 7.7 and 7.9, have it.
 */
const LEVEL_2 = new Set([
  ...[7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18].map((number) => `1.1.${number}`),
  ...['2.10', '2.11', '2.12', '2.13', '2.14', '2.18'],
  ...['3.17', '3.18', '3.19', '3.20', '3.21', '3.22'],
  ...['4.5', '4.8', '4.11'],
  ...['5.3', '5.23', '5.24', '5.30'],
  '7.4',
]);

/** The lowest profile with a check, by its ID in the newest edition; undefined for checks of docker-tls. */
export function levelOf(id: string): Level | undefined {
  const number = id.replace(/^(?:compose|dockerfile)\./, '');
  if (!/^\d/.test(number)) return undefined;
  return LEVEL_2.has(number) ? '2' : '1';
}

/** Numbers of a check ID, including file checks (`compose.5.5`); empty for checks of docker-tls (`tls.1`). */
export function numbersOf(id: string): Numbers {
  const number = id.replace(/^(?:compose|dockerfile)\./, '');
  if (!/^\d/.test(number)) return {};
  return Object.fromEntries(BENCHMARKS.map((benchmark) => [benchmark, idIn(number, benchmark)]));
}

/** Checks sorted by ID: numbers by value, and before names. Without localeCompare: every change loads the checks, and would load ICU's rules. */
export function inBenchmarkOrder<T extends { readonly id: string }>(checks: readonly T[]): readonly T[] {
  const key = ({ id }: T): string => id.replace(/\d+/g, (number) => number.padStart(4, '0'));
  return [...checks].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
