/** The upgrade that closes most of a host's known vulnerabilities. */

import type { Upgrade } from '../../../core/domain/status-row.ts';
import type { HostSession } from '../../../core/runtime.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { bestUpgrade } from '../domain/vulnerabilities.ts';
import { gatherAuditFacts } from './gather-audit.ts';

/** Undefined if nothing is open, or if the host does not answer: status must not fail for that. */
export async function upgradeOf(session: HostSession, signal: AbortSignal): Promise<Upgrade | undefined> {
  try {
    return bestUpgrade(await gatherAuditFacts(session, signal, { parts: 'software' }));
  } catch (error) {
    if (error instanceof DockerTlsError && error.code === 'E_AUDIT_FACTS') return undefined;
    throw error;
  }
}
