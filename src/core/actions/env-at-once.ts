/**
 * Fast path of `env` for a shell prompt or login: a quick read of the store (adapters/store/look.ts), for a host with a direct connection.
 * Undefined if uncertain: the command itself (env.ts) then answers, or reports the problem.
 */

import { lookAt } from '../adapters/store/look.ts';
import type { Shell } from '../domain/environment.ts';
import { meantClient, reachableHosts } from '../domain/trust/reachable-hosts.ts';
import { type Around, hostLines, unsetLines } from './env-lines.ts';

export type EnvWords = {
  readonly host: string | undefined;
  readonly client: string | undefined;
  readonly shell: Shell;
  readonly unset: boolean;
};

export function environmentAtOnce({ host, client, shell, unset }: EnvWords, around: Around): string | undefined {
  const { runtime, global } = around;
  if (unset) return unsetLines(shell).text;
  if (runtime.env.DOCKER_TLS_STORE) return undefined;
  const look = lookAt(global.home, host);
  if (look === undefined) return undefined;
  const hosts = reachableHosts(look);
  const found = host === undefined && hosts.size === 1 ? [...hosts.values()][0] : hosts.get(host ?? '');
  if (found === undefined || look.hosts.get(found.record.name)?.record.reach === 'ssh') return undefined;
  const meant = meantClient(look.clients, found, client ?? (runtime.env.DOCKER_TLS_CLIENT || undefined));
  if (meant === undefined) return undefined;
  const { record, directory } = meant;
  return hostLines({ shell, host: found, client: record.name, directory }, around).text;
}
