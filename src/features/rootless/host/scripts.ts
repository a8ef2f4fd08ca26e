/** Modules of the host scripts for a user's own daemon, in order. Each module's header lists its requirements. */

import { BY_SYSTEMD, type KindModules } from '../../../core/host/scripts.ts';
import armModule from './arm.sh';
import factsModule from './facts.sh';
import managerModule from './manager.sh';
import pidModule from './pid.sh';
import serviceModule from './service.sh';

export const BY_OWN_SYSTEMD: KindModules = {
  rollback: [...BY_SYSTEMD.rollback, managerModule, pidModule, serviceModule],
  apply: [...BY_SYSTEMD.apply, armModule],
};
export const FACTS_MODULES: readonly string[] = [managerModule, pidModule, factsModule];
