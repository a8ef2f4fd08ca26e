/** Scripts of the listener, assembled from modules. */

import apiModule from '../../../core/host/api.sh';
import sectionsModule from '../../../core/host/facts/sections.sh';
import resultModule from '../../../core/host/result.sh';
import cutModule from './cut.sh';
import installModule from './install.sh';
import listenerModule from './listener.sh';
import listenerFactsModule from './listener-facts.sh';
import listenerStateModule from './listener-state.sh';
import offerModule from './offer.sh';
import packageManagerModule from './package-manager.sh';
import purgeModule from './purge.sh';
import purgeUnusedModule from './purge-unused.sh';
import settleModule from './settle.sh';
import socketCheckModule from './socket-check.sh';

/** Of the distribution's package. */
export const PACKAGE_CONFIG = '/etc/haproxy';

/**
 * Gathers facts about HAProxy. Variables set before it: SERVICE, its unit; SOCKET, the daemon's local socket; WHOSE, `--user` for the
 * systemd of a user; INSTALL, `yes` to ask what an installation of a missing HAProxy would bring; CONFIG, the directory of the package's own
 * configuration; LIST, the host's list of packages that docker-tls has installed for it.
 */
export const LISTENER_FACTS_SCRIPT: string = [
  sectionsModule,
  packageManagerModule,
  offerModule,
  listenerModule,
  listenerFactsModule,
].join('\n');

/** Gathers what `doctor` needs to know. Variables set before it: SERVICE, SOCKET and WHOSE, as of LISTENER_FACTS_SCRIPT, and PORT. */
export const LISTENER_STATE_SCRIPT: string = [sectionsModule, listenerModule, listenerStateModule].join('\n');

/** Asks the sockets for containers. Variable set before it: SOCKETS, `NAME PATH` in each line, the path being one that its role refuses. */
export const SOCKET_CHECK_SCRIPT: string = [apiModule, sectionsModule, socketCheckModule].join('\n');

/** Ends connections in the workers WORKERS. Variables set before it: MASTER, the socket of the master process; KEYS of the file MAP; SERVERS. */
export const CUT_SCRIPT: string = cutModule;

/**
 * Installs HAProxy, or completes an installation that ended early. Variables set before it: LIST and CONFIG, as of LISTENER_FACTS_SCRIPT; NEW, the packages of the plan, one in a line; UNIT, the
 * unit file of the listener.
 */
export const INSTALL_SCRIPT: string = [
  resultModule,
  packageManagerModule,
  offerModule,
  purgeModule,
  settleModule,
  installModule,
].join('\n');

/** Takes away what that has installed. Variables set before it: LIST and UNIT. */
export const PURGE_SCRIPT: string = [resultModule, packageManagerModule, purgeModule, purgeUnusedModule].join('\n');

/** Results of both. `stays`: packages that others need; `failed`: that could not be removed for another reason; one in a line. */
export const PACKAGE_RESULTS = {
  installed: ['version'],
  uninstalled: ['why', 'left'],
  kept: [],
  used: ['why'],
  purged: ['stays', 'failed'],
} as const;
