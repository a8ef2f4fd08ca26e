/** Drift that a host itself shows, and its pending upgrades. */

import type { StoredHost } from '../adapters/store/records.ts';
import { factsDrift } from '../domain/plan/drift.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { LiveRow } from '../domain/status-row.ts';
import type { Runtime } from '../runtime.ts';
import type { OpenedHost } from './intent.ts';
import { upgradeOf } from './loaded-hardening.ts';
import { problemsOf } from './steps/check-host.ts';

/** Reads drift and upgrades of a connected host. */
export async function driftOnHost(
  opened: OpenedHost,
  host: StoredHost,
  spec: HostSpec,
  { now, signal }: Pick<Runtime, 'now' | 'signal'>,
): Promise<LiveRow> {
  const upgrade = await upgradeOf(opened.session, signal);
  return { drift: factsDrift(opened.facts, host, problemsOf(opened, spec, now())), upgrade };
}
