/** Paths of all docker-tls files on a host, for root's daemon and for rootless ones. */

/** systemd's directory for the administrator's units. */
export const UNITS = '/etc/systemd/system';
/** One directory per generation, and `current`, a link to the active one. */
export const TLS_DIRECTORY = '/etc/docker/tls';
export const CURRENT_LINK = `${TLS_DIRECTORY}/current`;
/** Our records on the host: origin, generations, and the transaction in progress. */
export const STATE = '/var/lib/docker-tls';
/** Packages installed by `harden --install`, one per line. */
export const PACKAGE_LIST = `${STATE}/packages`;
/** Packages installed for a listener. */
export const LISTENER_PACKAGE_LIST = `${STATE}/listener-packages`;
export const SOCKET_UNIT = 'docker-tls.socket';
/** Started by a connection to that socket while dockerd is stopped. */
export const CLOSED_SERVICE = 'docker-tls-closed.service';

/** Accepts TLS clients in front of the daemon, if it is not the daemon itself. */
export const LISTENER_SERVICE = 'docker-tls-haproxy.service';
/** Its clients and their roles, one in a line, beside its configuration. */
export const LISTENER_CLIENTS = 'clients.map';

export const DROP_IN_DIRECTORY = `${UNITS}/docker.service.d`;
/** Installs the firewall rule for loopback packets before each start of dockerd. */
export const LOOPBACK_DROP_IN = `${DROP_IN_DIRECTORY}/docker-tls-loopback.conf`;
export const DROP_IN_NAME = 'zz-docker-tls.conf';

/** Paths of a daemon's files. A rootless daemon's are below the user's home; files that last until the next boot are in the user's /run. */
export type Places = {
  /** The service manager's directory for units of the daemon's user. */
  readonly units: string;
  readonly dropIns: string;
  readonly socket: string;
  readonly socketWants: string;
  /** Started by a connection to our socket while dockerd is stopped. */
  readonly closed: string;
  /** One directory per generation, and `current`. */
  readonly tls: string;
  readonly current: string;
  readonly state: string;
  /** Held during a transaction; below /run, so that a reboot releases it. */
  readonly lock: string;
  /** Script that passes systemd's port to a rootless dockerd. */
  readonly listen: string;
  /** Directory in memory. */
  readonly run: string;
  /** dockerd's default configuration file and socket. */
  readonly daemonJson: string;
  readonly localSocket: string;
};

function placesIn(units: string, configuration: string, state: string, run: string, localSocket: string): Places {
  return {
    units,
    dropIns: `${units}/docker.service.d`,
    socket: `${units}/${SOCKET_UNIT}`,
    socketWants: `${units}/sockets.target.wants/${SOCKET_UNIT}`,
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

/** Paths of a rootless daemon; `run`: the user's directory in /run. */
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
