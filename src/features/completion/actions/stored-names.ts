/** Names for shell completion: of clients, or of hosts that this machine can reach. */

import { namesAt } from '../../../core/adapters/store/look.ts';
import { reachableHosts } from '../../../core/domain/trust/reachable-hosts.ts';
import type { Runtime } from '../../../core/runtime.ts';

type Around = {
  readonly home: string;
  readonly runtime: Pick<Runtime, 'now' | 'env' | 'cwd' | 'operator' | 'signal'>;
};

/** Fails as reading the store does. */
export async function storedNames(kind: 'host' | 'client', { home, runtime }: Around): Promise<readonly string[]> {
  const known = runtime.env.DOCKER_TLS_STORE ? undefined : namesAt(home, kind);
  if (known !== undefined) return known;
  const { openAnyStore } = await import('../../../core/adapters/store/open.ts');
  const { operator: who, ...about } = runtime;
  const state = await openAnyStore({ ...about, home, who, note: () => {}, cached: true }).read();
  return [...(kind === 'client' ? state.clients : reachableHosts(state)).keys()];
}
