/** The wishes of `apply`, `setup` and `harden`: hosts as their specs say, with the CA and the clients that this takes. */

import type { StoredCa, StoredClient, StoreState } from '../../adapters/store/records.ts';
import { Secret } from '../secret.ts';
import type { CaSpec, ClientSpec, HostSpec } from '../settings.ts';
import { plural } from '../words.ts';
import { accessOf } from './access.ts';
import { firstCa, type Intent, namedCa, preview, type Wanted } from './changes.ts';
import { fleetClients, usableClients, verifierOf } from './clients.ts';
import { viewOf } from './view.ts';

export type ApplyRequest = {
  readonly reason: 'setup' | 'plan' | 'apply' | 'harden';
  readonly hosts: readonly HostSpec[];
  /** Those of a fleet file. */
  readonly clients?: readonly ClientSpec[];
  /** For a CA that has to be made. */
  readonly ca: CaSpec;
  /** The CA of one's own that the fleet file names. */
  readonly ownCa?: StoredCa | undefined;
  /** The client to verify hosts with; without `named` another one will do, and is made only where there is none. */
  readonly client: { readonly spec: ClientSpec; readonly named: boolean };
  readonly takeOver?: boolean;
  /** Clients of a CA that a host accepts now, and that this store does not know, may lose it. */
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

export function wantedHosts(request: ApplyRequest, state: StoreState, now: Date): Wanted {
  const { hosts, ca, ownCa, client, takeOver = false, rejectOthers = false, addHardening = false } = request;
  const clients = fleetClients(request.clients ?? [], state, now);
  const inFile = clients.accepted[0];
  const named = client.named || inFile !== undefined;
  const spec = client.named || inFile === undefined ? client.spec : { ...client.spec, name: inFile };
  const known = clients.accepted.includes(spec.name);
  const verifier = known
    ? { name: spec.name, changes: [] }
    : verifierOf(state, spec, { named, without: clients.revoked, now });
  const credentials = [
    ...(ownCa === undefined ? firstCa(state.ca, ca) : namedCa(state.ca, ownCa)),
    ...clients.changes,
    ...verifier.changes,
  ];
  // Fails before anything is issued where this CA cannot do it.
  const asking = { rejectOthers, now, changed: hosts };
  const view = preview(viewOf(state, now), credentials);
  const notes = clients.changes.length > 0 ? accessOf(state, view, asking).notes : [];
  return {
    hosts,
    credentials,
    target: { kind: 'desired', takeOver, rejectOthers, addHardening },
    notes: [...clients.notes, ...notes],
    verifyAs: [verifier.name, ...clients.accepted],
    mustReject: clients.revoked,
    // Changed settings of existing clients stay, whatever becomes of the hosts.
    temporary: credentials.every(({ kind }) => kind !== 'record'),
  };
}

/** Clients whose files docker on this computer may get: those that are there, and those to come, with nothing in their files yet. */
export function clientsFor({ credentials, verifyAs }: Wanted, state: StoreState): StoredClient[] {
  const coming = credentials.flatMap((one): StoredClient[] =>
    one.kind === 'client' ? [{ record: one.record, ca: '', cert: '', key: new Secret('') }] : [],
  );
  const all = [...usableClients(state, verifyAs), ...coming];
  const first = (verifyAs ?? []).flatMap((name) => all.filter(({ record }) => record.name === name));
  return [...new Set([...first, ...all])];
}
