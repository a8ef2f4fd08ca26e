/** Stages of a CA rotation, derived from stored data, so that any operator can resume at any point. */

import { inspectCertificate, isFrom, isUnder, splitBundle } from '../../../core/domain/pki/inspect.ts';
import { renewal } from '../../../core/domain/pki/renewal.ts';
import { type CaId, certificateIds } from '../../../core/domain/trust/ca-id.ts';

type RotationHost = {
  readonly name: string;
  /** The host's current trust file. */
  readonly trust: string;
  /** The trust file differs from the one for accepting old and new (or, after the drop, only new). */
  readonly outdated: boolean;
  /** CAs that belong in it. */
  readonly wanted: readonly CaId[];
  readonly serverCert: string;
};

type RotationClient = {
  readonly name: string;
  readonly cert: string;
  readonly revoked: boolean;
};

export type RotationInput = {
  /** The CA that issues now. */
  readonly ca: string;
  /** Former issuing CAs that are still trusted. */
  readonly oldCas: readonly string[];
  readonly hosts: readonly RotationHost[];
  readonly clients: readonly RotationClient[];
  readonly now: Date;
};

/**
 * `none`: no rotation in progress. `accept`: hosts must start to accept old and new. `issue`: hosts and clients get credentials of the new
 * CA.
 * `drop`: everything is issued, the old CA can be dropped. `clear`: it is gone from the store, but some hosts still trust it.
 */
export type RotationStage = {
  readonly stage: 'none' | 'accept' | 'issue' | 'drop' | 'clear';
  /** Hosts that the stage still has to change. */
  readonly hosts: readonly string[];
  /** Clients that still have credentials of an old CA. */
  readonly clients: readonly string[];
};

export function rotationStage(input: RotationInput): RotationStage {
  const { ca, oldCas, now } = input;
  const changing = input.hosts.filter((host) => host.outdated);
  const outdated = changing.map((host) => host.name);
  if (oldCas.length === 0) {
    const others = changing.filter((host) => trustsAnother(host, ca)).map((host) => host.name);
    return { stage: others.length > 0 ? 'clear' : 'none', hosts: others, clients: [] };
  }
  const clients = input.clients
    .filter((client) => !client.revoked && !isFrom(client.cert, ca, 'client', now))
    .map((client) => client.name);
  const servers = input.hosts.filter((host) => !isFrom(host.serverCert, ca, 'server', now)).map((host) => host.name);
  // An expired CA accepts no clients: old and new credentials change together.
  const dead = oldCas.every((old) => isExpired(old, now));
  if (outdated.length > 0 && !dead) return { stage: 'accept', hosts: outdated, clients };
  if (servers.length > 0 || outdated.length > 0 || clients.length > 0)
    return { stage: 'issue', hosts: [...new Set([...outdated, ...servers])], clients };
  return { stage: 'drop', hosts: input.hosts.map((host) => host.name), clients: [] };
}

/** Whether a host trusts an unwanted CA that is neither the given one nor below it, ignoring dates. */
function trustsAnother({ trust, wanted }: RotationHost, ca: string): boolean {
  return splitBundle(trust).some((pem) => !wanted.includes(certificateIds(pem)[0] ?? '') && !isUnder(pem, ca));
}

function isExpired(cert: string, now: Date): boolean {
  return renewal({ ...inspectCertificate(cert), now }).state === 'expired';
}
