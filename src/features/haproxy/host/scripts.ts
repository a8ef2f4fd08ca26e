/** Scripts of the listener, assembled from modules. */

import sectionsModule from '../../../core/host/facts/sections.sh';
import listenerFactsModule from './listener-facts.sh';

/**
 * Gathers facts about HAProxy. Variables set before it: SERVICE, its unit; SOCKET, the daemon's local socket; WHOSE, `--user` for the
 * systemd of a user.
 */
export const LISTENER_FACTS_SCRIPT: string = [sectionsModule, listenerFactsModule].join('\n');
