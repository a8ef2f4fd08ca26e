/** HAProxy as the core's listener: everything that the seam asks for. */

import type { ListenerCode } from '../../../core/seams/listeners.ts';
import { acceptedOf } from '../domain/accepted.ts';
import { checkRestored } from '../domain/haproxy-unit.ts';
import { checkSockets } from './check-sockets.ts';
import { installHaproxy, purgeHaproxy } from './install-haproxy.ts';
import { lookAtListener } from './look-at-listener.ts';
import { openListener, refusedPath } from './open-listener.ts';

export const listenerCode: ListenerCode = {
  ...{ acceptedOf, checkSockets, lookAtListener, openListener, refusedPath },
  checkRestored,
  install: installHaproxy,
  purge: purgeHaproxy,
};
