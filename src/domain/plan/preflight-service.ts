/** Owns what of each kind of host's service manager prevents a change. */

import type { DockerTlsError } from '../../errors/errors.ts';
import type { KindName } from '../../host/scripts.ts';
import type { DaemonView } from './daemon-view.ts';
import { kindOf } from './host-kind.ts';
import type { PreflightInput } from './preflight.ts';
import { checkPodman, checkPodmanVersion } from './preflight-podman.ts';
import { checkOwnSystemd, checkOwnUnit } from './preflight-rootless.ts';
import { checkScript } from './preflight-script.ts';
import { checkSystemd, checkUnit, checkUnitRestart } from './preflight-unit.ts';

type ServiceChecks = {
  /** What keeps everything else from being looked at. */
  readonly manager: (input: PreflightInput) => DockerTlsError[];
  /** How the daemon is started. */
  readonly service: (input: PreflightInput, view: DaemonView) => DockerTlsError[];
  /** What the service manager has against a restart, and needs for a change without one. */
  readonly restart: (input: PreflightInput, restarts: boolean) => DockerTlsError[];
};

const INIT_SCRIPT: ServiceChecks = { manager: () => [], service: checkScript, restart: () => [] };

const CHECKS: Readonly<Record<KindName, ServiceChecks>> = {
  systemd: { manager: checkSystemd, service: checkUnit, restart: checkUnitRestart },
  sysvinit: INIT_SCRIPT,
  openrc: INIT_SCRIPT,
  podman: { manager: checkPodmanVersion, service: checkPodman, restart: checkUnitRestart },
  rootless: { manager: checkOwnSystemd, service: checkOwnUnit, restart: checkUnitRestart },
};

export function checkServiceManager(input: PreflightInput): DockerTlsError[] {
  return CHECKS[kindOf(input.facts).name].manager(input);
}

export function checkService(input: PreflightInput, view: DaemonView): DockerTlsError[] {
  return CHECKS[kindOf(input.facts).name].service(input, view);
}

export function checkServiceRestart(input: PreflightInput, restarts: boolean): DockerTlsError[] {
  return CHECKS[kindOf(input.facts).name].restart(input, restarts);
}
