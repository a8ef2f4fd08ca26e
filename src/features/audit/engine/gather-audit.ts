/** Collection of audit facts, in a separate exec without changes. In its own file, so other commands do not load it. */

import { LISTENER_SERVICE } from '../../../core/domain/dockerd/paths.ts';
import { shellAssignments, shellQuote } from '../../../core/domain/quote.ts';
import type { HostSession } from '../../../core/runtime.ts';
import { LISTENERS } from '../../../core/seams/listeners.ts';
import { type AuditFacts, parseAuditFacts } from '../domain/audit-facts.ts';
import { isolationPorts } from '../domain/exposure.ts';
import { type Isolation, parseIsolation, untried } from '../domain/isolation.ts';
import { SYSCTL_PATHS } from '../domain/sysctls.ts';
import { AUDIT_SCRIPT, ISOLATION_SCRIPT, LYNIS_SCRIPT } from '../host/audit-scripts.ts';

/** Facts for the checks, or only for known vulnerabilities, in one exec as root. Errors: those of the session, E_AUDIT_FACTS (exit 4). */
export async function gatherAuditFacts(
  session: HostSession,
  signal: AbortSignal,
  { parts = 'all', touch = false }: { readonly parts?: 'all' | 'software'; readonly touch?: boolean } = {},
): Promise<AuditFacts> {
  const result = await session.run({
    phase: 'audit',
    script: `${shellAssignments({
      ...{ PARTS: parts, TOUCH: touch ? 'yes' : '', SYSCTLS: SYSCTL_PATHS },
      LISTENER: LISTENERS.all.length > 0 ? LISTENER_SERVICE : '',
      LISTENER_FILES: LISTENERS.all.flatMap(({ lists }) => lists).join(' '),
    })}\n${AUDIT_SCRIPT}`,
    asRoot: true,
    timeoutMs: 120_000,
    signal,
  });
  return parseAuditFacts(result.stdout);
}

/** Lynis takes half a minute on a fast host, and several minutes on a slow one. */
const LYNIS_TIMEOUT_MS = 1_200_000;

/** Lynis' output on the host (src/features/audit/host/audit/lynis.sh), as root. Errors: those of the session. */
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

/** Every part of the probes ends by itself before. */
const ISOLATION_TIMEOUT_MS = 300_000;

/** What containers of our own reach on the host (src/features/audit/host/isolation), after consent. Errors: those of the session. */
export async function gatherIsolation(
  session: HostSession,
  facts: AuditFacts,
  signal: AbortSignal,
): Promise<Isolation> {
  if (facts.podman) return untried('Podman serves the API here');
  if (facts.docker === undefined) return untried("Docker's API did not answer");
  const { stdout } = await session.run({
    phase: 'isolation',
    script: [
      `SOCKET=${shellQuote(facts.apiSocket)}`,
      `PORTS=${shellQuote(isolationPorts(facts).join(' '))}`,
      ISOLATION_SCRIPT,
    ].join('\n'),
    asRoot: true,
    timeoutMs: ISOLATION_TIMEOUT_MS,
    signal,
  });
  return parseIsolation(stdout.toString('utf8'));
}
