/**
 * Reading and writing a host's record at its turn. A run over many hosts takes time; meanwhile other runs revoke clients and rotate
 * certificates, and their changes count.
 */

import { isDeepStrictEqual } from 'node:util';
import { DockerTlsError } from '../../../errors/errors.ts';
import type { HostRecord, StoreChange, StoredHost, StoreState } from '../../adapters/store/records.ts';
import type { Store } from '../../adapters/store/store.ts';
import type { Credentials } from '../../domain/plan/desired.ts';
import type { HostSpec } from '../../domain/settings.ts';
import { keptOf, storedOf } from '../../domain/settings-stored.ts';
import { unmarked } from '../../domain/store-settings.ts';
import { sameIds } from '../../domain/trust/ca-id.ts';
import type { Wanted } from '../../domain/trust/changes.ts';
import { listedClients, trustFor } from '../../domain/trust/trust.ts';
import { trustedIds, viewOf } from '../../domain/trust/view.ts';
import { listWords } from '../../domain/words.ts';
import type { Base, HostChange, PlannedHost, RestoredCredentials, Run } from '../intent.ts';

/** The CAs, the clients and this one host, as stored now. Fails with E_STORE_CHANGED (exit 4) if the CAs differ from the run's. */
export async function latestOf(
  host: string,
  { state }: { readonly state: StoreState },
  store: Pick<Store, 'read' | 'home'>,
  how: { readonly fresh?: boolean } = {},
): Promise<StoreState> {
  const latest = await store.read({ hosts: [host], ...how });
  const cas = (one: StoreState) => trustedIds(viewOf({ ...one, clients: new Map(), issuers: new Map() }, new Date(0)));
  if (latest.ca !== undefined && !sameIds(cas(latest), cas(state))) throw storeChanged(store.home, 'the CA');
  return latest;
}

/** The `known` state of the store, or what is stored now if another write came since. Fails as latestOf does. */
export async function currentState(
  host: string,
  known: StoreState,
  base: { readonly state: StoreState },
  store: Pick<Store, 'read' | 'home' | 'isCurrent'>,
): Promise<StoreState> {
  return (await store.isCurrent(known)) ? known : latestOf(host, base, store);
}

/**
 * Writes the host's new state to the store; returns the change that undoes this. Locks the store only while writing, so that runs over
 * other hosts continue. Fails with E_STORE_CHANGED (exit 4) if the host received a trust file that is outdated by now.
 */
export async function recordHost(
  planned: PlannedHost,
  sent: Credentials | undefined,
  { wanted, state, intent }: Pick<Base, 'wanted' | 'state' | 'intent'>,
  { store, runtime }: Pick<Run, 'store' | 'runtime'>,
): Promise<StoreChange | undefined> {
  const { spec, credentials } = planned;
  const write = async () => {
    const latest = await currentState(spec.name, planned.latest, { state }, store);
    const known = latest.hosts.get(spec.name);
    if (credentials === undefined) {
      if (known === undefined) return undefined;
      await store.write({ removeHosts: [spec.name] });
      return { hosts: { [spec.name]: known } };
    }
    const time = runtime.now().toISOString();
    const next =
      'restored' in credentials
        ? known && restoredHost(planned, credentials.restored, known)
        : desiredHost(planned, sent as Credentials, known, { wanted, latest, home: store.home, now: runtime.now() });
    if (next === undefined || (known !== undefined && sameHost(known, next))) return undefined;
    const record = { ...next.record, createdAt: known?.record.createdAt ?? time, updatedAt: time };
    await store.write({ hosts: { [spec.name]: { ...next, record } } });
    return known === undefined ? { removeHosts: [spec.name] } : { hosts: { [spec.name]: known } };
  };
  return store.withLock(`docker-tls ${intent.reason}`, write, { joins: true });
}

