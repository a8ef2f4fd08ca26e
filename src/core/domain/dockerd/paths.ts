/** The names of everything that docker-tls puts on a host, of root's daemon and of a user's own. */

/** Systemd's directory for an administrator's units. */
export const UNITS = '/etc/systemd/system';
/** Where init finds its scripts, on a host without systemd. */
export const INIT_SCRIPTS = '/etc/init.d';
/** One directory per generation, and `current`, a link to the active one. */
export const TLS_DIRECTORY = '/etc/docker/tls';
export const CURRENT_LINK = `${TLS_DIRECTORY}/current`;
/** Our own records on the host: origin, generations, and the transaction under way. */
export const STATE = '/var/lib/docker-tls';
/** Packages that `harden --install` installed, one a line. */
export const PACKAGE_LIST = `${STATE}/packages`;
export const SOCKET_UNIT = 'docker-tls.socket';
/** What a connection to that socket starts while dockerd does not run. */
export const CLOSED_SERVICE = 'docker-tls-closed.service';
/** Ours; its name sorts before those that others give to the first of theirs (00-base.conf): the first value that sshd reads wins. */
export const SSHD_DROP_IN = '/etc/ssh/sshd_config.d/0-docker-tls.conf';

/** On a host where Podman serves the API: a service of our own, and what starts both at boot. */
export const PODMAN_SERVICE = 'docker-tls-podman.service';
export const PODMAN_SOCKET = 'docker-tls-podman.socket';

export const DROP_IN_DIRECTORY = `${UNITS}/docker.service.d`;
/** Brings the rule for packets to the loopback before each start of dockerd. */
export const LOOPBACK_DROP_IN = `${DROP_IN_DIRECTORY}/docker-tls-loopback.conf`;
/** Where an interface routes packets for 127.0.0.0/8. Without docker-proxy, dockerd sets it on its bridges, and never sets it back. */
export const ROUTE_LOCALNET = 'net.ipv4.conf.*.route_localnet';
export const DROP_IN_NAME = 'zz-docker-tls.conf';

/** Where a daemon's files are. A user's own daemon has them below their home, and what only has to last until the next boot in their /run. */
export type Places = {
  /** The service manager's directory for units of the daemon's user. */
  readonly units: string;
  readonly dropIns: string;
  readonly socket: string;
  readonly socketWants: string;
  /** What a connection to our socket starts while dockerd does not run. */
  readonly closed: string;
  /** One directory per generation, and `current`. */
  readonly tls: string;
  readonly current: string;
  readonly state: string;
  /** Held during a transaction; below /run, so that a reboot ends it. */
  readonly lock: string;
  /** The script by which a user's own dockerd gets the port that systemd holds. */
  readonly listen: string;
  /** In memory. */
  readonly run: string;
  /** What dockerd reads and listens on by default. */
  readonly daemonJson: string;
  readonly localSocket: string;
};

function placesIn(
  units: string,
  configuration: string,
  state: string,
  run: string,
  localSocket: string,
  { service, socket } = { service: 'docker.service', socket: SOCKET_UNIT },
): Places {
  return {
    units,
    dropIns: `${units}/${service}.d`,
    socket: `${units}/${socket}`,
    socketWants: `${units}/sockets.target.wants/${socket}`,
    closed: `${units}/${CLOSED_SERVICE}`,
    tls: `${configuration}/tls`,
    current: `${configuration}/tls/current`,
    state,
    lock: `${run}/docker-tls.lock`,
    listen: `${configuration}/docker-tls-listen.sh`,
    run,
    daemonJson: `${configuration}/daemon.json`,
    localSocket,
  };
}

export const SYSTEM_PLACES: Places = placesIn(UNITS, '/etc/docker', STATE, '/run', '/var/run/docker.sock');

/** Where Podman serves the API. */
export const PODMAN_PLACES: Places = placesIn(UNITS, '/etc/docker', STATE, '/run', '/run/podman/podman.sock', {
  service: PODMAN_SERVICE,
  socket: PODMAN_SOCKET,
});

/** Of a user's own daemon; `run`: their directory in /run. */
export function userPlaces(home: string, run: string): Places {
  return placesIn(
    `${home}/.config/systemd/user`,
    `${home}/.config/docker`,
    `${home}/.local/share/docker-tls`,
    run,
    `${run}/docker.sock`,
  );
}

export const SERVER_FILES = { ca: 'ca.pem', cert: 'server-cert.pem', key: 'server-key.pem' } as const;
