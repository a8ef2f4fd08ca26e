/** Engines for the conformance test of stores: a location for one store, and any number of runs that open it. */

import { randomUUID } from 'node:crypto';
import { openStore, type Store } from '../../../../src/core/adapters/store/store.ts';
import { addOperator } from '../../../../src/features/team/store/admin.ts';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import { newHome } from '../../../support/store.ts';
import { type EtcdServers, startEtcd } from './etcd.ts';
import { enrol, type Members, membersOf, newTeam } from './team.ts';

export type StorePlace = {
  /** One more run on the same store; `who` distinguishes the runs. */
  open(who: string): Promise<Store>;
};

/** One entry for each engine. */
export const ENGINES: readonly { readonly name: string; place(): Promise<StorePlace> }[] = [
  { name: 'directory', place: directory },
  { name: 'git', place: () => teamPlace(newTeam()) },
  { name: 'etcd', place: etcd },
];

async function directory(): Promise<StorePlace> {
  const home = newHome();
  return { open: async () => openStore(home, { retryMs: 30_000 }) };
}

let servers: Promise<EtcdServers> | undefined;

/** One server for all stores of a test file. */
async function etcd(): Promise<StorePlace> {
  servers ??= startEtcd();
  const { endpoints } = await servers;
  return teamPlace(membersOf(`etcd://${endpoints}/test/${randomUUID()}?tls=off`));
}

export async function stopEngines(): Promise<void> {
  await (await servers)?.stop();
}

async function teamPlace(team: Members): Promise<StorePlace> {
  const first = team.member('first');
  await enrol(first);
  return {
    async open(who) {
      const member = team.member(who);
      if ((await first.session().read()).operators.every(({ name }) => name !== who))
        await addOperator(first.session(), { ...member, ca: true });
      return teamStore(member.session());
    },
  };
}
