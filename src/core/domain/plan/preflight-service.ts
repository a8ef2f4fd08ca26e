/** Preflight checks by kind of service manager. */

import { byKind } from './by-kind.ts';
import type { DaemonView } from './daemon-view.ts';
import type { HostFacts } from './facts.ts';
import { kindOf } from './host-kind.ts';
import type { Preflight, PreflightInput } from './preflight-config.ts';
import { checkSystemd, checkUnit, checkUnitRestart } from './preflight-unit.ts';

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

export function serviceChecks(facts: HostFacts): ServiceChecks {
  return SERVICE_CHECKS.of(kindOf(facts).name);
}
