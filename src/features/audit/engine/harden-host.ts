/** Preparation of a hardening plan: audit facts, and the fixes in the host's record. */

import type { HostFacts } from '../../../core/domain/plan/facts.ts';
import type { HostSpec } from '../../../core/domain/settings.ts';
import { gather } from '../../../core/engine/gather.ts';
import type { HostSession, Runtime } from '../../../core/runtime.ts';
import type { HardenedHost } from '../../../core/seams/host-hardening.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import type { AuditFacts } from '../domain/audit-facts.ts';
import { HARDENING_PATHS, type HardenInput, hardenHost } from '../domain/hardening/hardening.ts';
import { gatherAuditFacts } from './gather-audit.ts';

function onlyRoots(host: string): DockerTlsError {
  return new DockerTlsError(
    'E_HARDEN_ROOTLESS',
    "this host is set up as a user's own (rootless) Docker, and what fixes change is root's",
    { where: host, hints: [`see what audit finds, and change it as root: docker-tls audit ${host}`] },
  );
}

type Opened = { readonly session: HostSession };

/**
 * A host that is opened, or asked, again is another one here, with facts of its own. With --yes the facts of the plan are those of the
 * change: a file that changed meanwhile ends it with E_HOST_CHANGED.
 */
const gathered = new WeakMap<Opened, { readonly facts: HostFacts; readonly audit: AuditFacts }>();

async function gatherOnce(opened: Opened, { now, signal }: Pick<Runtime, 'now' | 'signal'>) {
  const known = gathered.get(opened);
  if (known !== undefined) return known;
  const [{ facts }, audit] = await Promise.all([
    gather(opened.session, { now, signal, paths: HARDENING_PATHS }),
    gatherAuditFacts(opened.session, signal),
  ]);
  gathered.set(opened, { facts, audit });
  return { facts, audit };
}

/** What the audit knows of a host since its plan; undefined if the plan had no fixes. */
export function auditOf(opened: Opened | undefined): AuditFacts | undefined {
  return opened && gathered.get(opened)?.audit;
}

/** Gathers the facts for the fixes over an open session, without changes. Fails with E_HARDEN_ROOTLESS (exit 2). */
export async function hardenOpened(
  opened: Opened,
  spec: HostSpec,
  wanted: Pick<HardenInput, 'entries' | 'known' | 'leadsTo'>,
  runtime: Pick<Runtime, 'now' | 'signal'>,
): Promise<HardenedHost> {
  const { session } = opened;
  if (session.login.rootless) throw onlyRoots(spec.name);
  const { facts, audit } = await gatherOnce(opened, runtime);
  const remote = spec.ssh.destination !== 'local';
  const login = { user: session.user, remote, byKey: session.authenticatedBy === 'key' };
  return { facts, desired: hardenHost({ ...wanted, facts, audit, login }) };
}
