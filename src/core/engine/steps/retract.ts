/** Retraction step: the CA and the clients that were made for hosts, if no host came to use them. */

import type { ChangeContext } from '../intent.ts';
import { allFailed } from './finish.ts';

/** Undoes the write completely while the store is held; otherwise removes what this run has made, if no host was added since. */
export async function retractUnused({ results = [], written, ...context }: ChangeContext): Promise<void> {
  if (written === undefined || !allFailed(results)) return;
  if (context.held) await written.undo();
  else if (context.wanted.temporary && !context.run.shared) await removeMade(written.before, context);
}

async function removeMade(
  before: NonNullable<ChangeContext['written']>['before'],
  { intent, run: { store }, wanted }: Pick<ChangeContext, 'intent' | 'run' | 'wanted'>,
): Promise<void> {
  await store.withLock(`docker-tls ${intent.reason}`, async () => {
    const { ca, oldCas, hosts, clients, issuers } = await store.read();
    if (hosts.size > before.hosts.size) return;
    const made = (names: Iterable<string>, known: ReadonlyMap<string, unknown>) =>
      [...names].filter((name) => !known.has(name));
    const wantedNames = wanted.credentials.flatMap((one) => (one.kind === 'client' ? [one.record.name] : []));
    const fresh = made(wantedNames, before.clients).filter((name) => clients.has(name));
    await store.write({
      retireCa: (before.ca === undefined && ca !== undefined) || undefined,
      removeClients: fresh,
      removeIssuers: made(fresh, before.issuers).filter((name) => issuers.has(name)),
    });
    if (before.ca !== undefined || ca === undefined) return;
    const known = new Set(oldCas.map(({ serial }) => serial));
    const retired = (await store.read()).oldCas.filter(({ serial }) => !known.has(serial));
    await store.write({ removeOldCas: retired.map(({ serial }) => serial) });
  });
}
