/** Selection of hosts by name, pattern or shard. */

import { DockerTlsError, usage } from '../../../errors/errors.ts';

/** `groups`: the host's inventory groups. */
export type Named = { readonly name: string; readonly groups?: readonly string[] };
type Shard = { readonly index: number; readonly count: number };

type Environment = Readonly<Record<string, string | undefined>>;

/** Parses `I/N` (the first shard is 1/N), or `auto`: from the runner's environment. Fails with E_USAGE (exit 2). */
export function parseShard(text: string, env: Environment = {}): Shard {
  if (text === 'auto') return ownShard(env);
  const match = /^(\d{1,4})\/(\d{1,4})$/.exec(text);
  const shard = { index: Number(match?.[1]), count: Number(match?.[2]) };
  if (match && shard.index >= 1 && shard.index <= shard.count) return shard;
  throw usage(`--shard ${text} is not I/N with I from 1 to N`, ['--shard 1/4']);
}

/**
 * GitLab's `parallel:` sets both numbers, counted from 1. Kubernetes (an Indexed Job), Nomad and GitHub (`strategy.job-index`) count from 0
 * and do not set the total, so it comes from DOCKER_TLS_SHARDS. https://docs.gitlab.com/ci/variables/predefined_variables/
 */
function ownShard(env: Environment): Shard {
  const { CI_NODE_INDEX, CI_NODE_TOTAL, DOCKER_TLS_SHARD_INDEX, DOCKER_TLS_SHARDS = '' } = env;
  if (DOCKER_TLS_SHARDS === '' && CI_NODE_INDEX && CI_NODE_TOTAL)
    return parseShard(`${CI_NODE_INDEX}/${CI_NODE_TOTAL}`);
  const index = [DOCKER_TLS_SHARD_INDEX, env.JOB_COMPLETION_INDEX, env.NOMAD_ALLOC_INDEX].find((one) => one);
  if (index !== undefined && /^\d{1,4}$/.test(index) && DOCKER_TLS_SHARDS !== '')
    return parseShard(`${Number(index) + 1}/${DOCKER_TLS_SHARDS}`);
  throw usage('--shard auto: the environment does not tell which part this is', [
    'GitLab: parallel: 4 (CI_NODE_INDEX, CI_NODE_TOTAL)',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub's
    'GitHub: DOCKER_TLS_SHARD_INDEX: ${{ strategy.job-index }}, DOCKER_TLS_SHARDS: ${{ strategy.job-total }}',
    'Kubernetes Indexed Job, Nomad: DOCKER_TLS_SHARDS=4 beside JOB_COMPLETION_INDEX or NOMAD_ALLOC_INDEX',
    '--shard 1/4',
  ]);
}

/**
 * Hosts that meet every condition, in their order. `limit`: names of hosts or groups, and patterns (`*`, `?`); empty means all; each must
 * match a host (E_LIMIT, exit 2). `shard`: every count-th host in name order, so that N runners share none.
 */
export function selectHosts<T extends Named>(
  hosts: readonly T[],
  options: { readonly limit?: readonly string[]; readonly shard?: Shard },
): T[] {
  const limit = options.limit ?? [];
  const idle = limit.filter((pattern) => !hosts.some((host) => matches(pattern, host)));
  if (idle.length > 0) {
    throw new DockerTlsError('E_LIMIT', `no host matches ${idle.join(', ')}`, {
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

/** Intersection of HOSTs and --limit: a host must be named by one and match the other. */
export function meantHosts(
  hosts: readonly string[],
  limit: readonly string[],
  all: readonly Named[],
): readonly string[] {
  if (hosts.length === 0 || limit.length === 0) return [...hosts, ...limit];
  // Each must match a host: selectHosts reports those that do not.
  const named = new Set(selectHosts(all, { limit: hosts }).map((spec) => spec.name));
  const both = selectHosts(all, { limit }).filter((spec) => named.has(spec.name));
  return both.length > 0 ? both.map((spec) => spec.name) : [`${hosts.join(', ')} and ${limit.join(', ')} at once`];
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
