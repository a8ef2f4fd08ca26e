/** The daemon's end of HAProxy. */

import type { HostFacts } from '../../../core/domain/plan/facts.ts';
import { kindOf } from '../../../core/domain/plan/host-kind.ts';

/** Path of the socket at which the daemon serves a listener. */
export function engineSocket(facts: HostFacts): string {
  return kindOf(facts).engine.behind ?? (facts.docker.apiSocket || facts.places.localSocket);
}
