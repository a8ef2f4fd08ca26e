/** Scripts of the listener, assembled from modules. */

import sectionsModule from '../../../core/host/facts/sections.sh';
import cutModule from './cut.sh';
import listenerFactsModule from './listener-facts.sh';
import listenerStateModule from './listener-state.sh';

/**
 * Gathers facts about HAProxy. Variables set before it: SERVICE, its unit; SOCKET, the daemon's local socket; WHOSE, `--user` for the
 * systemd of a user.
 */
export const LISTENER_FACTS_SCRIPT: string = [sectionsModule, listenerFactsModule].join('\n');

/** Gathers what `doctor` needs to know. Variables set before it: those of LISTENER_FACTS_SCRIPT, and PORT. */
export const LISTENER_STATE_SCRIPT: string = [sectionsModule, listenerStateModule].join('\n');

/** Ends connections in the workers WORKERS. Variables set before it: MASTER, the socket of the master process; KEYS of the file MAP; SERVERS. */
export const CUT_SCRIPT: string = cutModule;
