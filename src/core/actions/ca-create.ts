/** `ca create`: a CA before the first host; setup otherwise creates one. */

import { DockerTlsError } from '../../errors/errors.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { firstCa, type Wanted } from '../domain/trust/changes.ts';
import { change } from '../engine/change.ts';
import type { Changed } from '../engine/intent.ts';
import type { ActionContext } from './action-context.ts';
import { openStoredRun, type StoredOptions } from './run.ts';

/** Fails with E_CA_EXISTS (exit 2). */
export async function createCa(context: ActionContext, options: StoredOptions): Promise<Changed> {
  const { run, ca } = await openStoredRun(context, options);
  const want = (state: StoreState): Wanted => {
    if (state.ca !== undefined) throw caExists(run.store.home);
    return { hosts: [], credentials: firstCa(state.ca, ca), target: { kind: 'desired' } };
  };
  return change({ reason: 'ca create', want }, run);
}

function caExists(home: string): DockerTlsError {
  return new DockerTlsError('E_CA_EXISTS', 'there is a CA in this store already', {
    where: home,
    hints: ['docker-tls ca show', 'a new one in its place, with no client locked out: docker-tls rotate ca'],
  });
}
