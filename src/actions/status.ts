/** Owns `status`: everything that can expire, and whether hosts really serve what the store says. */

import { resolve } from 'node:path';
import { newCredentials } from '../adapters/docker/diagnosis.ts';
import type { StoredClient, StoredHost, StoreState } from '../adapters/store/records.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import { renewal } from '../domain/pki/renewal.ts';
import { renderPrometheus } from '../domain/prometheus.ts';
import type { LiveRow, StatusRow } from '../domain/status.ts';
import { accessDrift } from '../domain/trust/client-hosts.ts';
import { externalKey } from '../domain/trust/client-refusals.ts';
import { type Rotation, rotationOf } from '../domain/trust/rotation.ts';
import { askHosts } from '../engine/drift.ts';
import { interrupted } from '../errors/errors.ts';
import type { ActionContext } from './action-context.ts';
import { checkOut, writeOut } from './files.ts';
import { type RunOptions, sudoPasswords } from './run.ts';
import { type SelectionOptions, selectSpecs } from './selection.ts';
import { storeOf } from './store.ts';

export type StatusOptions = SelectionOptions &
  RunOptions & {
    readonly offline: boolean;
    readonly noSsh: boolean;
    /** Milliseconds. */
    readonly within?: number | undefined;
    readonly prometheus?: string | undefined;
  };

export type Status = {
  readonly rows: readonly StatusRow[];
  readonly rotation: Rotation | undefined;
  /** Hosts that were named and are not in the store. */
  readonly missing: readonly string[];
};

export async function status(
  context: ActionContext,
  hosts: readonly string[],
  options: StatusOptions,
  shown?: RowsShown,
): Promise<Status> {
  const { global, runtime, progress, prompts } = context;
  const { prometheus, within, offline } = options;
  const metrics =
    prometheus === undefined ? undefined : { runtime, global, out: resolve(runtime.cwd, prometheus), replace: true };
  if (metrics !== undefined) checkOut(metrics, false);
  const stored = await storeOf(context).read();
  const chosen =
    hosts.length > 0 ||
    global.file !== undefined ||
    [options.inventory, options.shard].some(Boolean) ||
    options.limit.length > 0;
  const selection = chosen ? await selectSpecs(context, hosts, options, stored, undefined) : { specs: [], secrets: {} };
  const names = new Set(selection.specs.map(({ name }) => name));
  const state = chosen ? { ...stored, hosts: new Map([...stored.hosts].filter(([name]) => names.has(name))) } : stored;
  const ssh = !offline && !options.noSsh;
  const passwords = ssh ? await sudoPasswords(options, selection, context) : {};
  const known = accessDrift(state, runtime.now());
  const due = { now: runtime.now(), withinDays: within && within / 86_400_000 };
  shown?.begin(rowsOf(state, new Map(), due));
  const onHost = (name: string, answer: LiveRow): void =>
    shown?.row(hostRow(state.hosts.get(name) as StoredHost, answer, due));
  const asking = { runtime, progress, ask: prompts.ssh, parallel: global.parallel };
  const live: ReadonlyMap<string, LiveRow> = offline
    ? new Map([...known].map(([name, drift]) => [name, { drift }]))
    : await askHosts({ ...asking, ssh, specs: selection.specs, known, onHost, ...passwords }, state);
  // What was not asked any more is not what a host is like.
  if (runtime.signal.aborted) throw interrupted('interrupted before every host had answered');
  const rows = rowsOf(state, live, due);
  // node_exporter reads the file at any moment: it has to appear whole.
  if (metrics !== undefined) await writeOut({ ...metrics, data: renderPrometheus(rows, runtime.now()) });
  const missing = [...names].filter((name) => !stored.hosts.has(name));
  return { rows, rotation: rotationOf(stored, runtime.now()), missing };
}

/** What watches the rows while hosts are asked. */
export type RowsShown = {
  /** All rows, as far as the store knows them. */
  begin(rows: readonly StatusRow[]): void;
  /** A host has answered, or does not. */
  row(row: StatusRow): void;
};

type Due = { readonly now: Date; readonly withinDays: number | undefined };

function rowsOf(state: StoreState, live: ReadonlyMap<string, LiveRow>, due: Due): StatusRow[] {
  const row = (kind: StatusRow['kind'], name: string, cert: string) => rowOf(kind, name, cert, due);
  return [
    ...(state.ca ? [row('ca', state.ca.record.name, state.ca.cert)] : []),
    ...state.oldCas.map((old) => ({
      ...row('old ca', old.record?.name ?? old.serial, old.cert),
      serial: old.serial,
    })),
    ...[...state.hosts.values()].map((host) => hostRow(host, live.get(host.record.name), due)),
    ...[...state.clients.values()].map((client) => ({
      ...row('client', client.record.name, client.cert),
      ...renewalOf(client),
    })),
  ];
}

function hostRow({ record, serverCert }: StoredHost, live: LiveRow | undefined, due: Due): StatusRow {
  const { name, address, port, generation, description } = record;
  return { ...rowOf('host', name, serverCert, due), address: `${address}:${port}`, generation, description, ...live };
}

function rowOf(kind: StatusRow['kind'], name: string, cert: string, due: Due): StatusRow {
  const { issuer, selfIssued, notBefore, notAfter } = inspectCertificate(cert);
  const { daysLeft, state, dueAt } = renewal({ notBefore, notAfter, ...due });
  return { kind, name, issuer: selfIssued ? 'itself' : issuer, notBefore, notAfter, daysLeft, state, dueAt };
}

function renewalOf({ record: { name, reaches, ownKey, revokedAt }, key }: StoredClient): Partial<StatusRow> {
  if (revokedAt !== undefined) return { state: 'revoked' };
  if (reaches !== undefined)
    return { renew: newCredentials({ client: name, external: true, ownKey }), renewable: false };
  if (key === undefined) return { renew: externalKey(name).hints, renewable: false };
  return { renew: [`docker-tls rotate client ${name}`], renewable: true };
}
