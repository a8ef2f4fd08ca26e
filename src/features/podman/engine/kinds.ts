/** The kind podman: Podman serves Docker's API, in a service of docker-tls. */

import { kindByUnits, ROOT_UNITS } from '../../../core/domain/plan/host-kind.ts';
import { checkUnitRestart } from '../../../core/domain/plan/preflight-unit.ts';
import type { HostKinds } from '../../../core/seams/host-kinds.ts';
import { checkPodman, checkPodmanVersion } from '../domain/check-podman.ts';
import { filesBehind, PODMAN_PLACES, podmanFiles, socketWarnings, startOfPodman } from '../domain/podman-files.ts';
import { PODMAN_API, PODMAN_SERVICE, PODMAN_SOCKET, PODMAN_TRUST } from '../domain/podman-units.ts';
import { BY_PODMAN, FACTS_MODULES } from '../host/scripts.ts';

export const podmanKinds: HostKinds = {
  kinds: [
    {
      name: 'podman',
      about: () =>
        kindByUnits(
          'podman',
          {
            title: 'Podman',
            program: 'podman',
            trust: PODMAN_TRUST,
            configurable: false,
            apart: true,
            behind: PODMAN_API,
            client: 'podman',
          },
          { ...ROOT_UNITS, service: PODMAN_SERVICE, sockets: { tls: PODMAN_SOCKET, local: '' } },
          PODMAN_PLACES,
          BY_PODMAN,
        ),
      start: startOfPodman,
      files: { of: podmanFiles, behind: filesBehind, warnings: socketWarnings },
      checks: { manager: checkPodmanVersion, service: checkPodman, restart: checkUnitRestart },
    },
  ],
  facts: FACTS_MODULES,
};
