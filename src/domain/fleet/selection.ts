/** Owns the choice of some hosts out of many: by name, by pattern, by shard. */

import { DockerTlsError } from '../../errors/errors.ts';

/** `groups`: those of the inventory that it is in. */
type Named = { readonly name: string; readonly groups?: readonly string[] };
export type Shard = { readonly index: number; readonly count: number };

/** Reads `I/N` (the first part is 1/N). Fails with E_USAGE (exit 2). */
export function parseShard(text: string): Shard {
  const match = /^(\d{1,4})\/(\d{1,4})$/.exec(text);
  const shard = { index: Number(match?.[1]), count: Number(match?.[2]) };
  if (match && shard.index >= 1 && shard.index <= shard.count) return shard;
  throw new DockerTlsError({
    code: 'E_USAGE',
    message: `--shard ${text} is not I/N with I from 1 to N`,
    hints: ['--shard 1/4'],
  });
}

/**
 * The hosts that every condition lets through, in their order. `limit`: names of hosts or of their groups, and patterns (`*`, `?`), none means all;
 * each has to match something (E_LIMIT, exit 2). `shard`: every count-th host in the order of names, so that N runners share nothing.
 */
export function selectHosts<T extends Named>(
  hosts: readonly T[],
  options: { readonly limit?: readonly string[]; readonly shard?: Shard },
): T[] {
  const limit = options.limit ?? [];
  const idle = limit.filter((pattern) => !hosts.some((host) => matches(pattern, host)));
  if (idle.length > 0) {
    throw new DockerTlsError({
      code: 'E_LIMIT',
      message: `no host matches ${idle.join(', ')}`,
      hints: [
        `the hosts are: ${hosts
          .slice(0, 20)
          .map((host) => host.name)
          .join(', ')}`,
      ],
    });
  }
  const chosen = limit.length === 0 ? hosts : hosts.filter((host) => limit.some((pattern) => matches(pattern, host)));
  const { shard } = options;
  if (shard === undefined) return [...chosen];
  const sorted = chosen.map((host) => host.name).sort();
  return chosen.filter((host) => sorted.indexOf(host.name) % shard.count === shard.index - 1);
}

function matches(pattern: string, { name, groups = [] }: Named): boolean {
  return [name, ...groups].some((one) => matchesName(pattern, one));
}

function matchesName(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name;
  const source = [...pattern]
    .map((char) => (char === '*' ? '.*' : char === '?' ? '.' : char.replace(/[.+^${}()|[\]\\]/g, '\\$&')))
    .join('');
  return new RegExp(`^${source}$`).test(name);
}
