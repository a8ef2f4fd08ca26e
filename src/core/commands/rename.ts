/** `rename HOST NAME`: another name for a host of the store. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { storeOf } from '../actions/open-store.ts';
import type { StoreChange, StoreState } from '../adapters/store/records.ts';
import { checkName } from '../domain/names.ts';
import { reachableHosts } from '../domain/trust/reachable-hosts.ts';
import { storedHost } from '../domain/trust/resolve.ts';
import { offeredWords } from '../seams/seam.ts';
import { SETTING_PLACES } from '../seams/setting-places.ts';

export type RenameDocument = { readonly host: string; readonly name: string; readonly dryRun?: true };

export const command = defineCommand({
  scope: ['changes', 'store'],
  about: `Clients, certificate, address and docker contexts stay as they are.${offeredWords(SETTING_PLACES, ' A fleet file that has the host needs the new name as well.')}\nA host that has moved to another address: docker-tls setup root@NEW --name HOST --address NEW`,
  examples: ['docker-tls rename build-1 ci-1'],
  args: {
    host: { summary: 'the host', required: true, completes: 'host' },
    name: { summary: 'its new name', required: true },
  },
  options: {},
  /** With --dry-run, only the checks. Fails with E_HOST_UNKNOWN (exit 2), and as `renamed` does. */
  async run(context): Promise<CommandResult<RenameDocument>> {
    const { args, global, runtime } = context;
    const { host, name } = args;
    const { dryRun } = global;
    const store = storeOf(context);
    const state = await store.read();
    storedHost(state, host, context.again);
    if (dryRun) renamed(state, host, name, runtime.now());
    else
      await store.withLock('docker-tls rename', async () => {
        await store.write(renamed(await store.read(), host, name, runtime.now()));
      });
    return {
      exit: 0,
      result: { host, name, dryRun: dryRun || undefined },
      text: `${host} ${dryRun ? 'would be called' : 'is now called'} ${name}`,
    };
  },
});

/** The change that renames a host, also in every client's list of hosts. Fails with E_NAME, E_HOST_TAKEN (exit 2). */
function renamed(state: StoreState, from: string, to: string, now: Date): StoreChange {
  checkName('host', to);
  const host = state.hosts.get(from);
  if (host === undefined) throw new Error(`renamed: ${from} is not in the store`);
  if (reachableHosts(state).has(to)) {
    throw new DockerTlsError('E_HOST_TAKEN', 'there is a host of this name already', {
      where: to,
      hints: ['docker-tls status'],
    });
  }
  const updatedAt = now.toISOString();
  const clients = [...state.clients.values()].flatMap((client) => {
    const { name, hosts } = client.record;
    if (!hosts?.includes(from)) return [];
    const names = hosts.map((one) => (one === from ? to : one));
    return [[name, { ...client, record: { ...client.record, hosts: names, updatedAt } }] as const];
  });
  return {
    hosts: { [to]: { ...host, record: { ...host.record, name: to, updatedAt } } },
    removeHosts: [from],
    clients: Object.fromEntries(clients),
  };
}
