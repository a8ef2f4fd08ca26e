/** Owns plan and apply over hosts: the same for one host and for a fleet. Reads like a table of contents. */

import type { StoredClient } from '../adapters/store/records.ts';
import type { ClientSpec, HostSpec } from '../domain/settings.ts';
import { DockerTlsError } from '../errors/errors.ts';
import type { Progress } from '../runtime.ts';
import { admit, amended } from './access.ts';
import {
  applyHost,
  type HostOutcome,
  type PreparedHost,
  prepareHost,
  type RunContext,
  refuseProblems,
} from './host-run.ts';
import { type FleetOptions, type HostResult, overHosts } from './pool.ts';

export type FleetClients = {
  /** Those that may get in, in the order of the file. */
  readonly accepted: readonly StoredClient[];
  /** Those that the file rejects and whose credentials are still here. */
  readonly revoked: readonly StoredClient[];
  /** What of the file does not count yet, and the command that makes it count. */
  readonly notes: readonly string[];
};

/**
 * Brings the clients to what the fleet file says, in memory: makes those that are missing, takes over which hosts they reach, and revokes
 * those that are marked so. Fails with E_CLIENT_REVOKED, E_LAST_CLIENT (exit 2), and as the keyring does.
 */
export async function ensureClients(
  clients: readonly ClientSpec[],
  { keyring, state }: Pick<RunContext, 'keyring' | 'state'>,
  now: Date,
): Promise<FleetClients> {
  const accepted: StoredClient[] = [];
  const revoked: StoredClient[] = [];
  const notes: string[] = [];
  for (const spec of clients) {
    const known = state.clients.get(spec.name);
    if (spec.revoked) {
      if (known === undefined) continue;
      const client =
        known.record.revokedAt === undefined ? amended(known, { revokedAt: now.toISOString() }, now) : known;
      if (client !== known) keyring.amend(client);
      revoked.push(client);
    } else if (known?.record.revokedAt !== undefined) throw revokedAgain(spec.name);
    else {
      const { hosts, days } = spec;
      // A key that is elsewhere is of the kind that its owner made.
      const keyType = known !== undefined && known.key === undefined ? known.record.keyType : spec.keyType;
      const { client } = await admit({ state, keyring }, spec, { hosts, days, keyType }, now);
      accepted.push(client);
      const before = known?.record ?? client.record;
      if (before.days !== days || before.keyType !== keyType)
        notes.push(`client ${spec.name}: days and key-type count from its next renewal on: ${renewalOf(client)}`);
    }
  }
  const gone = new Set(revoked.map(({ record }) => record.name));
  const others = [...state.clients.values()].filter(
    ({ record }) => record.revokedAt === undefined && record.reaches === undefined && !gone.has(record.name),
  );
  if (revoked.length > 0 && accepted.length === 0 && others.length === 0) {
    throw new DockerTlsError({
      code: 'E_LAST_CLIENT',
      exit: 2,
      where: revoked.map(({ record }) => record.name).join(', '),
      message: 'no client is left: nobody would get in, and nothing could be verified',
      hints: ['write another client into the file, under clients:'],
    });
  }
  return { accepted, revoked, notes };
}

function renewalOf({ record, key }: StoredClient): string {
  return `docker-tls ${key === undefined ? 'client request' : 'rotate client'} ${record.name}`;
}

function revokedAgain(name: string): DockerTlsError {
  return new DockerTlsError({
    code: 'E_CLIENT_REVOKED',
    exit: 2,
    where: name,
    message: "this client was revoked, which cannot be taken back: its certificate may be in anybody's hands",
    hints: [
      `mark it in the file: clients: { ${name}: { revoked: true } }`,
      'and give the person a client of another name',
    ],
  });
}

/** The plan of every host; sessions are closed, nothing is changed. A host with problems fails with them. */
export function planHosts(
  specs: readonly HostSpec[],
  context: RunContext,
  options: FleetOptions,
  progress: Progress,
): Promise<HostResult<PreparedHost>[]> {
  return overHosts(specs, options, progress, context.runtime.now, async (spec, line) => {
    const prepared = await prepareHost(spec, context, line);
    await prepared.session.close();
    refuseProblems(prepared);
    line.done('planned');
    return prepared;
  });
}

/** Connects, plans, changes and verifies every host, each on its own way. */
export function applyHosts(
  specs: readonly HostSpec[],
  context: RunContext,
  options: FleetOptions,
  progress: Progress,
): Promise<HostResult<HostOutcome>[]> {
  return overHosts(specs, options, progress, context.runtime.now, async (spec, line) => {
    const prepared = await prepareHost(spec, context, line);
    const outcome = await applyHost(prepared, context, line);
    context.known.set(spec.name, prepared.desired.credentials.cert);
    line.done(outcome.changed ? 'done' : 'nothing to do');
    return outcome;
  });
}