/** The record as part of a host's change: `save` writes it, `unsave` takes that back. */
export function recordOf(
  planned: PlannedHost,
  sent: Credentials | undefined,
  base: Pick<Base, 'wanted' | 'state' | 'intent'>,
  run: Pick<Run, 'store' | 'runtime'>,
): Pick<HostChange, 'save' | 'unsave'> {
  let undo: StoreChange | undefined;
  return {
    async save() {
      undo = await recordHost(planned, sent, base, run);
      // The records are safe by now: a host that keeps the revision of its plan has seen less, and nothing false.
      return run.store.mark().catch(() => planned.mark);
    },
    async unsave() {
      const before = undo;
      undo = undefined;
      if (before === undefined) return;
      await run.store.withLock(`docker-tls ${base.intent.reason}`, () => run.store.write(before), { joins: true });
    },
  };
}

/** Whether two records of a host, or two missing ones, are equal. */
export function sameHost(known: StoredHost | undefined, next: StoredHost | undefined): boolean {
  if (known === undefined || next === undefined) return known === next;
  return (
    known.ca === next.ca &&
    known.serverCert === next.serverCert &&
    isDeepStrictEqual(asJson(known.record), asJson(next.record))
  );
}

/** As stored, without undefined values. */
function asJson(record: HostRecord): unknown {
  return JSON.parse(JSON.stringify({ ...record, ssh: unmarked(record.ssh) }));
}

function desiredHost(
  { spec, plan, address, credentials, latest: before }: PlannedHost,
  { ca, cert, key }: Credentials,
  known: StoredHost | undefined,
  { wanted, latest, home, now }: { wanted: Wanted; latest: StoreState; home: string; now: Date },
): StoredHost {
  const trust = credentials !== undefined && 'trust' in credentials ? credentials.trust : [];
  // Ensures that no other run has accepted or rejected a client on this host since.
  const accepts = listedClients(spec, viewOf(latest, now).clients.values());
  const sent = listedClients(spec, viewOf(before, now).clients.values());
  if (latest !== before && !(sameIds(trustFor(spec, viewOf(latest, now)), trust) && isDeepStrictEqual(accepts, sent)))
    throw storeChanged(home, 'who may reach it', spec.name);
  const target = wanted.target.kind === 'desired' ? wanted.target : {};
  const harden = hardeningOf(spec, known?.record, target);
  const record: HostRecord = {
    ...known?.record,
    ...storedOf(harden.length === 0 ? spec : { ...spec, harden }),
    name: spec.name,
    address,
    ssh: unmarked(spec.ssh),
    createdAt: known?.record.createdAt ?? '',
    updatedAt: known?.record.updatedAt ?? '',
    generation: plan.generation === 'none' ? undefined : plan.generation,
    accepts,
  };
  const serverKey = key.kind === 'send' ? key.key : key.kind === 'keep' ? known?.serverKey : undefined;
  return { record, ca, serverCert: cert, serverKey };
}

/**
 * The record after a rollback, with the certificate that is active again. The host has its key; the store has it only if the certificate is
 * the same.
 */
function restoredHost(
  { spec, plan }: PlannedHost,
  { ca, cert, accepts }: RestoredCredentials,
  known: StoredHost,
): StoredHost {
  const record = {
    ...known.record,
    ...keptOf(spec),
    generation: plan.generation as number,
    accepts,
  };
  const serverKey = cert === known.serverCert ? known.serverKey : undefined;
  return { record, ca, serverCert: cert, serverKey };
}

/** Requested fixes of a host, in the form of its record. */
export function hardeningOf(
  { harden }: Pick<HostSpec, 'harden'>,
  known: HostRecord | undefined,
  { addHardening = false }: { readonly addHardening?: boolean },
): readonly string[] {
  const before = known?.harden ?? [];
  if (harden === undefined) return before;
  return addHardening ? [...harden, ...before.filter((entry) => !harden.includes(entry))] : harden;
}

/** Notes about fixes that a host has but that are no longer requested (a shorter list in the fleet file). They are not undone. */
export function droppedNotes(known: HostRecord | undefined, entries: readonly string[]): readonly string[] {
  const dropped = (known?.harden ?? []).filter((entry) => !entry.includes(':') && !entries.includes(entry));
  return dropped.length === 0
    ? []
    : [`${listWords(dropped)}: no longer listed, but its changes remain; undo them on the host, or use rollback`];
}

export function storeChanged(home: string, what: string, where = home): DockerTlsError {
  return new DockerTlsError('E_STORE_CHANGED', `another run has changed ${what} in the store in the meantime`, {
    where,
    hints: ['run the same command again'],
  });
}
