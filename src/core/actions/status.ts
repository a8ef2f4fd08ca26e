/** `status`: everything that can expire, and differences between hosts and the store. */

import { resolve } from 'node:path';
import { interrupted } from '../../errors/errors.ts';
import type { StoredHost } from '../adapters/store/records.ts';
import { renderPrometheus } from '../domain/prometheus.ts';
import type { LiveRow, StatusRow } from '../domain/status.ts';
import { accessDrift } from '../domain/trust/client-hosts.ts';
import { ourFingerprints } from '../domain/trust/other-cas.ts';
import { type Rotation, rotationOf } from '../domain/trust/rotation.ts';
import { hostRow, statusRows } from '../domain/trust/status-rows.ts';
import { askHosts } from '../engine/drift.ts';
import { askReached } from '../engine/reached-hosts.ts';
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
  /** Named hosts that are not in the store. */
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
    hosts.length + options.limit.length > 0 || [global.file, options.inventory, options.shard].some(Boolean);
  const selection = chosen ? await selectSpecs(context, hosts, options, stored, undefined) : { specs: [], secrets: {} };
  const names = new Set(selection.specs.map(({ name }) => name));
  const state = chosen ? { ...stored, hosts: new Map([...stored.hosts].filter(([name]) => names.has(name))) } : stored;
  const ssh = !offline && !options.noSsh;
  const passwords = ssh ? await sudoPasswords(options, selection, context) : {};
  const known = accessDrift(state, runtime.now());
  const due = { now: runtime.now(), withinDays: within && within / 86_400_000 };
  shown?.begin(statusRows(state, new Map(), due));
  const ours = ourFingerprints(state);
  const onHost = (name: string, answer: LiveRow): void =>
    shown?.row(hostRow(state.hosts.get(name) as StoredHost, answer, due, ours));
  const asking = { runtime, progress, ask: prompts.ssh, parallel: global.parallel };
  const live: ReadonlyMap<string, LiveRow> = offline
    ? new Map([...known].map(([name, drift]) => [name, { drift }]))
    : await askHosts({ ...asking, ssh, specs: selection.specs, known, onHost, ...passwords }, state);
  const reached = offline || chosen ? undefined : await askReached(asking, state);
  // The state of hosts not contacted after an interruption is unknown.
  if (runtime.signal.aborted) throw interrupted('interrupted before every host had answered');
  const rows = statusRows(state, live, due, reached);
  // node_exporter may read the file at any moment, so it is replaced atomically.
  if (metrics !== undefined) await writeOut({ ...metrics, data: renderPrometheus(rows, runtime.now()) });
  const missing = [...names].filter((name) => !stored.hosts.has(name));
  return { rows, rotation: rotationOf(stored, runtime.now()), missing };
}

/** An observer of the rows while hosts are contacted. */
export type RowsShown = {
  /** All rows, as far as the store knows them. */
  begin(rows: readonly StatusRow[]): void;
  /** A host answered, or failed to. */
  row(row: StatusRow): void;
};
