/** The text of the units that docker-tls writes: the drop-in for docker.service, our socket unit, and the service that a connection starts. */

import { DROP_IN_NAME } from './paths.ts';

export type DropIn = {
  /** The whole command line. */
  readonly execStart: string;
  /** Sockets that systemd hands to the daemon; empty where it listens by itself. */
  readonly sockets: readonly string[];
  /** A command without whose success dockerd does not start. */
  readonly check?: string | undefined;
};

const HEADER = '# Written by docker-tls.';

/** The drop-in for docker.service. ExecStart is emptied first: a service of Type=notify may have only one (systemd.service(5)). */
export function renderDropIn(dropIn: DropIn): string {
  return [
    `${HEADER} Changes made here are shown as drift by \`docker-tls plan\`.`,
    '# `docker-tls remove HOST` takes it away again.',
    '[Service]',
    ...(dropIn.sockets.length > 0 ? [`Sockets=${dropIn.sockets.join(' ')}`] : []),
    ...(dropIn.check === undefined ? [] : [`ExecStartPre=${dropIn.check}`]),
    'ExecStart=',
    `ExecStart=${dropIn.execStart}`,
    '',
  ].join('\n');
}

/**
 * The socket unit that holds the TLS port, so that clients wait during a restart instead of being refused.
 * `listen`: addresses without a port; none means every address (systemd binds `[::]`, both families).
 * `service`: what a connection starts. It is never docker.service: dockerd takes every socket whose `Service=` it is, and would serve this one
 * without TLS once the drop-in is gone. Only the drop-in, which has the TLS flags, hands the port to dockerd (`Sockets=`).
 * `condition`: the path of our drop-in, or of a service of ours. Without it the port stays closed at boot. FreeBind lets it start before an
 * address exists (a VPN's).
 */
export function renderSocketUnit(
  listen: readonly string[],
  port: number,
  { service, condition }: { readonly service: string; readonly condition: string },
): string {
  const streams = listen.length === 0 ? [`${port}`] : listen.map((address) => `${bracketed(address)}:${port}`);
  return [
    HEADER,
    '[Unit]',
    'Description=Docker API over mutual TLS (docker-tls)',
    `ConditionPathExists=${condition}`,
    '',
    '[Socket]',
    ...streams.map((stream) => `ListenStream=${stream}`),
    // Of a port alone, whatever net.ipv6.bindv6only says.
    ...(listen.length === 0 ? ['BindIPv6Only=both'] : []),
    'FreeBind=true',
    'NoDelay=true',
    `Service=${service}`,
    '',
    '[Install]',
    'WantedBy=sockets.target',
    '',
  ].join('\n');
}

/**
 * The service that a connection to the TLS port starts while dockerd does not run and is not about to: systemd starts nothing where it is.
 * Where docker.socket listens, Docker is started on demand, and so it is by this port. Otherwise it was stopped: the port is closed, until the
 * drop-in (`Sockets=`) opens it at the daemon's next start. The pause is for a start that follows, such as our own after our stop.
 * `dockerd`: systemd gives the port the SELinux label of what its service runs first, and dockerd may use no port with another one's.
 */
export function renderClosedService({
  service,
  sockets,
  systemctl,
  dockerd,
}: {
  readonly service: string;
  readonly dockerd: string;
  readonly sockets: { readonly tls: string; readonly local: string };
  readonly systemctl: string;
}): string {
  return [
    HEADER,
    '[Unit]',
    `Description=Closes the port of ${sockets.tls} while ${service} does not run`,
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=oneshot',
    `ExecStart=-${dockerd} --version`,
    // It may be stopped, or outlive the socket: no unit is to be left as failed.
    `ExecStart=-/bin/sh -c '\\`,
    `  case $$(${systemctl} show -p TriggeredBy ${service}) in *${sockets.tls}*) \\`,
    `    if ${systemctl} -q is-active ${sockets.local}; then exec ${systemctl} --no-block start ${service}; fi; \\`,
    '    sleep 5; \\',
    `    case $$(${systemctl} is-active ${service}) in active|activating|reloading) exit 0 ;; esac ;; \\`,
    '  esac; \\',
    `  echo "The TLS port is closed: ${service} does not run, or its drop-in of docker-tls is gone." \\`,
    `    "It opens when ${service} starts with that drop-in."; \\`,
    `  ${systemctl} --no-block stop ${sockets.tls}'`,
    '',
  ].join('\n');
}

/** An address as it is before `:port`: IPv6 in brackets. */
export function bracketed(address: string): string {
  return address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
}

/**
 * The drop-in's file name: it has to sort after the administrator's own, since the last ExecStart wins
 * (systemd.unit(5): drop-ins of all directories are sorted by name, bytewise). `~` sorts after every letter.
 */
export function dropInName(others: readonly string[]): string {
  let name = DROP_IN_NAME;
  while (others.some((other) => other >= name && name.length < 200)) name = `~${name}`;
  return name;
}

/** Whether a drop-in has a name of ours. An administrator's own may have it too: that one does not begin as ours do. */
export function hasOurName(path: string): boolean {
  return /(^|\/)~*zz-docker-tls\.conf$/.test(path);
}

/** Whether a drop-in that docker-tls has no record of is ours all the same. */
export function isOurDropIn(path: string, text: string): boolean {
  return hasOurName(path) && text.startsWith(HEADER);
}
