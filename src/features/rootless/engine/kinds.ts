/** The kind rootless: a user's own daemon. */

import { DOCKER_ENGINE, kindByUnits, ROOT_UNITS } from '../../../core/domain/plan/host-kind.ts';
import { checkUnitRestart } from '../../../core/domain/plan/preflight-unit.ts';
import type { HostKinds } from '../../../core/seams/host-kinds.ts';
import { checkOwnLogin, checkOwnSystemd, checkOwnUnit, forwardedHints } from '../domain/check-own.ts';
import { ownFiles, ownStart, planLinger } from '../domain/own-files.ts';
import { BY_OWN_SYSTEMD, FACTS_MODULES } from '../host/scripts.ts';
import { isAlone, ownHints } from './own-docker.ts';

export const ownKinds: HostKinds = {
  kinds: [
    {
      name: 'rootless',
      about: (places) => ({
        ...kindByUnits(
          'rootless',
          DOCKER_ENGINE,
          { ...ROOT_UNITS, boot: 'basic.target', whose: ['--user'] },
          places,
          BY_OWN_SYSTEMD,
        ),
        own: true,
        keepsContainers: false,
        unkept: [
          'containers run in the namespaces of this daemon and stop with it, live-restore or not',
          'nothing holds connections back before the restart: one that dockerd has just taken may be cut',
        ],
      }),
      files: { of: ownFiles, always: planLinger },
      command: ownStart,
      checks: {
        manager: checkOwnSystemd,
        service: checkOwnUnit,
        restart: checkUnitRestart,
        heldPort: forwardedHints,
        login: checkOwnLogin,
      },
    },
  ],
  facts: FACTS_MODULES,
  own: { isAlone, hints: ownHints },
};
