/** Clients of a fleet file compared with those of the store: what `plan` changes or refuses. Contacts no host. */

import { DockerTlsError } from '../../../errors/errors.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import type { ClientSpec } from '../settings.ts';
import type { StatusRow } from '../status-row.ts';
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

/** The row of a client with its difference beside what the store and the hosts say of it. */
export function withFleetDrift(row: StatusRow, { differing }: Pick<FleetDrift, 'differing'>): StatusRow {
  const words = row.kind === 'client' ? differing.get(row.name) : undefined;
  return words === undefined ? row : { ...row, drift: [...(row.drift ?? []), words], differs: true };
}

function differenceOf(spec: ClientSpec, state: StoreState, now: Date): string | undefined {
  const revoked = state.clients.get(spec.name)?.record.revokedAt !== undefined;
  if (spec.revoked) return revoked ? undefined : 'revoked in the fleet file, not applied yet';
  if (revoked) return 'revoked, but the fleet file does not mark it: plan and apply refuse the file';
  try {
    const { changes } = fleetClients([spec], state, now);
    return changes.length === 0 ? undefined : 'differs from the fleet file: it was not applied';
  } catch (error) {
    if (error instanceof DockerTlsError) return error.message;
    throw error;
  }
}
