/** `forget`: drops hosts from the store without connecting to them, and removes our docker contexts for them. */

import type { DockerTlsError } from '../../errors/errors.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { clientAccess } from '../domain/trust/client-hosts.ts';
import { storedHost } from '../domain/trust/resolve.ts';
import { listWords } from '../domain/words.ts';
import type { ActionContext } from './action-context.ts';
import { contextsOf, takeContextsAway } from './contexts-of-host.ts';
import { agree } from './prompts.ts';
import { storeOf } from './store.ts';

export type ForgottenHost = {
  readonly host: string;
  readonly address: string;
  /** Clients that the host accepts, and continues to accept if it still runs. */
  readonly clients: readonly string[];
  /** Docker contexts that point to it. */
  readonly contexts: readonly string[];
};

export type Forgotten = { readonly hosts: readonly ForgottenHost[]; readonly errors: readonly DockerTlsError[] };

/**
 * Drops hosts of the store after confirmation with the text of `show`; with --dry-run, only lists them. A context that could not be removed
 * is an error next to the others. Fails with E_HOST_UNKNOWN (exit 2), E_DECLINED, and as the store's lock and write do.
 */
export async function forgetHosts(
  context: ActionContext,
  given: readonly string[],
  show: (hosts: readonly ForgottenHost[]) => string,
): Promise<Forgotten> {
  const { global, prompts, runtime } = context;
  const store = storeOf(context);
  const state = await store.read();
  const names = [...new Set(given)];
  for (const name of names) storedHost(state, name, context.again);
  const planned = await planForget(names, state, runtime.now());
  if (global.dryRun) return { hosts: planned, errors: [] };
  if (!global.yes && prompts.interactive) await prompts.show(`${show(planned)}\n\n`);
  await agree(prompts, `Forget ${listWords(names, 5)}?`);
  return store.withLock('docker-tls forget', async () => {
    const latest = await store.read();
    const hosts = await planForget(names, latest, runtime.now());
    const places = (await Promise.all(names.map((name) => contextsOf(name, latest)))).flat();
    await store.write({ removeHosts: names });
    const { errors } = await takeContextsAway(places, { store, now: runtime.now });
    return { hosts, errors };
  });
}

function planForget(names: readonly string[], state: StoreState, now: Date): Promise<ForgottenHost[]> {
  const access = clientAccess(state, now);
  return Promise.all(
    names.map(async (host) => ({
      host,
      address: state.hosts.get(host)?.record.address ?? '',
      clients: access.filter(({ hosts }) => hosts.includes(host)).map(({ name }) => name),
      contexts: (await contextsOf(host, state)).map(({ name }) => name),
    })),
  );
}
