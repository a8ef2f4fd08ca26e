/**
 * Owns what the store says of a host at its turn, and what is written of it afterwards. A run over many hosts takes its time: others
 * revoke clients and rotate certificates meanwhile, and what they wrote counts.
 */

import { isDeepStrictEqual } from 'node:util';
import type { HostRecord, StoreChange, StoredClient, StoreState } from '../adapters/store/records.ts';
import { type HostSpec, storedOf } from '../domain/settings.ts';
import { listWords } from '../domain/words.ts';
import { DockerTlsError } from '../errors/errors.ts';
import type { PreparedHost, RunContext } from './host-run.ts';

type RecordsContext = Pick<RunContext, 'store' | 'keyring'>;

/** The CAs, the clients and this one host, as they are stored now. Fails with E_STORE_CHANGED (exit 5) when the CAs are not the run's. */
export async function latestOf(host: string, { store, keyring }: RecordsContext): Promise<StoreState> {
  const latest = await store.read({ hosts: [host] });
  if (latest.ca === undefined) return latest;
  const cas = [latest.ca, ...latest.oldCas].map(({ cert }) => cert).join('');
  if (cas !== (await keyring.trusted())) throw storeChanged(store.home, 'the CA');
  return latest;
}

/** Those of `clients` that are still there, with what is now said of them; those that are not written yet stay. */
export function asStored(clients: readonly StoredClient[], keyring: RunContext['keyring'], latest: StoreState) {
  const now = keyring.clients(latest);
  return clients.flatMap((client) => {
    const found = now.get(client.record.name);
    return found === undefined ? [] : [{ ...client, record: found.record }];
  });
}

/**
 * The store as it is now, in which the host still gets the trust file that it was planned with: nobody let a client in or out since.
 * Fails with E_STORE_CHANGED (exit 5).
 */
export async function requireLatest({ spec, desired }: PreparedHost, context: RecordsContext): Promise<StoreState> {
  const latest = await latestOf(spec.name, context);
  if ((await context.keyring.trustFor(spec, latest)) !== desired.credentials.ca)
    throw storeChanged(context.store.home, 'who may reach it', spec.name);
  return latest;
}

/**
 * Writes what the host now is; gives the change that takes that back. Holds the store only while it writes: runs over other hosts go on.
 * Fails with E_STORE_CHANGED (exit 5) when the host was given a trust file that is out of date by now.
 */
export async function saveHost(prepared: PreparedHost, context: RunContext): Promise<StoreChange | undefined> {
  const { spec, desired } = prepared;
  const { store, reason } = context;
  return store.withLock(`docker-tls ${reason}`, async () => {
    const latest = await requireLatest(prepared, context);
    await context.saveBase();
    const known = latest.hosts.get(spec.name);
    const time = context.runtime.now().toISOString();
    const record = recordOf(prepared, known?.record, time, hardeningOf(spec, known?.record, context));
    const same =
      known !== undefined &&
      known.ca === desired.credentials.ca &&
      known.serverCert === desired.credentials.cert &&
      isDeepStrictEqual(asJson(known.record), asJson(record));
    if (same) return undefined;
    const { key } = desired.credentials;
    const serverKey = key.kind === 'send' ? key.key : key.kind === 'keep' ? known?.serverKey : undefined;
    await store.write({
      hosts: {
        [spec.name]: {
          record: { ...record, updatedAt: time },
          ca: desired.credentials.ca,
          serverCert: desired.credentials.cert,
          ...(serverKey ? { serverKey } : {}),
        },
      },
    });
    return known === undefined ? { removeHosts: [spec.name] } : { hosts: { [spec.name]: known } };
  });
}

/** The fixes that a host is to have, as its record remembers them. */
export function hardeningOf(
  { harden }: Pick<HostSpec, 'harden'>,
  known: HostRecord | undefined,
  { addHardening = false }: Pick<RunContext, 'addHardening'>,
): readonly string[] {
  const before = known?.harden ?? [];
  if (harden === undefined) return before;
  return addHardening ? [...harden, ...before.filter((entry) => !harden.includes(entry))] : harden;
}

/** What is said when fixes that a host has are no longer asked for (a shorter list in the fleet file): that does not take them back. */
export function droppedNotes(known: HostRecord | undefined, entries: readonly string[]): readonly string[] {
  const dropped = (known?.harden ?? []).filter((entry) => !entry.includes(':') && !entries.includes(entry));
  return dropped.length === 0
    ? []
    : [
        `${listWords(dropped)}: no longer asked for, and what was changed for it stays; take it out there, or use rollback`,
      ];
}

function recordOf(
  { spec, plan, address }: PreparedHost,
  known: HostRecord | undefined,
  time: string,
  harden: readonly string[],
): HostRecord {
  return {
    ...known,
    ...storedOf(harden.length === 0 ? spec : { ...spec, harden }),
    name: spec.name,
    address,
    ssh: spec.ssh,
    createdAt: known?.createdAt ?? time,
    updatedAt: known?.updatedAt ?? time,
    generation: plan.generation === 'none' ? undefined : plan.generation,
  };
}

/** Without what is undefined. */
function asJson(record: HostRecord): unknown {
  return JSON.parse(JSON.stringify(record));
}

function storeChanged(home: string, what: string, where = home): DockerTlsError {
  return new DockerTlsError({
    code: 'E_STORE_CHANGED',
    exit: 5,
    where,
    message: `another run has changed ${what} in the store in the meantime`,
    hints: ['run the same command again: it begins from what is stored now'],
  });
}
