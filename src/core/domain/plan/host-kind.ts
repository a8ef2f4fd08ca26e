/**
 * The kinds of hosts: how a service manager starts dockerd, and where a change finds its files. What is special about a kind is
 * in tables by its name: this one, how its daemon is read (daemon-view.ts), what is put there (daemon-files.ts), what prevents a change
 * (preflight.ts), and its modules of the scripts (src/core/host/scripts.ts). A kind that misses in one of them does not compile.
 */

import type { KindName } from '../../host/scripts.ts';
import {
  INIT_SCRIPTS,
  type Places,
  PODMAN_PLACES,
  PODMAN_SERVICE,
  PODMAN_SOCKET,
  SOCKET_UNIT,
  SYSTEM_PLACES,
} from '../dockerd/paths.ts';
import { PODMAN_TRUST } from '../dockerd/podman-units.ts';

/** What serves the API there. */
export type Engine = {
  readonly title: 'Docker' | 'Podman';
  /** Its program, as messages call it. */
  readonly program: 'dockerd' | 'podman';
  /** The flag of its command line that names our trust file. */
  readonly trust: string;
  /** It has daemon.json, with live-restore in it and what else hardening sets. */
  readonly configurable: boolean;
  /** Its service is ours, and is there only while docker-tls is; no container depends on it. */
  readonly apart: boolean;
  /** Its own client, where that is another than docker: a setup ends with the commands that point it at the host. */
  readonly client?: 'podman';
};

const DOCKER: Engine = {
  title: 'Docker',
  program: 'dockerd',
  trust: '--tlscacert',
  configurable: true,
  apart: false,
};
const PODMAN: Engine = {
  title: 'Podman',
  program: 'podman',
  trust: PODMAN_TRUST,
  configurable: false,
  apart: true,
  client: 'podman',
};

export type HostKind = {
  readonly name: KindName;
  readonly engine: Engine;
  /** The daemon's service, as messages call it. */
  readonly service: string;
  /** Units, empty where there are none: ours, which holds the TLS port, and the one of the local socket. */
  readonly sockets: { readonly tls: string; readonly local: string };
  /** Where its daemon's files are. */
  readonly places: Places;
  /** Holds its units or init scripts. */
  readonly directory: string;
  /** What the next boot runs before the daemon when a change is under way, the link that makes it run, and a list that has to name it (empty: none). */
  readonly recovery: { readonly file: string; readonly link: string; readonly list: string };
  /** What of its own says how the daemon is started: in the reason of a restart. */
  readonly start: string;
  /** The daemon is a user's own (rootless): nothing of it is root's, and RootlessKit has it in namespaces, so that a script hands it its port. */
  readonly own: boolean;
  /** Containers keep running over a restart of the daemon, with live-restore. */
  readonly keepsContainers: boolean;
  /** What a restart of the daemon does that another kind prevents: a plan warns of it. */
  readonly unkept: readonly string[];
  /** The daemon is up once it answers: its service says nothing of that. */
  readonly asks: boolean;
  /** What a host says to run, where its daemon could not be started anew. */
  readonly restart: string;
  /** Shell text that has a boot start the daemon. */
  readonly enable: string;
  /** Commands that bring up a daemon that is down. */
  readonly bringUp: readonly (readonly string[])[];
  /** Shell text that prints the daemon's last log lines. */
  readonly lastWords: string;
  /** The words of systemctl, where there is one: it is the user's own where the daemon is. */
  readonly systemctl: readonly string[];
  /** Words of commands, to be run as the user that the daemon belongs to. */
  readonly commands: Readonly<Record<'start' | 'stop' | 'restart' | 'log' | 'ownLog' | 'sshdLog', readonly string[]>>;
};

const journal = (lines: number, ...of: readonly string[]): string[] => [
  'journalctl',
  ...of,
  '-n',
  `${lines}`,
  '--no-pager',
];

/** The units of a kind. `boot`: the target that starts what a boot needs first; `whose`: the option for the systemd of a user. */
type KindUnits = Pick<HostKind, 'service' | 'sockets'> & { readonly boot: string; readonly whose: readonly string[] };

