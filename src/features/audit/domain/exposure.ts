/** TCP exposure of the daemon: from its options, systemd's sockets, and its open ports. */

import { parseListener } from '../../../core/domain/dockerd/command-line.ts';
import { flagged, setting } from '../../../core/domain/dockerd/daemon-options.ts';
import { textAt, textsAt } from '../../../core/domain/json.ts';
import type { AuditFacts } from './audit-facts.ts';
import type { AuditProbe } from './check.ts';

export type Exposed = {
  /** `ADDRESS:PORT`, IPv6 in brackets. */
  readonly address: string;
  readonly port: number;
  readonly loopback: boolean;
  /** Source of the listener. */
  readonly place: string;
};

export function isLoopback(address: string): boolean {
  return /^(127\.|localhost$|::1$|::ffff:(127\.|7f[0-9a-f]{2}:))/.test(address.replace(/^\[|\]$/g, ''));
}

/**
 * True for an API answer: the server accepted the client. 400 is Go's answer to plain HTTP on a TLS port; 401 and 403 are refusals by
 * another program.
 */
export function gotIn({ outcome }: AuditProbe): boolean {
  return outcome.kind === 'accepted' && outcome.status >= 200 && outcome.status < 300;
}

/** Socket units that pass TCP sockets to docker.service. */
function socketUnits(facts: AuditFacts): readonly Exposed[] {
  return [...facts.units].flatMap(([id, unit]) => {
    const feeds = (unit.get('Triggers') ?? []).some((units) => units.split(' ').includes('docker.service'));
    if (!feeds || unit.get('ActiveState')?.[0] !== 'active') return [];
    return (unit.get('Listen') ?? []).flatMap((listen): readonly Exposed[] => {
      const address = /^(.+:\d+) \(Stream\)$/.exec(listen)?.[1];
      if (address === undefined || address.startsWith('/')) return [];
      const { address: host = '', port = 0 } = parseListener(address);
      return [{ address, port, loopback: isLoopback(host), place: unit.get('FragmentPath')?.[0] ?? id }];
    });
  });
}

/** Every TCP address where the daemon serves its API, or is configured to. Ports of containers, swarm and metrics do not count. */
export function exposedAddresses(facts: AuditFacts): readonly Exposed[] {
  const { json } = facts.daemon;
  const configured = [
    ...flagged(facts.daemon, 'hosts').map((text) => ({ text, place: 'command line of dockerd' })),
    ...textsAt(json.values, 'hosts').map((text) => ({ text, place: json.path })),
  ].flatMap(({ text, place }): readonly Exposed[] => {
    const { kind, address, port = 0 } = parseListener(text);
    // Without an address, localhost applies.
    const host = address || 'localhost';
    return kind === 'tcp' && text !== ''
      ? [{ address: `${host}:${port}`, port, loopback: isLoopback(host), place }]
      : [];
  });
  const known = [...configured, ...socketUnits(facts)];
  // Without a userland proxy, dockerd itself holds published ports of containers.
  const published = (facts.docker?.containers ?? []).flatMap(({ ports }) => ports.map(({ hostPort }) => hostPort));
  const others = new Set(published);
  for (const address of setting(facts.daemon, 'metrics-addr')?.values ?? [])
    others.add(parseListener(address).port ?? 0);
  // In swarm mode dockerd also holds service ports. Its options do not show them.
  const unknown = textAt(facts.docker?.info, 'Swarm', 'LocalNodeState') === 'active' ? [] : facts.listeners;
  for (const listener of unknown) {
    if (!listener.byDockerd || others.has(listener.port) || known.some(({ port }) => port === listener.port)) continue;
    const address = listener.address.includes(':') ? `[${listener.address}]` : listener.address;
    known.push({
      address: `${address}:${listener.port}`,
      port: listener.port,
      loopback: isLoopback(listener.address),
      place: 'dockerd',
    });
  }
  return known;
}

/** Ports where Docker's API may answer a container: those of dockerd, and the usual ones. */
export function isolationPorts(facts: AuditFacts): readonly number[] {
  return [...new Set([2375, 2376, ...exposedAddresses(facts).map(({ port }) => port)])];
}
