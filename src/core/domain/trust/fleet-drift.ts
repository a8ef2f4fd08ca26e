/** Clients of a fleet file compared with those of the store: what `plan` changes or refuses. Contacts no host. */

import { DockerTlsError } from '../../../errors/errors.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import type { ClientSpec } from '../settings.ts';
import { fleetClients } from './clients.ts';

type FleetDrift = {
  /** A difference in words, by client of the store. */
  readonly differing: ReadonlyMap<string, string>;
  /** Clients that the next apply issues. */
  readonly missing: readonly string[];
};

export function fleetDrift(clients: readonly ClientSpec[], state: StoreState, now: Date): FleetDrift {
  const known = clients.filter(({ name }) => state.clients.has(name));
  const found = known.flatMap((spec) => {
    const words = differenceOf(spec, state, now);
    return words === undefined ? [] : [[spec.name, words] as const];
  });
  const missing = clients.filter(({ name, revoked }) => !revoked && !state.clients.has(name));
  return { differing: new Map(found), missing: missing.map(({ name }) => name) };
}

function differenceOf(spec: ClientSpec, state: StoreState, now: Date): string | undefined {
  const revoked = state.clients.get(spec.name)?.record.revokedAt !== undefined;
  if (spec.revoked) return revoked ? undefined : 'the fleet file revokes it: it was not applied';
  if (revoked) return 'revoked, but the fleet file does not mark it: plan and apply refuse the file';
  try {
    const { changes } = fleetClients([spec], state, now);
    return changes.length === 0 ? undefined : 'differs from the fleet file: it was not applied';
  } catch (error) {
    if (error instanceof DockerTlsError) return error.message;
    throw error;
  }
}
