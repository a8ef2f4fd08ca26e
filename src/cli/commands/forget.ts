/** Owns `forget HOST…`: drops hosts that are gone from the store. */

import { type ForgottenHost, forgetHosts, planForget } from '../../actions/forget.ts';
import { agree } from '../../actions/prompts.ts';
import { unknownName } from '../../actions/resolve-target.ts';
import { storeOf } from '../../actions/store.ts';
import { listWords, plural } from '../../domain/words.ts';
import { gravestExit } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  name: 'forget',
  summary: 'Drop a host that is gone from the store, without connecting to it',
  withoutFleet: true,
  about:
    'For a host that no longer exists. Its certificate and key go from the store, and so do docker contexts of ours that point to it.\nA host that still runs is not changed: it still accepts its current clients. Where it can be reached, use remove.',
  examples: ['docker-tls forget build-1', 'docker-tls forget old-1 old-2 --yes'],
  args: { hosts: { summary: 'the hosts', required: true, many: true, completes: 'host' } },
  options: {},
  async run({ args, global, prompts, runtime }) {
    const store = storeOf({ global, runtime });
    const state = await store.read();
    const names = [...new Set(args.hosts)];
    for (const name of names)
      if (!state.hosts.has(name))
        throw unknownName('host', 'E_HOST_UNKNOWN', name, [...state.hosts.keys()], 'docker-tls forget');
    const planned = await planForget(names, state, runtime.now());
    if (global.dryRun)
      return { exit: 0, result: { dryRun: true, hosts: planned }, text: render(planned, 'would drop') };
    if (!global.yes && prompts.interactive) await prompts.show(`${render(planned, 'drops')}\n\n`);
    await agree(prompts, `Forget ${listWords(names, 5)}?`);
    const { hosts, errors } = await forgetHosts(names, store, runtime.now);
    const exit = gravestExit(errors.map((error) => error.exit));
    return { exit, errors, result: { hosts }, text: render(hosts, 'dropped') };
  },
});

/** What goes, and what it means for a host that still runs. */
function render(hosts: readonly ForgottenHost[], verb: string): string {
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
