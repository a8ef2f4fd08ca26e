/** Scripts of the listener, assembled from modules. */

import sectionsModule from '../../../core/host/facts/sections.sh';
import resultModule from '../../../core/host/result.sh';
import cutModule from './cut.sh';
import installModule from './install.sh';
import listenerModule from './listener.sh';
import listenerFactsModule from './listener-facts.sh';
import listenerStateModule from './listener-state.sh';
import packageManagerModule from './package-manager.sh';
import purgeModule from './purge.sh';
import purgeUnusedModule from './purge-unused.sh';

/**
 * Gathers facts about HAProxy. Variables set before it: SERVICE, its unit; SOCKET, the daemon's local socket; WHOSE, `--user` for the
 * systemd of a user; INSTALL, `yes` to ask what an installation of a missing HAProxy would bring.
 */
export const LISTENER_FACTS_SCRIPT: string = [
  sectionsModule,
  packageManagerModule,
  listenerModule,
  listenerFactsModule,
].join('\n');

/** Gathers what `doctor` needs to know. Variables set before it: SERVICE, SOCKET and WHOSE, as of LISTENER_FACTS_SCRIPT, and PORT. */
export const LISTENER_STATE_SCRIPT: string = [sectionsModule, listenerModule, listenerStateModule].join('\n');

/** Ends connections in the workers WORKERS. Variables set before it: MASTER, the socket of the master process; KEYS of the file MAP; SERVERS. */
export const CUT_SCRIPT: string = cutModule;

/** Installs HAProxy. Variables set before it: LIST, the host's list of the packages; NEW, those that are expected, one in a line. */
export const INSTALL_SCRIPT: string = [resultModule, packageManagerModule, purgeModule, installModule].join('\n');

/** Takes away what that has installed. Variables set before it: LIST; UNIT, the unit file of the listener. */
export const PURGE_SCRIPT: string = [resultModule, packageManagerModule, purgeModule, purgeUnusedModule].join('\n');

/** Results of both; `stays`: packages that others need, one in a line. */
export const PACKAGE_RESULTS = {
  installed: ['version'],
  uninstalled: ['why'],
  kept: [],
  purged: ['stays'],
} as const;
