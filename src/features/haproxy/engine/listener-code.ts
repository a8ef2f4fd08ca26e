/** HAProxy as the core's listener: everything that the seam asks for. */

import type { ListenerCode } from '../../../core/seams/listeners.ts';
import { acceptedOf } from '../domain/accepted.ts';
import { openingProblem } from '../domain/opening.ts';
import { checkSockets } from './check-sockets.ts';
import { installHaproxy, purgeHaproxy } from './install-haproxy.ts';
import { lookAtListener } from './look-at-listener.ts';
import { openListener, planRestored, refusedPath } from './open-listener.ts';

export const listenerCode: ListenerCode = {
  ...{ acceptedOf, checkSockets, lookAtListener, openingProblem, openListener, planRestored, refusedPath },
  install: installHaproxy,
  purge: purgeHaproxy,
};
