/** Modules of the host scripts for sysvinit and OpenRC, in order. Each module's header lists its requirements. */

import type { KindModules } from '../../../core/host/scripts.ts';
import armModule from './arm.sh';
import factsModule from './facts.sh';
import openrcModule from './openrc.sh';
import openrcBootModule from './openrc-boot.sh';
import pidModule from './pid.sh';
import recoveryModule from './recovery.sh';
import serviceModule from './service.sh';
import sysvinitModule from './sysvinit.sh';
import sysvinitBootModule from './sysvinit-boot.sh';

export const BY_SYSVINIT: KindModules = {
  rollback: [pidModule, sysvinitModule, serviceModule, recoveryModule],
  apply: [armModule, sysvinitBootModule],
};
export const BY_OPENRC: KindModules = {
  rollback: [pidModule, openrcModule, serviceModule, recoveryModule],
  apply: [armModule, openrcBootModule],
};
export const FACTS_MODULES: readonly string[] = [pidModule, factsModule];
