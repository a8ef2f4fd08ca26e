/** Unit files of docker-tls: the drop-in for docker.service, the socket unit, and the service that a connection starts. */

import { DROP_IN_NAME } from './paths.ts';
import { unitWord } from './unit.ts';

export type DropIn = {
  /** Full command line. */
  readonly execStart: string;
  /** Sockets that systemd passes to the daemon; empty if the daemon listens itself. */
  readonly sockets: readonly string[];
  /** Command that must succeed before dockerd starts (ExecStartPre). */
  readonly check?: string | undefined;
};

const HEADER = '# Written by docker-tls.';

/** The drop-in for docker.service. It clears ExecStart first: a Type=notify service may have only one (systemd.service(5)). */
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
 * `listen`: addresses without a port; empty means every address (systemd binds `[::]`, both families).
 * `service`: the unit that a connection starts, never docker.service. dockerd takes every socket whose `Service=` names it, so it would
 * serve this one without TLS once the drop-in is removed. Only the drop-in, which has the TLS flags, passes the port to dockerd
 * (`Sockets=`).
 * `condition`: the path of our drop-in or service; if it is missing, the port stays closed at boot. FreeBind lets the socket start before
 * an address exists (a VPN's).
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
    // For a bare port, whatever net.ipv6.bindv6only is.
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
 * The service that a connection to the TLS port starts while dockerd is stopped; systemd does not start it while dockerd runs or starts.
 * If docker.socket listens, Docker starts on demand, so this port starts it too. Otherwise the port closes until the drop-in (`Sockets=`)
 * opens it at the daemon's next start. The pause covers a start that follows, such as ours after our stop.
 * `dockerd`: systemd gives the port the SELinux label of the service's first program, and dockerd may only use a port with its own label.
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
    // Else systemd makes the shared socket blocking when it starts a command here, and a dockerd that accepts on it by then cannot stop.
    'NonBlocking=true',
    `ExecStart=-${unitWord(dockerd)} --version`,
    // It may be stopped or outlive the socket, and must not leave a failed unit.
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

/** An address as written before `:port`: IPv6 in brackets. */
export function bracketed(address: string): string {
  return address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
}

/**
 * File name of the drop-in. It must sort after the administrator's drop-ins, since the last ExecStart wins
 * (systemd.unit(5): drop-ins of all directories are sorted by name, bytewise). `~` sorts after every letter.
 */
export function dropInName(others: readonly string[]): string {
  let name = DROP_IN_NAME;
  while (others.some((other) => other >= name && name.length < 200)) name = `~${name}`;
  return name;
}

/** Whether a drop-in has our file name. An administrator's drop-in may share the name but lacks our header. */
export function hasOurName(path: string): boolean {
  return /(^|\/)~*zz-docker-tls\.conf$/.test(path);
}

/** Whether a drop-in without a record was written by docker-tls. */
export function isOurDropIn(path: string, text: string): boolean {
  return hasOurName(path) && text.startsWith(HEADER);
}
