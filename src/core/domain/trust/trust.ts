/** Trust file of a host: the CAs whose clients it accepts. */

import { DockerTlsError } from '../../../errors/errors.ts';
import { LISTENERS } from '../../seams/listeners.ts';
import { offeredCommands } from '../../seams/offered-commands.ts';
import { offeredLines } from '../../seams/seam.ts';
import { SETTING_PLACES } from '../../seams/setting-places.ts';
import { hasPort } from '../network-port.ts';
import { inspectCertificate, isFrom, isUnder, splitBundle } from '../pki/inspect.ts';
import type { HostSpec } from '../settings.ts';
import { type CaId, certificateIds } from './ca-id.ts';
import { type AccessView, FULL_ROLE, type TrustedClient, trustedIds } from './view.ts';

/** The part of a host's spec that decides which clients it accepts. */
export type Accepting = Pick<HostSpec, 'name' | 'clients' | 'acceptCa'> &
  Partial<Pick<HostSpec, 'listener' | 'listen' | 'roles'>>;

/** Whether a client may use a host, according to both records. */
export function isAccepted(client: TrustedClient, spec: Pick<HostSpec, 'name' | 'clients'>): boolean {
  return (
    client.revokedAt === undefined &&
    (client.hosts === undefined || client.hosts.includes(spec.name)) &&
    (spec.clients === undefined || spec.clients.includes(client.name))
  );
}

/** Whether a service in front of the daemon accepts the clients of a list: the daemon itself knows only CAs. */
export function listsClients({ listener = 'dockerd' }: Partial<Pick<HostSpec, 'listener'>>): boolean {
  return listener !== 'dockerd';
}

/** List of the clients of a host that has one, for its record: `NAME ROLE`, sorted. */
export function listedClients(
  spec: Pick<HostSpec, 'name' | 'clients' | 'listener'>,
  clients: Iterable<TrustedClient>,
): readonly string[] | undefined {
  if (!listsClients(spec)) return undefined;
  return [...clients].flatMap((one) => (isAccepted(one, spec) ? [`${one.name} ${one.role ?? FULL_ROLE}`] : [])).sort();
}

/** Whether a host's list of clients, if it has one, names a client. */
export function isListed(name: string, { accepts }: { readonly accepts?: readonly string[] | undefined }): boolean {
  return accepts === undefined || accepts.some((line) => line.split(' ')[0] === name);
}

/** Whether a host accepts every client; its trust file then holds the CAs. */
export function acceptsAll(spec: Accepting, clients: readonly TrustedClient[]): boolean {
  return spec.clients === undefined && clients.every((client) => isAccepted(client, spec));
}

/**
 * CAs in a host's trust file. While every client is accepted, these are the CAs themselves, so that a new client needs no change on any
 * host. Otherwise only the issuing CAs of the accepted clients, since dockerd has no revocation list. A listener in front of it has a list of
 * clients, so there the CAs themselves do for a client without an issuing CA, or with a certificate that they signed themselves. Fails with E_NO_CLIENTS, E_NO_ISSUER, E_CA_LEAF_ONLY,
 * E_CA_ACCEPTED, E_ROLE_DOCKERD (exit 2).
 */
