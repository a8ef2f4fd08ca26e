/** Owns the text of the units that docker-tls writes: the drop-in for docker.service and our socket unit. */

import { DROP_IN_NAME } from './paths.ts';

export type DropIn = {
  /** The whole command line. */
  readonly execStart: string;
  /** Sockets that systemd hands to the daemon; empty where it listens by itself. */
  readonly sockets: readonly string[];
};

const HEADER = '# Written by docker-tls.';

/** The drop-in for docker.service. ExecStart is emptied first: a service of Type=notify may have only one (systemd.service(5)). */
export function renderDropIn(dropIn: DropIn): string {
  return [
    `${HEADER} Changes made here are shown as drift by \`docker-tls plan\`.`,
    '# `docker-tls remove HOST` takes it away again.',
    '[Service]',
    ...(dropIn.sockets.length > 0 ? [`Sockets=${dropIn.sockets.join(' ')}`] : []),
    'ExecStart=',
    `ExecStart=${dropIn.execStart}`,
    '',
  ].join('\n');
}

/**
 * The socket unit that holds the TLS port, so that clients wait during a restart instead of being refused.
 * `listen`: addresses without a port; none means every address (systemd binds `[::]`, both families).
 * `condition`: the path of our drop-in, or of a service of ours. FreeBind lets it start before an address exists (a VPN's). Without the drop-in
 * (deleted by hand) dockerd would take the port without TLS, open to every client: then it does not listen.
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
