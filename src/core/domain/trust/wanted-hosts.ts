/** Intent of `apply`, `setup` and `harden`: hosts as specified, with the CA and clients that they need. */

import type { StoredCa, StoredClient, StoreState } from '../../adapters/store/records.ts';
import type { ClientsInLine, FileClients } from '../../seams/fleet-files.ts';
import { hasPort } from '../network-port.ts';
import { Secret } from '../secret.ts';
import type { CaSpec, ClientSpec, HostSpec } from '../settings.ts';
import { plural } from '../words.ts';
import { accessOf, withTrust } from './access.ts';
import { type CredentialChange, firstCa, type Intent, preview, type Wanted } from './changes.ts';
import { usableClients, verifierOf } from './clients.ts';
import { viewOf } from './view.ts';

export type ApplyRequest = {
  readonly reason: 'setup' | 'plan' | 'apply' | 'harden';
  readonly hosts: readonly HostSpec[];
  /** Clients of a fleet file. */
  readonly clients?: Pick<FileClients, 'inLine'>;
  /** Settings of a new CA. */
  readonly ca: CaSpec;
  /** What imports the CA that the fleet file names, beside the one of the store. */
  readonly ownCa?: ((known: StoredCa | undefined) => readonly CredentialChange[]) | undefined;
  /** Client for verification; without `named`, any usable client serves, and a new one is created only if there is none. */
  readonly client: { readonly spec: ClientSpec; readonly named: boolean };
  readonly takeOver?: boolean;
  /** Allow locking out clients of a CA that a host accepts now and this store does not know. */
  readonly rejectOthers?: boolean;
  readonly addHardening?: boolean;
};

export function hostsIntent(request: ApplyRequest): Intent {
  const { reason, hosts } = request;
  const where = (changing: number) => (hosts.length === 1 ? '' : ` on ${changing} of ${plural(hosts.length, 'host')}`);
  return {
    reason,
    want: (state, now) => wantedHosts(request, state, now),
    question: (_, changing) => (changing === 0 ? undefined : `Make these changes${where(changing)}?`),
  };
}

const NONE: ClientsInLine = { changes: [], accepted: [], revoked: [], notes: [] };

function wantedHosts(request: ApplyRequest, state: StoreState, now: Date): Wanted {
  const { hosts, ca, ownCa, client, takeOver = false, rejectOthers = false, addHardening = false } = request;
  const clients = request.clients?.inLine(state, now) ?? NONE;
  const inFile = clients.accepted[0];
  const named = client.named || inFile !== undefined;
  const spec = client.named || inFile === undefined ? client.spec : { ...client.spec, name: inFile };
  const known = clients.accepted.includes(spec.name);
  // No client can connect to a host without a port, so none is made for it.
  const needed = named || hosts.some(hasPort);
  const verifier =
    known || !needed
      ? { name: known ? spec.name : undefined, changes: [] }
      : verifierOf(state, spec, { named, without: clients.revoked, now });
  const credentials = [...(ownCa?.(state.ca) ?? firstCa(state.ca, ca)), ...clients.changes, ...verifier.changes];
  // Fails before anything is issued if this CA cannot do it.
  const asking = { rejectOthers, now, changed: hosts };
  const view = preview(viewOf(state, now), credentials);
  const access = clients.changes.length > 0 ? accessOf(state, view, asking) : undefined;
  return {
    hosts: withTrust(hosts, state, view, access?.trust),
    credentials,
    target: { kind: 'desired', takeOver, rejectOthers, addHardening, startSockets: request.reason !== 'harden' },
    notes: [...clients.notes, ...(access?.notes ?? [])],
    verifyAs: [...(verifier.name === undefined ? [] : [verifier.name]), ...clients.accepted],
    mustReject: clients.revoked,
    // Changed settings of existing clients persist even if the hosts fail.
    temporary: credentials.every(({ kind }) => kind !== 'record'),
  };
}

/** Clients whose files this computer's docker may get: existing ones, and planned ones with empty files. */
export function clientsFor({ credentials, verifyAs }: Wanted, state: StoreState): StoredClient[] {
  const coming = credentials.flatMap((one): StoredClient[] =>
    one.kind === 'client' ? [{ record: one.record, ca: '', cert: '', key: new Secret('') }] : [],
  );
  const all = [...usableClients(state, verifyAs), ...coming];
  const first = (verifyAs ?? []).flatMap((name) => all.filter(({ record }) => record.name === name));
  return [...new Set([...first, ...all])];
}
