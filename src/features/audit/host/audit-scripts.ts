/** Scripts of the audit and of packages, assembled from modules. */

import apiModule from '../../../core/host/api.sh';
import resultModule from '../../../core/host/result.sh';
import auditAccountsModule from './audit/accounts.sh';
import auditApiModule from './audit/api.sh';
import auditArgumentsModule from './audit/arguments.sh';
import auditDockerdModule from './audit/dockerd.sh';
import auditFilesModule from './audit/files.sh';
import auditHardeningModule from './audit/hardening.sh';
import auditHostModule from './audit/host.sh';
import auditListenerModule from './audit/listener.sh';
import auditLynisModule from './audit/lynis.sh';
import auditMainModule from './audit/main.sh';
import auditReadBackModule from './audit/read-back.sh';
import auditSectionsModule from './audit/sections.sh';
import auditSoftwareModule from './audit/software.sh';
import auditSshdModule from './audit/sshd.sh';
import isolationImageModule from './isolation/image.sh';
import isolationMainModule from './isolation/main.sh';
import isolationProbesModule from './isolation/probes.sh';
import isolationRemoveModule from './isolation/remove.sh';
import isolationWaysModule from './isolation/ways.sh';
import installPackagesModule from './packages/install.sh';
import lookPackagesModule from './packages/look.sh';
import purgePackagesModule from './packages/purge.sh';
import sshdModule from './sshd-options.sh';

/**
 * Gathers the audit's facts, without changes. Variables: PARTS; SYSCTLS; TOUCH, `yes` to open watched files for writing; LISTENER, the unit
 * of a service in front of the daemon, and LISTENER_FILES, its lists of clients.
 */
export const AUDIT_SCRIPT: string = [
  apiModule,
  sshdModule,
  auditSectionsModule,
  auditHostModule,
  auditReadBackModule,
  auditHardeningModule,
  auditSshdModule,
  auditAccountsModule,
  auditArgumentsModule,
  auditListenerModule,
  auditDockerdModule,
  auditFilesModule,
  auditSoftwareModule,
  auditApiModule,
  auditMainModule,
].join('\n');

/** Prints apt's plan for the packages in NAMES, without changes. */
export const LOOK_PACKAGES_SCRIPT: string = lookPackagesModule;

/** Installs packages. Variables: NAMES; NEW, all packages that apt would install; LIST, the host's list of them. */
export const INSTALL_PACKAGES_SCRIPT: string = [resultModule, installPackagesModule].join('\n');

/** Purges the packages in LIST that no other package needs. */
export const PURGE_PACKAGES_SCRIPT: string = [resultModule, purgePackagesModule].join('\n');

/** Runs Lynis if installed, and leaves nothing behind. */
export const LYNIS_SCRIPT: string = auditLynisModule;

/** Tries the isolation of containers from inside. Variables: SOCKET, the daemon's; PORTS, where its API may answer. */
export const ISOLATION_SCRIPT: string = [
  isolationProbesModule,
  isolationImageModule,
  isolationRemoveModule,
  isolationWaysModule,
  isolationMainModule,
].join('\n');
