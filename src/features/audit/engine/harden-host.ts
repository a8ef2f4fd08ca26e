/** Preparation of a hardening plan: audit facts, and the fixes in the host's record. */

import type { HostSpec } from '../../../core/domain/settings.ts';
import { gather } from '../../../core/engine/gather.ts';
import type { HostSession, Runtime } from '../../../core/runtime.ts';
import type { HardenedHost } from '../../../core/seams/host-hardening.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { HARDENING_PATHS, type HardenInput, hardenHost } from '../domain/hardening/hardening.ts';
import { gatherAuditFacts } from './gather-audit.ts';

function onlyRoots(host: string): DockerTlsError {
  return new DockerTlsError(
    'E_HARDEN_ROOTLESS',
    "this host is set up as a user's own (rootless) Docker, and what fixes change is root's",
    { where: host, hints: [`see what audit finds, and change it as root: docker-tls audit ${host}`] },
  );
}

/** Gathers the facts for the fixes over an open session, without changes. Fails with E_HARDEN_ROOTLESS (exit 2). */
export async function hardenOpened(
  session: HostSession,
  spec: HostSpec,
  wanted: Pick<HardenInput, 'entries' | 'known' | 'leadsTo'>,
  runtime: Pick<Runtime, 'now' | 'signal'>,
): Promise<HardenedHost> {
  if (session.login.rootless) throw onlyRoots(spec.name);
  const [{ facts }, audit] = await Promise.all([
    gather(session, { now: runtime.now, signal: runtime.signal, paths: HARDENING_PATHS }),
    gatherAuditFacts(session, runtime.signal),
  ]);
  const remote = spec.ssh.destination !== 'local';
  const login = { user: session.user, remote, byKey: session.authenticatedBy === 'key' };
  return { facts, desired: hardenHost({ ...wanted, facts, audit, login }) };
}
