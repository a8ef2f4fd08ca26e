/** The kinds sysvinit and OpenRC. */

import type { HostKinds, KindOfHost } from '../../../core/seams/host-kinds.ts';
import { checkScript } from '../domain/check-script.ts';
import { openrc, sysvinit } from '../domain/init-kinds.ts';
import { scriptFiles, withoutOurSettings } from '../domain/script-files.ts';
import { scriptStart, startOfScript } from '../domain/script-start.ts';
import { BY_OPENRC, BY_SYSVINIT, FACTS_MODULES } from '../host/scripts.ts';

const BY_SCRIPT: Omit<KindOfHost, 'name' | 'about'> = {
  start: startOfScript,
  files: { of: scriptFiles, cleaned: withoutOurSettings },
  command: scriptStart,
  checks: { manager: () => {}, service: checkScript, restart: () => {} },
};

export const initKinds: HostKinds = {
  kinds: [
    { name: 'openrc', about: () => openrc(BY_OPENRC), ...BY_SCRIPT },
    { name: 'sysvinit', about: () => sysvinit(BY_SYSVINIT), ...BY_SCRIPT },
  ],
  facts: FACTS_MODULES,
};
