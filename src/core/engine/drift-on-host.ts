/** Drift that a host itself shows, and its pending upgrades. */

import type { StoredHost } from '../adapters/store/records.ts';
import { factsDrift } from '../domain/plan/drift.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { LiveRow } from '../domain/status-row.ts';
import type { Runtime } from '../runtime.ts';
import type { OpenedHost } from './intent.ts';
import { upgradeOf } from './loaded-hardening.ts';
import { listenerState } from './loaded-listener.ts';
import { problemsOf } from './steps/check-host.ts';

/** Reads drift and upgrades of a connected host. */
export async function driftOnHost(
  opened: OpenedHost,
  host: StoredHost,
  spec: HostSpec,
  { now, signal }: Pick<Runtime, 'now' | 'signal'>,
): Promise<LiveRow> {
  const upgrade = await upgradeOf(opened.session, signal);
  const listener = await listenerState({ ...opened, spec }, { signal });
  const drift = factsDrift(opened.facts, host, problemsOf(opened, spec, now()));
  const down = listener?.problems.map(({ message }) => message) ?? [];
  return { drift: [...drift, ...down], upgrade, listener: listener?.title };
}
