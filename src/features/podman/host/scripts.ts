/** Modules of the host scripts for Podman, in order. Each module's header lists its requirements. */

import { BY_SYSTEMD, type KindModules } from '../../../core/host/scripts.ts';
import factsModule from './facts.sh';
import serviceModule from './service.sh';

export const BY_PODMAN: KindModules = { ...BY_SYSTEMD, rollback: [...BY_SYSTEMD.rollback, serviceModule] };
export const FACTS_MODULES: readonly string[] = [factsModule];
