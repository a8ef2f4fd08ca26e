/** The gathering of what an audit knows of a host, in an exec of its own that changes nothing. Apart from gather.ts, so that other commands load nothing of it. */

import { shellQuote } from '../../../core/domain/quote.ts';
import type { HostSession } from '../../../core/runtime.ts';
import { type AuditFacts, parseAuditFacts } from '../domain/facts.ts';
import { SYSCTL_PATHS } from '../domain/sysctls.ts';
import { AUDIT_SCRIPT, LYNIS_SCRIPT } from '../host/scripts.ts';

/**
 * All facts that the checks need, or only those of the known vulnerabilities, in one exec, as root. Errors: those of the session,
 * E_AUDIT_FACTS (exit 4).
 */
export async function gatherAuditFacts(
  session: HostSession,
  signal: AbortSignal,
  parts: 'all' | 'software' = 'all',
): Promise<AuditFacts> {
  const result = await session.run({
    phase: 'audit',
    script: [`PARTS=${parts}`, `SYSCTLS=${shellQuote(SYSCTL_PATHS)}`, AUDIT_SCRIPT].join('\n'),
    asRoot: true,
    timeoutMs: 120_000,
    signal,
  });
  return parseAuditFacts(result.stdout);
}

/** Lynis takes half a minute on a fast host, and several on a slow one. */
const LYNIS_TIMEOUT_MS = 1_200_000;

/** What Lynis prints of the host (src/features/audit/host/audit/lynis.sh), as root. Errors: those of the session. */
export async function gatherLynis(session: HostSession, signal: AbortSignal): Promise<string> {
  const { stdout } = await session.run({
    phase: 'lynis',
    script: LYNIS_SCRIPT,
    asRoot: true,
    timeoutMs: LYNIS_TIMEOUT_MS,
    signal,
  });
  return stdout.toString('utf8');
}
