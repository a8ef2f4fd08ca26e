/** Owns what a host itself says of whether it is as the store has it: its files, its daemon, and upgrades that it waits for. */

import type { StoredHost } from '../adapters/store/records.ts';
import { bestUpgrade, type Upgrade } from '../domain/audit/vulnerabilities.ts';
import { installedCredentials } from '../domain/plan/facts.ts';
import { WITHOUT_FILE } from '../domain/plan/file-change.ts';
import { kindOf } from '../domain/plan/host-kind.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { StatusRow } from '../domain/status.ts';
import { certificateDrift } from '../domain/trust/server.ts';
import { gatherAuditFacts } from '../engine/gather-audit.ts';
import type { OpenedHost } from '../engine/intent.ts';
import { problemsOf } from '../engine/steps/preflight.ts';
import { DockerTlsError } from '../errors/errors.ts';
import type { HostSession, Runtime } from '../runtime.ts';

/** Asks a host that is open once more, and compares. Fails as the connection does. */
export async function driftOnHost(
  opened: OpenedHost,
  host: StoredHost,
  spec: HostSpec,
  runtime: Pick<Runtime, 'now' | 'signal'>,
): Promise<Pick<StatusRow, 'drift' | 'upgrade'>> {
  const { facts } = opened;
  const upgrade = await upgradeOf(opened.session, runtime.signal);
  const found = upgrade === undefined ? {} : { upgrade };
  if (facts.state === undefined)
    return { drift: ['docker-tls has not changed this host, or it was restored'], ...found };
  // What plan and apply would refuse, such as a daemon.json with which dockerd does not start again.
  const problems = problemsOf(opened, spec, runtime.now());
  // Meanwhile nothing else says how the host will be.
  const lock = problems.find(({ code }) => code === 'E_HOST_LOCKED')?.message;
  if (lock !== undefined || facts.transaction !== undefined)
    return { drift: [lock ?? 'a change is under way'], ...found };
  const drift: string[] = [];
  const credentials = installedCredentials(facts);
  const installed = certificateDrift(credentials?.cert ?? '', host.serverCert, 'has');
  if (installed !== undefined) drift.push(installed);
  if (credentials?.ca !== host.ca) drift.push('the trust file on the host is not the one in the store');
  if (host.record.generation !== undefined && facts.state.generation !== host.record.generation)
    drift.push(`generation ${facts.state.generation} is active, the store knows ${host.record.generation}`);
  const ours = facts.generations.get(facts.state.generation);
  for (const [path, entry] of ours ?? []) {
    const now = facts.files.get(path);
    if (now === undefined || WITHOUT_FILE.includes(entry.kind)) continue;
    const same =
      (entry.kind === 'absent' && now.kind === 'absent') ||
      (entry.kind === 'link' && now.kind === 'link' && now.to === entry.to) ||
      (entry.kind === 'file' && now.kind === 'file' && now.content === entry.content);
    if (!same) drift.push(`${path} was edited by hand`);
  }
  const { socket } = facts.places;
  if (facts.files.get(socket)?.kind === 'file' && facts.docker.tlsSocket.active !== 'active')
    drift.push(`${kindOf(facts).sockets.tls} does not listen`);
  return { drift: [...drift, ...problems.map(({ message }) => message)], ...found };
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