export function trustFor(spec: Accepting, view: AccessView): readonly CaId[] {
  const { issuers } = view;
  const clients = [...view.clients.values()];
  const limited = clients.filter((client) => isLimited(client) && isAccepted(client, spec));
  if (limited.length > 0) requireRoles(spec, limited);
  const rejected = clients.filter((client) => !isAccepted(client, spec));
  const leafOnly = view.issuing === 'leaf-only' && !clients.some(({ name }) => issuers.has(name));
  if (rejected.length === 0 && (leafOnly || spec.clients === undefined)) return withAccepted(trustedIds(view), spec);
  if (leafOnly && !listsClients(spec)) throw signsLeavesOnly(spec, rejected);
  const accepted = clients.filter((client) => isAccepted(client, spec));
  // There, sockets on the host do without clients.
  if (accepted.length === 0 && !hasPort(spec)) return withAccepted(trustedIds(view), spec);
  if (accepted.length === 0) {
    throw new DockerTlsError('E_NO_CLIENTS', 'no client would be accepted', {
      where: spec.name,
      hints:
        spec.clients === undefined
          ? ['docker-tls client list', `docker-tls client add NAME --hosts ${spec.name}`]
          : offeredLines(
              SETTING_PLACES,
              `name another client in the fleet file: hosts: { ${spec.name}: { clients: [NAME] } }`,
            ),
    });
  }
  const without = accepted.filter(({ name }) => !issuers.has(name) || (listsClients(spec) && view.direct(name)));
  if (without.length > 0 && !listsClients(spec)) {
    throw new DockerTlsError(
      'E_NO_ISSUER',
      `${without.map((client) => client.name).join(', ')} has no issuing CA, so hosts cannot distinguish it from clients that they reject`,
      { where: spec.name, hints: without.map((client) => `docker-tls rotate client ${client.name}`) },
    );
  }
  const { acceptCa } = spec;
  const inside = acceptCa === undefined ? [] : rejected.filter(({ name }) => isBelow(view, name, acceptCa));
  if (inside.length > 0) throw acceptedAsAWhole(spec, inside);
  return withAccepted(
    without.length > 0 ? trustedIds(view) : accepted.flatMap(({ name }) => issuers.get(name)?.ids ?? []),
    spec,
  );
}

/** A client with another role than the default. */
export function isLimited({ role = FULL_ROLE }: TrustedClient): boolean {
  return role !== FULL_ROLE;
}

/** Fails with E_ROLE_DOCKERD or E_ROLE_UNKNOWN (exit 2) if a host cannot limit its clients as wanted. */
function requireRoles({ name, listener, roles = [] }: Accepting, limited: readonly TrustedClient[]): void {
  const able = LISTENERS.all.find((one) => one.name === listener);
  const named = (clients: readonly TrustedClient[]) => clients.map((one) => `${one.name} (${one.role})`).join(', ');
  if (able === undefined)
    throw new DockerTlsError(
      'E_ROLE_DOCKERD',
      `dockerd itself accepts clients there, and gives each of them everything; it cannot limit ${named(limited)}`,
      {
        where: name,
        hints: [
          `docker-tls setup ${name} --listener haproxy`,
          `or without ${name}: docker-tls client add ${limited[0]?.name} --hosts OTHER-HOST`,
        ],
      },
    );
  const known = [...able.roles, ...roles.map((rule) => rule.split(' ')[0])];
  const unknown = limited.filter(({ role }) => !known.includes(role ?? FULL_ROLE));
  if (unknown.length > 0)
    throw new DockerTlsError('E_ROLE_UNKNOWN', `the host has no role for ${named(unknown)}`, {
      where: name,
      hints: ['docker-tls role list'],
    });
}

/** An issuing CA that is still to be created will be under the current CA. */
function isBelow({ ca, issuers }: AccessView, client: string, cas: string): boolean {
  const issuer = issuers.get(client);
  if (issuer === undefined) return false;
  const coming = issuer.ids.some((id) => typeof id !== 'string') && typeof ca === 'string';
  return (coming && certificateIds(cas).includes(ca)) || splitBundle(issuer.pem).some((pem) => isUnder(pem, cas));
}

/** Appends the CAs of `--accept-ca`, without duplicates. */
function withAccepted(trust: readonly CaId[], { acceptCa = '' }: Accepting): readonly CaId[] {
  return [...trust, ...certificateIds(acceptCa).filter((id) => !trust.includes(id))];
}

