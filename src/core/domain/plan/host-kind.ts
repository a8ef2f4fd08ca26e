/**
 * Host kinds: how a service manager starts dockerd, the paths of its files, and the modules of its scripts. What is no data is in other tables by
 * kind: start command (daemon-start.ts), files (daemon-files.ts), obstacles (preflight-service.ts), validation (validation.ts).
 */

import { DockerTlsError } from '../../../errors/errors.ts';
import { BY_SYSTEMD, type KindModules } from '../../host/scripts.ts';
import { type Places, SOCKET_UNIT, SYSTEM_PLACES } from '../dockerd/paths.ts';
import { byKind, KIND_NAMES, type KindName } from './by-kind.ts';

/** Server of the Docker API. */
type ContainerEngine = {
  readonly title: string;
  /** Program name in messages. */
  readonly program: string;
  /** Command line flag that names the trust file. */
  readonly trust: string;
  /** Has daemon.json, with live-restore and the settings of hardening. */
  readonly configurable: boolean;
  /** The service is ours and exists only while docker-tls manages the host; no container depends on it. */
  readonly apart: boolean;
  /** Path of the socket for a listener in front of it; absent: its local one. */
  readonly behind?: string;
  /** Its client, if not docker: a setup ends with the commands that point it at the host. */
  readonly client?: string;
};

export const DOCKER_ENGINE: ContainerEngine = {
  title: 'Docker',
  program: 'dockerd',
  trust: '--tlscacert',
  configurable: true,
  apart: false,
};

export type HostKind = {
  readonly name: KindName;
  /** Name of the service manager in messages. */
  readonly manager: string;
  readonly modules: KindModules;
  readonly engine: ContainerEngine;
  /** Name of the daemon's service in messages. */
  readonly service: string;
  /** Socket units, empty if there are none: ours, which holds the TLS port, and that of the local socket. */
  readonly sockets: { readonly tls: string; readonly local: string };
  /** Paths of the daemon's files. */
  readonly places: Places;
  /** Directory of its units or init scripts. */
  readonly directory: string;
  /**
   * Run by the next boot before the daemon if a change is in progress: the file, the link that starts it, and a list that must name it
   * (empty: none).
   */
  readonly recovery: { readonly file: string; readonly link: string; readonly list: string };
  /** Changed start settings, in words, as the reason of a restart. */
  readonly start: string;
  /** Rootless daemon of a user: nothing runs as root. RootlessKit runs it in namespaces, so a script passes its port to it. */
  readonly own: boolean;
  /** live-restore keeps containers running during a daemon restart. */
  readonly keepsContainers: boolean;
  /** Warnings for the plan about effects of a restart that other kinds prevent. */
  readonly unkept: readonly string[];
  /** The daemon is up once it answers; its service manager does not report readiness. */
  readonly asks: boolean;
  /** Command that a host shows if its daemon could not be restarted. */
  readonly restart: string;
  /** Shell text that enables the daemon at boot. */
  readonly enable: string;
  /** Commands that start a stopped daemon. */
  readonly bringUp: readonly (readonly string[])[];
  /** Shell text that prints the daemon's last log lines. */
  readonly lastWords: string;
  /** Words of systemctl if it exists; `--user` for a rootless daemon. */
  readonly systemctl: readonly string[];
  /** Words of commands, to run as the daemon's user. */
  readonly commands: Readonly<Record<'start' | 'stop' | 'restart' | 'log' | 'ownLog' | 'sshdLog', readonly string[]>>;
};

const journal = (lines: number, ...of: readonly string[]): string[] => [
  'journalctl',
  ...of,
  '-n',
  `${lines}`,
  '--no-pager',
];

/** Units of a kind. `boot`: the target that starts early boot units; `whose`: the option for a user's systemd. */
type KindUnits = Pick<HostKind, 'service' | 'sockets'> & { readonly boot: string; readonly whose: readonly string[] };

export const ROOT_UNITS: KindUnits = {
  service: 'docker.service',
  sockets: { tls: SOCKET_UNIT, local: 'docker.socket' },
  boot: 'sysinit.target',
  whose: [],
};

/** The kinds that this build knows. */
export const KINDS = byKind<(places: Places) => HostKind>(() =>
  kindByUnits('systemd', DOCKER_ENGINE, ROOT_UNITS, SYSTEM_PLACES, BY_SYSTEMD),
);

/** A kind that a systemd starts. */
export function kindByUnits(
  name: KindName,
  engine: ContainerEngine,
  { service, sockets, boot, whose }: KindUnits,
  places: Places,
  modules: KindModules,
): HostKind {
  const short = service.replace(/\.service$/, '');
  const systemctl = ['systemctl', ...whose];
  return {
    name,
    manager: 'systemd',
    modules,
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
    // The socket does not start while the daemon runs.
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

/** The kind from the facts. The preflight refuses unknown service managers; until then such a host is read as a systemd one. */
export function kindOf({
  kind = 'systemd',
  places = SYSTEM_PLACES,
}: {
  readonly kind?: KindName | undefined;
  readonly places?: Places;
}): HostKind {
  return KINDS.of(kind)(places);
}

/** A host on record as of a kind that this build does not know: changes for another kind would leave its daemon as it is, or change another. */
export function unknownKind(name: KindName, where?: string): DockerTlsError {
  return new DockerTlsError('E_HOST_KIND', `its kind is ${name}, which this build of docker-tls cannot manage`, {
    where,
    hints: ['install a docker-tls with all features: docs/install.md'],
  });
}

/** Fails with E_HOST_KIND (exit 4) if the managed files have the service of a kind that this build does not know. */
export function requireKnownKind(
  managed: readonly { readonly path: string }[] = [],
  known: Pick<ReadonlyMap<KindName, unknown>, 'has'> = KINDS.entries,
): void {
  for (const name of KIND_NAMES)
    if (!known.has(name) && managed.some(({ path }) => path.endsWith(`/docker-tls-${name}.service`)))
      throw unknownKind(name);
}

/** Service managers of the kinds that this build knows, systemd first. */
export function managers(): string[] {
  return [...new Set([...KINDS.entries.values()].map((about) => about(SYSTEM_PLACES).manager))];
}
