/** Hosts whose init runs scripts: how they start dockerd, and the paths of its files. */

import { SYSTEM_PLACES } from '../../../core/domain/dockerd/paths.ts';
import { DOCKER_ENGINE, type HostKind } from '../../../core/domain/plan/host-kind.ts';
import type { KindModules } from '../../../core/host/scripts.ts';

/** Directory of init scripts. */
const INIT_SCRIPTS = '/etc/init.d';

export function openrc(modules: KindModules): HostKind {
  return initScripts(
    'openrc',
    'OpenRC',
    modules,
    'docker',
    ['rc-service', 'docker'],
    'rc-update add docker default',
    '/etc/runlevels/boot/docker-tls-recover',
  );
}

export function sysvinit(modules: KindModules): HostKind {
  return initScripts(
    'sysvinit',
    'sysvinit',
    modules,
    '/etc/init.d/docker',
    ['/etc/init.d/docker'],
    // The first has no effect on a disabled service, the second fails if it is in no runlevel.
    'update-rc.d docker defaults && update-rc.d docker enable',
    '/etc/rcS.d/S99docker-tls-recover',
    `${INIT_SCRIPTS}/.depend.boot`,
  );
}

function initScripts(
  name: 'sysvinit' | 'openrc',
  manager: string,
  modules: KindModules,
  service: string,
  run: readonly string[],
  enable: string,
  link: string,
  list = '',
): HostKind {
  const logged = ['grep', '-s', 'docker-tls', '/var/log/syslog', '/var/log/messages'];
  return {
    name,
    manager,
    modules,
    engine: DOCKER_ENGINE,
    service,
    sockets: { tls: '', local: '' },
    places: SYSTEM_PLACES,
    directory: INIT_SCRIPTS,
    recovery: { file: `${INIT_SCRIPTS}/docker-tls-recover`, link, list },
    start: 'its settings change',
    own: false,
    keepsContainers: true,
    unkept: [],
    asks: true,
    systemctl: [],
    // The `restart` of Debian's script fails if the daemon is stopped. `stop`: OpenRC may have a stale state.
    restart: `${[...run, 'stop'].join(' ')}; ${[...run, 'start'].join(' ')}`,
    enable,
    bringUp: [
      [...run, 'stop'],
      [...run, 'start'],
    ],
    lastWords: 'tail -n 8 /var/log/docker.log 2>/dev/null || true',
    commands: {
      start: [...run, 'start'],
      stop: [...run, 'stop'],
      restart: [...run, 'restart'],
      log: ['tail', '-n', '50', '/var/log/docker.log'],
      ownLog: logged,
      sshdLog: ['grep', '-s', 'sshd', '/var/log/auth.log', '/var/log/messages'],
    },
  };
}
