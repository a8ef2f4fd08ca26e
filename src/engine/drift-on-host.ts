/** Drift that a host itself shows, and upgrades that it waits for. */

import type { StoredHost } from '../adapters/store/records.ts';
import { bestUpgrade, type Upgrade } from '../domain/audit/vulnerabilities.ts';
import { factsDrift } from '../domain/plan/drift.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { LiveRow } from '../domain/status.ts';
import { DockerTlsError } from '../errors/errors.ts';
import type { HostSession, Runtime } from '../runtime.ts';
import { gatherAuditFacts } from './gather-audit.ts';
import type { OpenedHost } from './intent.ts';
import { problemsOf } from './steps/preflight.ts';

/** Of a host that is open. */
export async function driftOnHost(
  opened: OpenedHost,
  host: StoredHost,
  spec: HostSpec,
  { now, signal }: Pick<Runtime, 'now' | 'signal'>,
): Promise<LiveRow> {
  const upgrade = await upgradeOf(opened.session, signal);
  return { drift: factsDrift(opened.facts, host, problemsOf(opened, spec, now())), upgrade };
}

/** Undefined where nothing is open, and where the host does not tell: status is about other things. */
async function upgradeOf(session: HostSession, signal: AbortSignal): Promise<Upgrade | undefined> {
  try {
    return bestUpgrade(await gatherAuditFacts(session, signal, 'software'));
  } catch (error) {
    if (error instanceof DockerTlsError && error.code === 'E_AUDIT_FACTS') return undefined;
    throw error;
  }
}
