/** Owns whom a host accepts: the CAs in its trust file, and the rules by which a server certificate goes on being good. */

import { DockerTlsError } from '../../errors/errors.ts';
import { inspectCertificate, splitBundle, verifyChain, worksAsClient } from '../pki/inspect.ts';
import { covers, formatSan, parseSan, type San, uniqueSans } from '../pki/names.ts';
import { renewal } from '../pki/renewal.ts';
import type { HostSpec } from '../settings.ts';
import { plural } from '../words.ts';
import { type CaId, certificateIds } from './ca-id.ts';

/** What of a host's spec says whom it accepts. */
export type Accepting = Pick<HostSpec, 'name' | 'clients' | 'acceptCa'>;

/** What is known of a client when a trust file is made. */
export type TrustedClient = { readonly name: string; readonly hosts?: readonly string[]; readonly revokedAt?: string };

export type TrustInput = {
  /** The CA that issues now and those that a rotation has not dropped yet. */
  readonly cas: readonly CaId[];
  readonly clients: readonly TrustedClient[];
  /** Each client's issuing CAs: the one in use first, during a rotation the one before as well. */
  readonly issuers: ReadonlyMap<string, readonly CaId[]>;
  /** Whether a client's issuing CA is under one of these CAs (PEM). */
  isBelow(client: string, cas: string): boolean;
};

/** Whether a client may reach a host, by both records. */
export function isAccepted(client: TrustedClient, spec: Pick<HostSpec, 'name' | 'clients'>): boolean {
  return (
    client.revokedAt === undefined &&
    (client.hosts === undefined || client.hosts.includes(spec.name)) &&
    (spec.clients === undefined || spec.clients.includes(client.name))
  );
}

/** Whether a host accepts every client: then its trust file holds the CAs. */
export function acceptsAll(spec: Accepting, clients: readonly TrustedClient[]): boolean {
  return spec.clients === undefined && clients.every((client) => isAccepted(client, spec));
}

/**
 * The CAs in the trust file of a host. As long as every client is accepted it holds the CAs, so that a new client needs no change of any host;
 * else only the issuing CAs of those who are (dockerd has no revocation list). Fails with E_NO_CLIENTS, E_NO_ISSUER (exit 2).
 */
export function trustFile(spec: Accepting, { cas, clients, issuers, isBelow }: TrustInput): readonly CaId[] {
  if (acceptsAll(spec, clients)) return withAccepted(cas, spec);
  const accepted = clients.filter((client) => isAccepted(client, spec));
  if (accepted.length === 0) {
    throw new DockerTlsError('E_NO_CLIENTS', 'no client would be accepted', {
      where: spec.name,
      hints:
        spec.clients === undefined
          ? ['docker-tls client list', `docker-tls client add NAME --hosts ${spec.name}`]
          : [`name another client in the fleet file: hosts: { ${spec.name}: { clients: [NAME] } }`],
    });
  }
  const without = accepted.filter((client) => !issuers.has(client.name));
  if (without.length > 0) {
    throw new DockerTlsError(
      'E_NO_ISSUER',
      `${without.map((client) => client.name).join(', ')} has no issuing CA of its own, so it cannot be told from clients that are not accepted`,
      { where: spec.name, hints: without.map((client) => `docker-tls rotate client ${client.name}`) },
    );
  }
  const { acceptCa } = spec;
  const inside =
    acceptCa === undefined ? [] : clients.filter((one) => !isAccepted(one, spec) && isBelow(one.name, acceptCa));
  if (inside.length > 0) throw acceptedAsAWhole(spec, inside);
  return withAccepted(
    accepted.flatMap((client) => issuers.get(client.name) ?? []),
    spec,
  );
}

/** The CAs of `--accept-ca` come last, each once. */
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

/**
 * An external CA that signs leaf certificates only: its clients have no issuing CA of their own, so that a host cannot tell one from
 * another. All of them, or an honest no.
 * Fails with E_CA_LEAF_ONLY (exit 2).
 */
export function leafOnlyTrust(
  spec: Accepting,
  cas: readonly CaId[],
  clients: readonly TrustedClient[],
): readonly CaId[] {
  const rejected = clients.filter((client) => !isAccepted(client, spec));
  if (rejected.length === 0) return withAccepted(cas, spec);
  throw new DockerTlsError(
    'E_CA_LEAF_ONLY',
    `the CA signs leaf certificates only, so every certificate it signs for a client opens this host; ${rejected.map((client) => client.name).join(', ')} cannot be kept out`,
    {
      where: spec.name,
      hints: [
        'let the CA refuse to renew it, and wait for its end: docker-tls client list',
        'a CA that also signs CAs for clients can revoke each: docker-tls ca import without --leaf-only (docs/ca.md)',
      ],
    },
  );
}

