/** Owns `ca create`: a CA before any host; setup makes one by itself. */

import type { CaSpec } from '../domain/settings.ts';
import { firstCa } from '../domain/trust/changes.ts';
import { change } from '../engine/change.ts';
import type { Changed, Run } from '../engine/intent.ts';
import { DockerTlsError } from '../errors/errors.ts';

/** Fails with E_CA_EXISTS (exit 2). */
export function createCa(ca: CaSpec, run: Run): Promise<Changed> {
  return change(
    {
      reason: 'ca create',
      want(state) {
        if (state.ca !== undefined) throw caExists(run.store.home);
        return { hosts: [], credentials: firstCa(state.ca, ca), target: { kind: 'desired' } };
      },
    },
    run,
  );
}

function caExists(home: string): DockerTlsError {
  return new DockerTlsError({
    code: 'E_CA_EXISTS',
    where: home,
    message: 'there is a CA in this store already',
    hints: ['docker-tls ca show', 'a new one in its place, with no client locked out: docker-tls rotate ca'],
  });
}
