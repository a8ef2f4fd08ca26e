/** HAProxy as the core's listener: everything that the seam asks for. */

import type { ListenerCode } from '../../../core/seams/listeners.ts';
import { checkRestored } from '../domain/haproxy-unit.ts';
import { installHaproxy, purgeHaproxy } from './install-haproxy.ts';
import { lookAtListener } from './look-at-listener.ts';
import { openListener, refusedPath } from './open-listener.ts';

export const listenerCode: ListenerCode = {
  ...{ lookAtListener, openListener, refusedPath },
  checkRestored,
  install: installHaproxy,
  purge: purgeHaproxy,
};