function acceptedAsAWhole({ name, acceptCa = '' }: Accepting, clients: readonly TrustedClient[]): DockerTlsError {
  return new DockerTlsError(
    'E_CA_ACCEPTED',
    `the host accepts every client of the CA "${splitBundle(acceptCa)
      .map((pem) => inspectCertificate(pem).subject)
      .join('", "')}" (--accept-ca), so ${clients.map((client) => client.name).join(', ')} cannot be rejected`,
    { where: name, hints: [`docker-tls setup ${name} --accept-ca none`] },
  );
}

/** A CA that signs leaf certificates only cannot give clients issuing CAs, so a host cannot tell them apart. */
function signsLeavesOnly({ name }: Accepting, rejected: readonly TrustedClient[]): DockerTlsError {
  return new DockerTlsError(
    'E_CA_LEAF_ONLY',
    `the CA signs leaf certificates only, so every certificate it signs for a client opens this host; ${rejected.map((client) => client.name).join(', ')} cannot be kept out`,
    {
      where: name,
      hints: [
        ...LISTENERS.all.map(
          (one) => `let ${one.name} tell them apart: docker-tls setup ${name} --listener ${one.name}`,
        ),
        'let the CA refuse to renew it, and wait for its end: docker-tls client list',
        ...offeredCommands('own-ca', '--help').map(
          (one) => `if it also signs CAs for clients, import it without --leaf-only: ${one}`,
        ),
      ],
    },
  );
}

/** Hosts that should and do accept a client with the `before` credentials, but would reject the `after` credentials. */
export function hostsLosing(
  hosts: readonly { readonly record: Pick<HostSpec, 'name' | 'clients'>; readonly ca: string }[],
  credentials: { readonly client: TrustedClient; readonly before: string; readonly after: string; readonly now: Date },
): string[] {
  const { client, before, after, now } = credentials;
  return hosts
    .filter(({ record, ca }) => isAccepted(client, record) && isFrom(before, ca, 'client', now))
    .filter(({ ca }) => !isFrom(after, ca, 'client', now))
    .map(({ record }) => record.name);
}

/** Effect of replacing the active trust file. */
export type AccessChange = {
  /** Clients that gain access, and clients that lose it. */
  readonly again: readonly string[];
  readonly noLonger: readonly string[];
  /** Revoked clients that the new file accepts, whatever the active one does. */
  readonly revoked: readonly string[];
  /** Subjects of CAs that regain trust and are not ours: this store does not know their clients. */
  readonly untrusted: readonly string[];
};

/** What a host accepts: its trust file (PEM), and its list of clients if it has one. */
type Accepts = { readonly ca: string; readonly accepts?: readonly string[] | undefined };

/** Clients that `next` accepts and `current` does not. `ours`: PEM of our CAs and of the clients' issuing CAs. */
export function compareTrust(
  current: Accepts,
  next: Accepts,
  clients: readonly { readonly name: string; readonly cert: string; readonly revokedAt?: string }[],
  ours: readonly string[],
  now: Date,
): AccessChange {
  const judged = clients.map(({ name, cert, revokedAt }) => ({
    name,
    revoked: revokedAt !== undefined,
    before: isListed(name, current) && isFrom(cert, current.ca, 'client', now),
    after: isListed(name, next) && isFrom(cert, next.ca, 'client', now),
  }));
  const known = new Set([current.ca, ...ours].flatMap(splitBundle).map((pem) => inspectCertificate(pem).fingerprint));
  const names = (list: typeof judged): string[] => list.map(({ name }) => name);
  return {
    again: names(judged.filter(({ before, after, revoked }) => after && !before && !revoked)),
    noLonger: names(judged.filter(({ before, after, revoked }) => before && !after && !revoked)),
    revoked: names(judged.filter(({ after, revoked }) => after && revoked)),
    untrusted: splitBundle(next.ca)
      .map(inspectCertificate)
      .filter(({ fingerprint }) => !known.has(fingerprint))
      .map(({ subject }) => subject),
  };
}
