/** TCP ports that accept every client: closed at setup, and reopened when docker-tls is removed. */

import { DockerTlsError } from '../../../errors/errors.ts';
import { viewDaemon } from './daemon-view.ts';
import type { HostFacts } from './facts.ts';
import type { FileChange } from './file-change.ts';
import type { PathState } from './host-files.ts';

/** A TCP address and its socket unit. */
type SocketPort = { readonly address: string; readonly unit: string };

/** TCP ports of other socket units that pass their connections to dockerd. */
export function socketPorts(facts: HostFacts): SocketPort[] {
  return facts.docker.otherSockets.flatMap(({ unit, listens }) =>
    listens.filter(isTcp).map((address) => ({ address, unit })),
  );
}

/** TCP ports of the unit of the daemon's local socket. */
export function localSocketPorts({ docker }: HostFacts): string[] {
  return docker.socket.active === 'active' ? docker.socketListens.filter(isTcp) : [];
}

/** TCP addresses of the daemon by its own configuration, with or without TLS. */
export function daemonPorts(facts: HostFacts): string[] {
  const { listeners } = viewDaemon(facts);
  return [
    ...listeners.filter(({ kind }) => kind === 'tcp').map(({ text }) => text),
    ...socketPorts(facts).map(({ address, unit }) => `${address} (${unit})`),
  ];
}

function isTcp(address: string): boolean {
  return /:\d+$/.test(address) && !/^[/@]/.test(address);
}

/** TCP addresses on which dockerd requires no client certificate, after `remove` has restored `files`. */
export function plainTcpAfter(facts: HostFacts, files: readonly FileChange[]): string[] {
  const states = files.map((change): [string, PathState] => [change.path, stateAfter(change)]);
  const after = viewDaemon({ ...facts, files: new Map([...facts.files, ...states]) });
  if (after.tlsVerified) return [];
  const sockets = after.listeners.some(({ kind }) => kind === 'fd') ? socketPorts(facts) : [];
  return [
    ...after.listeners.filter(({ kind }) => kind === 'tcp').map(({ text }) => text),
    ...sockets.map(({ address, unit }) => `${address} (${unit})`),
  ];
}

function stateAfter({ kind, mode, owner, after = '', to = '' }: FileChange): PathState {
  if (kind === 'file') return { kind, mode, owner, content: after };
  return kind === 'link' ? { kind, to } : { kind: 'absent' };
}

export function plainTcpWarnings(opens: readonly string[]): string[] {
  return opens.map(
    (address) =>
      `${address} opens again, as before setup: it accepts every client without a certificate, and each of them is root on the host`,
  );
}

/** Error for a change that opens such ports; empty if there are none. */
export function plainTcpProblem({
  host,
  opens,
  purpose,
}: {
  readonly host: string;
  readonly opens: readonly string[];
  readonly purpose: 'apply' | 'rollback' | 'remove';
}): DockerTlsError[] {
  if (opens.length === 0) return [];
  const ports = opens.join(' and ');
  const [message, hints] =
    purpose === 'apply'
      ? [
          `dockerd would accept every client without a certificate on ${ports}: this listener leaves its configuration alone`,
          [
            `where docker-tls has set the host up, restore its own configuration: docker-tls remove ${host} --allow-plain-tcp`,
            'then remove those listeners from it',
            `or let dockerd accept clients: docker-tls setup ${host} --listener dockerd`,
          ],
        ]
      : [
          `the configuration from before setup opens ${ports} to every client without a certificate`,
          [
            `to see the changes: docker-tls remove ${host} --dry-run`,
            `to open it again: docker-tls remove ${host} --allow-plain-tcp`,
          ],
        ];
  return [new DockerTlsError('E_OPENS_PLAIN_TCP', message, { where: host, hints })];
}
