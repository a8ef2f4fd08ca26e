/** `forget HOST…`: drops vanished hosts from the store. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { gravestExit } from '../../errors/errors.ts';
import { agree } from '../actions/ask.ts';
import { storeOf } from '../actions/open-store.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { clientAccess } from '../domain/trust/client-hosts.ts';
import { storedHost } from '../domain/trust/resolve.ts';
import { listWords, plural } from '../domain/words.ts';
import { COPIES, type CopiesCode, copiesCode } from '../seams/copies.ts';
import { offeredWords } from '../seams/seam.ts';

export type ForgetDocument = { readonly hosts: readonly ForgottenHostDocument[]; readonly dryRun?: true };

type ForgottenHostDocument = {
  readonly host: string;
  readonly address: string;
  /** Clients that it continues to accept if it still runs. */
  readonly clients: readonly string[];
  /** Docker contexts that pointed to it. */
  readonly contexts: readonly string[];
};

export const command = defineCommand({
  scope: ['changes', 'store'],
  about: `For a host that no longer exists. Its certificate and key go from the store${offeredWords(COPIES, ', and so do docker contexts of ours that point to it')}.\nA host that still runs is not changed: it still accepts its current clients. Where it can be reached, use remove.`,
  examples: ['docker-tls forget build-1', 'docker-tls forget old-1 old-2 --yes'],
  args: { hosts: { summary: 'the hosts', required: true, many: true, completes: 'host' } },
  options: {},
  /**
   * A context that could not be removed is an error next to the others. Fails with E_HOST_UNKNOWN (exit 2), E_DECLINED, and as the store's
   * lock and write do.
   */
  async run(context): Promise<CommandResult<ForgetDocument>> {
    const { global, prompts, runtime } = context;
    const store = storeOf(context);
    const state = await store.read();
    const names = [...new Set(context.args.hosts)];
    for (const name of names) storedHost(state, name, context.again);
    const copies = await copiesCode();
    const planned = await planForget(names, state, runtime.now(), copies);
    if (global.dryRun)
      return { exit: 0, result: { dryRun: true, hosts: planned }, text: renderForgotten(planned, 'would drop') };
    if (!global.yes && prompts.interactive) await prompts.show(`${renderForgotten(planned, 'drops')}\n\n`);
    await agree(prompts, `Forget ${listWords(names, 5)}?`);
    return store.withLock('docker-tls forget', async () => {
      const latest = await store.read();
      const hosts = await planForget(names, latest, runtime.now(), copies);
      const places = await Promise.all(names.map(async (name) => (await copies?.contextsOf(name, latest)) ?? []));
      await store.write({ removeHosts: names });
      const errors = (await copies?.remove(places.flat(), { store, now: runtime.now }))?.errors ?? [];
      const exit = gravestExit(errors.map((error) => error.exit));
      return { exit, result: { hosts }, text: renderForgotten(hosts, 'dropped'), errors };
    });
  },
});

function planForget(
  names: readonly string[],
  state: StoreState,
  now: Date,
  copies: CopiesCode | undefined,
): Promise<ForgottenHostDocument[]> {
  const access = clientAccess(state, now);
  return Promise.all(
    names.map(async (host) => ({
      host,
      address: state.hosts.get(host)?.record.address ?? '',
      clients: access.filter(({ hosts }) => hosts.includes(host)).map(({ name }) => name),
      contexts: ((await copies?.contextsOf(host, state)) ?? []).map(({ name }) => name),
    })),
  );
}

/** The dropped entries, and the effect on a host that still runs. */
function renderForgotten(hosts: readonly ForgottenHostDocument[], verb: string): string {
  return hosts
    .flatMap(({ host, address, clients, contexts }) => [
      `${host} (${address}): ${verb} its certificate, key and record here`,
      ...(contexts.length > 0
        ? [
            `  ${verb} the docker ${contexts.length === 1 ? 'context' : 'contexts'} ${listWords(contexts, 12)}, which pointed to it`,
          ]
        : []),
      clients.length === 0
        ? '  not contacted: if it still runs, it is unchanged'
        : `  not contacted: if it still runs, it still accepts ${listWords(clients, 8)} (${plural(clients.length, 'client')})`,
    ])
    .join('\n');
}