/** Why a server certificate has to be replaced, in a few words; undefined: it is good. */
export function reasonToIssue(
  cert: string | undefined,
  spec: Pick<HostSpec, 'keyType' | 'days'>,
  sans: readonly San[],
  /** `days`: the lifetime that was asked for when it was issued. */
  options: { readonly cas: string; readonly now: Date; readonly days?: number },
): string | undefined {
  if (cert === undefined) return 'it has none yet';
  const info = inspectCertificate(cert);
  const { state } = renewal({ notBefore: info.notBefore, notAfter: info.notAfter, now: options.now });
  if (state !== 'ok')
    return state === 'due'
      ? 'two thirds of its lifetime are over'
      : `it is ${state === 'expired' ? 'expired' : 'not yet valid'}`;
  const has = new Set(info.sans.map(formatSan));
  const missing = sans.filter((san) => !has.has(formatSan(san)));
  if (missing.length > 0) return `it lacks ${missing.map((san) => san.value).join(', ')}`;
  const wanted = new Set(sans.map(formatSan));
  const dropped = info.sans.filter((san) => !wanted.has(formatSan(san)));
  if (dropped.length > 0) return `it still has ${dropped.map((san) => san.value).join(', ')}`;
  // As docker-machine makes them for swarm masters: any holder of a host's key would be a client of all hosts.
  if (worksAsClient(info)) return 'it opens hosts as a client too';
  if (info.keyType !== spec.keyType) return `its key is ${info.keyType}, not ${spec.keyType}`;
  if (options.days !== undefined && options.days !== spec.days)
    return `it was made for ${plural(options.days, 'day')}, not ${spec.days}`;
  if (!verifyChain({ leaf: cert, anchors: [options.cas], purpose: 'server', now: options.now }).ok)
    return 'it is not from a CA that is trusted now';
  return undefined;
}

/**
 * The names that a host's certificate has to have: those it has, or, the first time, those its facts propose; and those requested.
 * What was requested `before` and no longer is goes, unless the host itself has that name.
 */
export function namesFor(
  requested: readonly San[],
  cert: string | undefined,
  proposed: readonly San[],
  address: string,
  before: readonly San[] = [],
): San[] {
  const had = new Set(before.map(formatSan));
  for (const san of proposed) had.delete(formatSan(san));
  const base = cert === undefined ? proposed : inspectCertificate(cert).sans.filter((san) => !had.has(formatSan(san)));
  const all = [...base, ...requested];
  const names = covers(all, address) ? all : [parseSan(address), ...all];
  return uniqueSans(names);
}

/** Hosts that are to accept a client and do with credentials of `before` as they are now, but would reject it with credentials of `after`. */
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

/** Whether a certificate (with its chain) is under a CA alone. */
export function isFrom(cert: string, ca: string, purpose: 'server' | 'client', now: Date): boolean {
  return verifyChain({
    leaf: splitBundle(cert)
      .slice(0, purpose === 'client' ? undefined : 1)
      .join(''),
    anchors: [ca],
    purpose,
    now,
  }).ok;
}

/** Whether a certificate of a CA or a client is under a trust file, dates and purposes aside. */
export function isUnder(cert: string, trust: string): boolean {
  const { notBefore, notAfter } = inspectCertificate(cert);
  const middle = new Date((notBefore.getTime() + notAfter.getTime()) / 2);
  const verdict = verifyChain({ leaf: cert, anchors: [trust], purpose: 'client', now: middle });
  return verdict.ok || verdict.reason === 'wrong-purpose';
}

/** Another trust file in the place of the active one. */
export type AccessChange = {
  /** Clients that it accepts and the active one does not, and the other way round. */
  readonly again: readonly string[];
  readonly noLonger: readonly string[];
  /** Revoked clients that it accepts, whatever the active one does. */
  readonly revoked: readonly string[];
  /** Names of CAs that come back with it and are none of ours: this store does not know whom they accepted. */
  readonly untrusted: readonly string[];
};

/** Clients that `next` (PEM) accepts and `current` does not. `ours`: PEM of our CAs and of the clients' issuing CAs. */
export function compareTrust(
  current: string,
  next: string,
  clients: readonly { readonly name: string; readonly cert: string; readonly revokedAt?: string }[],
  ours: readonly string[],
  now: Date,
): AccessChange {
  const judged = clients.map(({ name, cert, revokedAt }) => ({
    name,
    revoked: revokedAt !== undefined,
    before: isFrom(cert, current, 'client', now),
    after: isFrom(cert, next, 'client', now),
  }));
  const known = new Set([current, ...ours].flatMap(splitBundle).map((pem) => inspectCertificate(pem).fingerprint));
  const names = (list: typeof judged): string[] => list.map(({ name }) => name);
  return {
    again: names(judged.filter(({ before, after, revoked }) => after && !before && !revoked)),
    noLonger: names(judged.filter(({ before, after, revoked }) => before && !after && !revoked)),
    revoked: names(judged.filter(({ after, revoked }) => after && revoked)),
    untrusted: splitBundle(next)
      .map(inspectCertificate)
      .filter(({ fingerprint }) => !known.has(fingerprint))
      .map(({ subject }) => subject),
  };
}
