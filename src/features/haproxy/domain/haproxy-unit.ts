/** Service that runs HAProxy in front of the daemon, and the check of its configuration. */

import { shellQuote } from '../../../core/domain/quote.ts';
import { programUnit } from './socket-units.ts';

/** Its directory for control sockets, below /run. */
export const RUNTIME_DIRECTORY = 'docker-tls-haproxy';

/** Paths of a listener's files on a host. */
export type HaproxyPlaces = {
  readonly config: string;
  readonly clients: string;
  /** SHA-256 of the chains that clients of our CAs send. */
  readonly issuers: string;
  /** Directory of the credentials. */
  readonly credentials: string;
};

export type HaproxyService = {
  readonly program: string;
  /** Unit that holds the ports in the network, and their number. */
  readonly socket: string;
  readonly binds: number;
  /** Unit that brings the daemon's socket. `pulled`: it is ours, and starts whenever HAProxy does. */
  readonly after: string;
  readonly pulled: boolean;
  /** Names of the sockets for programs on the host. */
  readonly names: readonly string[];
  readonly places: HaproxyPlaces;
  /** Of a user's systemd: it can confine a service only in part. */
  readonly own: boolean;
};

/** Its configuration names paths and ports by environment variables, so that it can be checked before it is in place. */
export function haproxyEnvironment(
  { config: _, ...places }: HaproxyPlaces,
  listen: (index: number) => string,
  sockets: number,
): Readonly<Record<string, string>> {
  const ports = Array.from({ length: sockets }, (_, index) => [`LISTEN${index + 3}`, listen(index)] as const);
  return { ...Object.fromEntries(ports), TLS: places.credentials, CLIENTS: places.clients, ISSUERS: places.issuers };
}

/** systemd passes the sockets as descriptors 3 and following (sd_listen_fds(3)). */
export function renderHaproxyService(service: HaproxyService): string {
  const { program, socket, binds, after, pulled, names, places, own } = service;
  // In a directory that only root may enter.
  const nowhere = (index: number) => `unix@%t/${RUNTIME_DIRECTORY}/LISTEN${index + 3}`;
  const listen = (index: number) => (index < binds ? `fd@${index + 3}` : nowhere(index));
  const environment = haproxyEnvironment(places, listen, binds + names.length);
  const local = names.map(programUnit);
  const units = [...(binds > 0 ? [socket] : []), ...local].join(' ');
  // Named by the process, for commands to it.
  const run = `${program} -Ws -S %t/${RUNTIME_DIRECTORY}/$$$$.sock,mode,600 -f ${places.config}`;
  return [
    '# Written by docker-tls. Changes made here are shown as drift by `docker-tls plan`.',
    '# `docker-tls remove HOST` takes it away again.',
    '[Unit]',
    'Description=Docker API over mutual TLS, by HAProxy (docker-tls)',
    ...(binds > 0 ? [`Requires=${socket}`] : []),
    // A socket that cannot listen, or is stopped by hand, keeps nobody else from the daemon.
    ...(local.length > 0 ? [`Wants=${local.join(' ')}`] : []),
    `After=${units} ${after}`,
    // A client may start HAProxy before that: without a job to wait for, it would find no socket and refuse the client.
    ...(pulled ? [`Wants=${after}`] : []),
    // A service that gives up closes the port for good.
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=notify',
    `Sockets=${units}`,
    ...Object.entries(environment).map(([name, value]) => `Environment=${name}=${value}`),
    `RuntimeDirectory=${RUNTIME_DIRECTORY}`,
    'RuntimeDirectoryMode=0700',
    ...startByName(run, socket, binds, names),
    'ExecReload=/bin/kill -USR2 $MAINPID',
    'KillMode=mixed',
    'TimeoutStopSec=5',
    'SuccessExitStatus=143',
    'Restart=always',
    'RestartSec=1',
    // The log says who did what: no client may fill its limit.
    'LogRateLimitIntervalSec=0',
    'LimitNOFILE=65536',
    'NoNewPrivileges=yes',
    'LockPersonality=yes',
    'RestrictRealtime=yes',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6',
    'SystemCallArchitectures=native',
    ...(own
      ? []
      : [
          'CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_KILL CAP_CHOWN CAP_FOWNER',
          'ProtectSystem=strict',
          'ProtectHome=yes',
          'PrivateTmp=yes',
          'PrivateDevices=yes',
          'ProtectClock=yes',
          'ProtectControlGroups=yes',
          'ProtectHostname=yes',
          'ProtectKernelLogs=yes',
          'ProtectKernelModules=yes',
          'ProtectKernelTunables=yes',
          'RestrictNamespaces=yes',
          'RestrictSUIDSGID=yes',
        ]),
    '',
    '[Install]',
    `WantedBy=${own ? 'default' : 'multi-user'}.target`,
    '',
  ].join('\n');
}

/**
 * systemd passes the descriptors in any order, each with a name (those of the network have the name of their unit), and also those of a
 * socket that HAProxy no longer has, or does not have yet: a role's socket must never be taken for the port. A port that has not come has no
 * value, which HAProxy refuses; a role's socket keeps the one of the unit.
 */
function startByName(run: string, socket: string, binds: number, names: readonly string[]): string[] {
  const ports = Array.from({ length: binds }, (_, index) => `LISTEN${index + 3}`);
  return [
    "ExecStart=/bin/sh -c '\\",
    ...(binds > 0 ? [`  unset ${ports.join(' ')}; \\`] : []),
    '  at=3; net=3; IFS=:; \\',
    '  for name in $$LISTEN_FDNAMES; do \\',
    '    case $$name in \\',
    ...(binds > 0 ? [`      "${socket}") export LISTEN$$net=fd@$$at; net=$$((net + 1)) ;; \\`] : []),
    ...names.map((name, index) => `      "${name}") export LISTEN${binds + index + 3}=fd@$$at ;; \\`),
    '    esac; \\',
    '    at=$$((at + 1)); \\',
    '  done; \\',
    `  exec ${run}'`,
  ];
}

/** Address of a socket for a check: HAProxy refuses port 0, and descriptors that it does not have. */
function checkedAt(index: number): string {
  return `127.0.0.1:${index + 1}`;
}

/** Shell command that checks the configuration; `places`: where its files are until they are in their places. */
export function checkCommand(program: string, places: HaproxyPlaces, sockets: number): string {
  return checkWith(program, haproxyEnvironment(places, checkedAt, sockets), places.config);
}

/** The same for a unit as `renderHaproxyService` wrote it once; undefined: it did not. */
export function checkRestored(unit: string, at: (path: string) => string, credentials: string): string | undefined {
  const [, program, config] = /^(?:ExecStart=| {2}exec )(\/\S+) -Ws -S \S+ -f ([^\s']+)'?$/m.exec(unit) ?? [];
  if (program === undefined || config === undefined) return undefined;
  const entries = [...unit.matchAll(/^Environment=([A-Z]+)(\d*)=(.+)$/gm)].map(
    ([, name = '', index = '', value = '']) => {
      if (name === 'LISTEN') return [`${name}${index}`, checkedAt(Number(index) - 3)];
      return [`${name}${index}`, name === 'TLS' ? credentials : at(value)];
    },
  );
  return checkWith(program, Object.fromEntries(entries), at(config));
}

function checkWith(program: string, environment: Readonly<Record<string, string>>, config: string): string {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return ['env', ...variables, program, '-c', '-f', config].map(shellQuote).join(' ');
}
