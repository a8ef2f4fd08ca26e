/** Obstacles on a host where Podman serves the API. */

import { installDockerHints } from '../../../core/domain/dockerd/install-hints.ts';
import { fileText } from '../../../core/domain/plan/facts.ts';
import { hasListener, usesListener } from '../../../core/domain/plan/listener.ts';
import type { Preflight } from '../../../core/domain/plan/preflight-config.ts';
import { checkSystemd, checkUnread } from '../../../core/domain/plan/preflight-unit.ts';
import { shellQuote, sudoCommand } from '../../../core/domain/quote.ts';
import { listsClients } from '../../../core/domain/trust/trust.ts';
import { LISTENERS } from '../../../core/seams/listeners.ts';
import { offeredLines } from '../../../core/seams/seam.ts';
import { servesTls } from './podman-units.ts';

/** Requires a version that serves TLS, if no listener does. */
export function checkPodmanVersion(input: Preflight): void {
  checkSystemd(input);
  const { host, login, facts, add } = input;
  const { version } = facts.docker;
  if (!servesTls(version) && !hasOther(input))
    add('E_PODMAN_OLD', `Podman ${version} cannot ask clients for a certificate; 5.7 is the first that can`, [
      ...offeredLines(LISTENERS, `docker-tls setup ${shellQuote(host)} --listener haproxy --install`),
      'or install a newer Podman there, or Docker:',
      ...installDockerHints(login, facts.distribution),
      `or go through ssh: docker context create ${shellQuote(host)} --docker host=ssh://${login.destination}`,
    ]);
}

/** Whether another service accepts clients: after the change, or now if it restores something or there is none. */
function hasOther({ facts, plan, listener }: Preflight): boolean {
  if (plan === undefined && listener !== undefined) return listsClients({ listener });
  return plan?.purpose === 'apply' ? usesListener(plan) : hasListener(facts);
}

/** Requires our unedited service, and a single listen address. */
export function checkPodman(input: Preflight): void {
  checkUnread(input);
  const { login, facts, plan, add } = input;
  const path = facts.places.socket;
  const socket = plan?.files.find((change) => change.path === path)?.after ?? fileText(facts, path) ?? '';
  if (!hasOther(input) && (socket.match(/^ListenStream=/gm) ?? []).length > 1)
    add('E_PODMAN_LISTEN', 'Podman can listen on one address only', [
      'name one with --listen, or none for all of the host',
      `see those that it has: ${sudoCommand(login, 'ip', '-brief', 'address')}`,
    ]);
}
