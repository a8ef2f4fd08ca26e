/** Isolation, tried from inside: what containers of the audit reached. */

import { printable } from '../../../errors/errors.ts';

/** What the probes try (src/features/audit/host/isolation/probes.sh). */
export const ATTEMPTS = [
  ...(['loopback', 'bridge', 'api', 'metadata', 'network', 'neighbour'] as const),
  ...(['raw', 'syscalls', 'privileges', 'root'] as const),
] as const;

export type Attempt = (typeof ATTEMPTS)[number];

/** `unknown`: it could not be tried. */
export type Tried = { readonly state: 'reached' | 'blocked' | 'unknown'; readonly text: string };

export type Isolation = ReadonlyMap<Attempt, Tried>;

const LENGTH = 300;

/** What counts of several answers: who got through did so; and nothing is blocked if what should be reached was not there. */
const GRAVEST: readonly Tried['state'][] = ['reached', 'unknown', 'blocked'];

/** Parses the output of ISOLATION_SCRIPT. Every attempt has a result: without an answer it is unknown. */
export function parseIsolation(output: string): Isolation {
  const lines = output.split('\n');
  const answers = lines.flatMap((line) => {
    const [, name, state, text] = /^(\w+) (reached|blocked|unknown) ?(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, state: state as Tried['state'], text: printable(text ?? '', LENGTH) }];
  });
  const found = new Map<string, Tried>();
  for (const wanted of GRAVEST)
    for (const { name, state, text } of answers)
      if (state === wanted && !found.has(name)) found.set(name, { state, text });
  const why = found.get('all')?.text || (lines.includes('end') ? 'no answer' : 'the probes did not come to their end');
  return untried(why, found);
}

/** Attempts that could not be made, apart from those that were. */
export function untried(why: string, made: ReadonlyMap<string, Tried> = new Map()): Isolation {
  return new Map(
    ATTEMPTS.map((name) => {
      const one = made.get(name);
      const text = one?.text || (one?.state === 'unknown' ? 'no answer' : '');
      return [name, one === undefined ? { state: 'unknown', text: why } : { ...one, text }] as const;
    }),
  );
}