const ROOT_UNITS: KindUnits = {
  service: 'docker.service',
  sockets: { tls: SOCKET_UNIT, local: 'docker.socket' },
  boot: 'sysinit.target',
  whose: [],
};

const HOST_KINDS: Readonly<Record<KindName, (places: Places) => HostKind>> = {
  systemd: () => units('systemd', DOCKER, ROOT_UNITS, SYSTEM_PLACES),
  sysvinit: () =>
    initScripts(
      'sysvinit',
      '/etc/init.d/docker',
      ['/etc/init.d/docker'],
      // The first does nothing where it is switched off, the second fails where it is in no runlevel.
      'update-rc.d docker defaults && update-rc.d docker enable',
      '/etc/rcS.d/S99docker-tls-recover',
      `${INIT_SCRIPTS}/.depend.boot`,
    ),
  openrc: () =>
    initScripts(
      'openrc',
      'docker',
      ['rc-service', 'docker'],
      'rc-update add docker default',
      '/etc/runlevels/boot/docker-tls-recover',
    ),
  podman: () =>
    units(
      'podman',
      PODMAN,
      { ...ROOT_UNITS, service: PODMAN_SERVICE, sockets: { tls: PODMAN_SOCKET, local: '' } },
      PODMAN_PLACES,
    ),
  rootless: (places) => ({
    ...units('rootless', DOCKER, { ...ROOT_UNITS, boot: 'basic.target', whose: ['--user'] }, places),
    own: true,
    keepsContainers: false,
    unkept: [
      'containers run in the namespaces of this daemon and stop with it, live-restore or not',
      'nothing holds connections back before the restart: one that dockerd has just taken may be cut',
    ],
  }),
};

function units(name: KindName, engine: Engine, { service, sockets, boot, whose }: KindUnits, places: Places): HostKind {
  const short = service.replace(/\.service$/, '');
  const systemctl = ['systemctl', ...whose];
  return {
    name,
    engine,
    service,
    sockets,
    places,
    directory: places.units,
    recovery: {
      file: `${places.units}/docker-tls-recover.service`,
      link: `${places.units}/${boot}.wants/docker-tls-recover.service`,
      list: '',
    },
    start: 'its units change',
    own: false,
    keepsContainers: true,
    unkept: [],
    asks: false,
    systemctl,
    restart: `${systemctl.join(' ')} daemon-reload && ${systemctl.join(' ')} restart ${service}`,
    enable: [...systemctl, 'enable', service].join(' '),
    lastWords: `${['journalctl', ...whose].join(' ')} -u ${short} -n 8 --no-pager -o cat 2>/dev/null || true`,
    // The socket does not start under a daemon that runs.
    bringUp: [
      [...systemctl, 'reset-failed', short, sockets.tls],
      [...systemctl, 'stop', short],
      [...systemctl, 'start', sockets.tls, short],
    ],
    commands: {
      start: [...systemctl, 'start', service],
      stop: [...systemctl, 'stop', service],
      restart: [...systemctl, 'restart', service],
      log: journal(50, ...whose, '-u', service, '-u', sockets.tls),
      ownLog: journal(20, ...whose, '-t', 'docker-tls'),
      sshdLog: journal(50, '-u', 'ssh.service', '-u', 'sshd.service'),
    },
  };
}

function initScripts(
  name: KindName,
  service: string,
  run: readonly string[],
  enable: string,
  link: string,
  list = '',
): HostKind {
  const logged = ['grep', '-s', 'docker-tls', '/var/log/syslog', '/var/log/messages'];
  return {
    name,
    engine: DOCKER,
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
    // The `restart` of Debian's script fails where the daemon is down. `stop`: OpenRC may believe that it runs.
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

/** A host whose service manager is none of these is refused by the preflight; until then it is read as one of systemd. */
export function kindOf({
  kind = 'systemd',
  places = SYSTEM_PLACES,
}: {
  readonly kind?: KindName | undefined;
  readonly places?: Places;
}): HostKind {
  return HOST_KINDS[kind](places);
}
