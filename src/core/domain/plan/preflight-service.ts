/** Preflight checks by kind of service manager. */

import { LISTENERS } from '../../seams/listeners.ts';
import { offeredLines } from '../../seams/seam.ts';
import { installDockerHints } from '../dockerd/install-hints.ts';
import { servesTls } from '../dockerd/podman-units.ts';
import { shellQuote, sudoCommand } from '../quote.ts';
import { listsClients } from '../trust/trust.ts';
import { byKind } from './by-kind.ts';
import type { DaemonView } from './daemon-view.ts';
import { fileText, type HostFacts } from './facts.ts';
import { kindOf } from './host-kind.ts';
import { hasListener, usesListener } from './plan-listener.ts';
import type { Preflight, PreflightInput } from './preflight-config.ts';
import { checkSystemd, checkUnit, checkUnitRestart, checkUnread } from './preflight-unit.ts';

export type ServiceChecks = {
  /** Obstacles that prevent all other checks. */
  readonly manager: (input: Preflight) => void;
  /** Checks of the daemon's start. */
  readonly service: (input: Preflight, view: DaemonView) => void;
  /** Obstacles of the service manager to a restart, and requirements of a change without one. */
  readonly restart: (input: Preflight, restarts: boolean) => void;
  /** Hints if another program holds the port. */
  readonly heldPort?: (input: PreflightInput) => string[];
  /** Obstacles of a login that asks for a daemon of this kind; called for every host. True: nothing else can be said. */
  readonly login?: (input: Preflight) => boolean;
};

export const SERVICE_CHECKS = byKind<ServiceChecks>({
  manager: checkSystemd,
  service: checkUnit,
  restart: checkUnitRestart,
});
SERVICE_CHECKS.take('podman', { manager: checkPodmanVersion, service: checkPodman, restart: checkUnitRestart });

export function serviceChecks(facts: HostFacts): ServiceChecks {
  return SERVICE_CHECKS.of(kindOf(facts).name);
}

/** Requires a version that serves TLS, if no listener does. */
function checkPodmanVersion(input: Preflight): void {
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
function checkPodman(input: Preflight): void {
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
