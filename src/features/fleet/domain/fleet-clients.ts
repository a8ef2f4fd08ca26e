/** Clients of a fleet file: what brings the store in line with them, and how they differ from it. Contacts no host. */

import type { ClientRecord, StoredClient, StoreState } from '../../../core/adapters/store/records.ts';
import type { ClientSpec } from '../../../core/domain/settings.ts';
import type { CredentialChange } from '../../../core/domain/trust/changes.ts';
import { refuseForeign } from '../../../core/domain/trust/client-refusals.ts';
import { activeClients, admit, amended } from '../../../core/domain/trust/clients.ts';
import type { ClientsInLine, FileClients, FileDrift } from '../../../core/seams/fleet-files.ts';
import { offeredCommands } from '../../../core/seams/offered-commands.ts';
import { asWritten, DockerTlsError } from '../../../errors/errors.ts';

export function fileClients(clients: readonly ClientSpec[]): FileClients {
  return {
    names: clients.map(({ name }) => name),
    inLine: (state, now) => clientsInLine(clients, state, now),
    drift: (state, now) => fileDrift(clients, state, now),
  };
}

/**
 * Brings the clients in line with the fleet file: creates missing ones, updates their hosts, and revokes those marked as revoked.
 * Fails with E_CLIENT_REVOKED, E_CLIENT_EXTERNAL, E_LAST_CLIENT (exit 2).
 */
export function clientsInLine(clients: readonly ClientSpec[], state: StoreState, now: Date): ClientsInLine {
  const changes: CredentialChange[] = [];
  const accepted: string[] = [];
  const gone: string[] = [];
  const notes: string[] = [];
  for (const spec of clients) {
    const known = state.clients.get(spec.name);
    if (spec.revoked) {
      if (known === undefined) continue;
      refuseForeign(known, [asWritten(`where it was issued: docker-tls client revoke ${spec.name}`)]);
      gone.push(spec.name);
      if (known.record.revokedAt === undefined)
        changes.push({ kind: 'record', record: amended(known.record, { revokedAt: now.toISOString() }, now) });
    } else if (known?.record.revokedAt !== undefined) throw revokedAgain(spec.name);
    else {
      const { hosts, days } = spec;
      // The owner of an external key chose its type.
      const keyType = known !== undefined && known.key === undefined ? known.record.keyType : spec.keyType;
      const one = admit(state, spec, { hosts, days, keyType, ...roleOf(spec, known) }, now);
      changes.push(...one.changes);
      accepted.push(spec.name);
      const before = known?.record ?? one.record;
      if (before.role !== undefined && spec.role === undefined)
        notes.push(
          `client ${spec.name}: the file gives it no role, so its role ${before.role} ends and it may do everything`,
        );
      if (before.days !== days || before.keyType !== keyType)
        notes.push(
          `client ${spec.name}: days and key-type count from its next renewal on: ${renewalOf(spec.name, known)}`,
        );
    }
  }
  const others = activeClients(state).filter(({ record }) => !gone.includes(record.name));
  if (gone.length > 0 && accepted.length === 0 && others.length === 0) {
    throw new DockerTlsError(
      'E_LAST_CLIENT',
      'no client is left: no client would be accepted, and nothing could be verified',
      { where: gone.join(', '), hints: ['write another client into the file, under clients:'] },
    );
  }
  return { changes, accepted, revoked: gone, notes };
}

/** A client that the file gives no role has all rights again. */
function roleOf({ role }: ClientSpec, known: StoredClient | undefined): Partial<Pick<ClientRecord, 'role'>> {
  return role === undefined && known?.record.role === undefined ? {} : { role };
}

function renewalOf(name: string, known: StoredClient | undefined): string {
  const external = known !== undefined && known.key === undefined;
  if (!external) return `docker-tls rotate client ${name}`;
  // Without the program, because it is not typed here.
  const [request = ''] = offeredCommands('request', name).map((one) => one.replace(/^docker-tls /, ''));
  return request === '' ? 'on the computer with its key' : `${request} (on the computer with its key)`;
}

function revokedAgain(name: string): DockerTlsError {
  return new DockerTlsError(
    'E_CLIENT_REVOKED',
    'this client was revoked, which cannot be undone: others may hold its certificate',
    {
      where: name,
      hints: [`mark it in the file: clients: { ${name}: { revoked: true } }`, 'and issue a client of another name'],
    },
  );
}

function fileDrift(clients: readonly ClientSpec[], state: StoreState, now: Date): FileDrift {
  const known = clients.filter(({ name }) => state.clients.has(name));
  const differing = new Map(known.map((spec) => [spec.name, differenceOf(spec, state, now)]));
  const missing = clients.filter(({ name, revoked }) => !revoked && !state.clients.has(name));
  return {
    marked(row) {
      const words = row.kind === 'client' ? differing.get(row.name) : undefined;
      return words === undefined ? row : { ...row, drift: [...(row.drift ?? []), words], differs: true };
    },
    missing: missing.map(({ name }) => name),
  };
}

/** In words; undefined: none. */
function differenceOf(spec: ClientSpec, state: StoreState, now: Date): string | undefined {
  const revoked = state.clients.get(spec.name)?.record.revokedAt !== undefined;
  if (spec.revoked) return revoked ? undefined : 'revoked in the fleet file, not applied yet';
  if (revoked) return 'revoked, but the fleet file does not mark it: plan and apply refuse the file';
  try {
    const { changes } = clientsInLine([spec], state, now);
    return changes.length === 0 ? undefined : 'differs from the fleet file: it was not applied';
  } catch (error) {
    if (error instanceof DockerTlsError) return error.message;
    throw error;
  }
}
