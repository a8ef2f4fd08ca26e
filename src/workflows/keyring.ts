/**
 * Owns the CA and what it issues during one run: made in memory first, written to the store only when a host has accepted it,
 * so that a run that ends early leaves nothing behind.
 */

import type { CaSpec, ClientSpec, HostSpec } from '../config/spec.ts';
import { DockerTlsError } from '../errors.ts';
import {
  issueCa,
  issueClient,
  issueClientAuthority,
  issueServer,
  type OpenAuthority,
  openAuthority,
} from '../pki/certificate.ts';
import { inspectCertificate, verifyChain } from '../pki/inspect.ts';
import { decryptKey, encryptKey, isEncrypted } from '../pki/keys.ts';
import { covers, formatSan, parseSan, type SanName } from '../pki/names.ts';
import { renewal } from '../pki/renewal.ts';
import type { Secret } from '../secret.ts';
import type { StoreChange, StoredCa, StoredClient, StoredHost, StoredIssuer, StoreState } from '../store/records.ts';

/** Where the CA's passphrase comes from. */
export type PassphraseSource = {
  /** For a CA that is made now; undefined when the user declined in so many words. */
  forNewCa(): Promise<Secret | undefined>;
  forExistingCa(): Promise<Secret>;
};

export type KeyringOptions = {
  readonly state: StoreState;
  /** For a CA that has to be made. */
  readonly ca: CaSpec;
  readonly passphrase: PassphraseSource;
  readonly now: Date;
};

export type ServerPapers = {
  readonly cert: string;
  readonly key: Secret | undefined;
  readonly fresh: boolean;
  readonly why: string;
};

export type Keyring = {
  /** The CA that issues now (PEM, alone). */
  caCert(): Promise<string>;
  /** Every CA that is trusted now: the one that issues, then those that a rotation has not dropped yet. */
  trusted(): Promise<string>;
  /** The CA, open for signing; asks for its passphrase at most once. */
  authority(): Promise<OpenAuthority>;
  /** The client's papers, made if they are not there (`fresh`). */
  client(spec: ClientSpec): Promise<StoredClient & { readonly fresh: boolean }>;
  /** A new leaf (and key) for a client that is there; its own CA stays, so no host has to hear of it. */
  renewClient(name: string, days?: number): Promise<StoredClient>;
  /** The server's papers: those in the store as long as they fit, else new ones. */
  server(
    spec: HostSpec,
    sans: readonly SanName[],
    options?: { force?: boolean; publicKey?: string },
  ): Promise<ServerPapers>;
  /** The trust file of a host: the CAs, or, where not every client is welcome, the issuing CAs of those that are. */
  trustFor(spec: Pick<HostSpec, 'name' | 'clients'>): Promise<string>;
  /** What was made in this run and has to be stored. */
  change(): StoreChange;
  readonly isNewCa: boolean;
};

/** Opens the CA of a store, or makes one in memory. Nothing is asked before it is needed. */
export function openKeyring(options: KeyringOptions): Keyring {
  const { state, now } = options;
  const made: { ca?: StoredCa; issuers: Record<string, StoredIssuer>; clients: Record<string, StoredClient> } = {
    issuers: {},
    clients: {},
  };
  let opened: Promise<OpenAuthority> | undefined;
  let passphrase: Promise<Secret | undefined> | undefined;

  function secretForStoring(): Promise<Secret | undefined> {
    passphrase ??=
      state.ca === undefined
        ? options.passphrase.forNewCa()
        : state.ca.keyPem !== undefined && isEncrypted(state.ca.keyPem)
          ? options.passphrase.forExistingCa()
          : Promise.resolve(undefined);
    return passphrase;
  }

  async function protect(key: Secret): Promise<Secret> {
    const secret = await secretForStoring();
    return secret === undefined ? key : encryptKey(key, secret);
  }

  async function openStored(pem: Secret): Promise<Secret> {
    return isEncrypted(pem) ? decryptKey(pem, await secretForStoring()) : pem;
  }

  async function openCa(): Promise<OpenAuthority> {
    if (state.ca === undefined) {
      const ca = await issueCa({ name: options.ca.name, days: options.ca.days, keyType: options.ca.keyType, now });
      const record = {
        name: options.ca.name,
        createdAt: now.toISOString(),
        keyType: options.ca.keyType,
        days: options.ca.days,
      };
      made.ca = { cert: ca.leaf, keyPem: await protect(ca.key), record };
      return ca;
    }
    if (state.ca.keyPem === undefined) {
      throw new DockerTlsError({
        code: 'E_CA_KEY_ELSEWHERE',
        exit: 2,
        message: 'the key of the CA is not in this store, so nothing can be issued here',
        hints: ['docker-tls client request NAME, and have it signed where the key is', '--sign-command COMMAND'],
      });
    }
    return openAuthority({ cert: state.ca.cert, key: await openStored(state.ca.keyPem) });
  }

  function authority(): Promise<OpenAuthority> {
    opened ??= openCa();
    return opened;
  }

  async function trusted(): Promise<string> {
    return [await ownCa(), ...state.oldCas.map((old) => old.cert)].join('');
  }

  async function ownCa(): Promise<string> {
    if (state.ca !== undefined) return state.ca.cert;
    await authority();
    return made.ca?.cert ?? '';
  }

  async function issueFor(
    name: string,
    issuer: { cert: string; key: Secret },
    days: number,
    keyType: ClientSpec['keyType'],
  ): Promise<{ cert: string; key: Secret }> {
    const issued = await issueClient({ authority: { cert: issuer.cert, key: issuer.key }, name, days, keyType, now });
    return { cert: issued.cert, key: issued.key };
  }

  async function client(spec: ClientSpec): Promise<StoredClient & { fresh: boolean }> {
    const known = made.clients[spec.name] ?? state.clients.get(spec.name);
    if (known !== undefined) {
      if (known.record.revokedAt !== undefined) {
        throw new DockerTlsError({
          code: 'E_CLIENT_REVOKED',
          exit: 2,
          message: `client ${spec.name} was revoked on ${known.record.revokedAt}`,
          hints: [`docker-tls client add ${spec.name}-2`],
        });
      }
      return { ...known, fresh: false };
    }
    const ca = await authority();
    const own = await issueClientAuthority({
      ca,
      clientName: spec.name,
      days: options.ca.days,
      keyType: spec.keyType,
      now,
    });
    const leaf = await issueFor(spec.name, { cert: own.leaf, key: own.key }, spec.days, spec.keyType);
    const time = now.toISOString();
    const stored: StoredClient = {
      record: {
        name: spec.name,
        createdAt: time,
        updatedAt: time,
        days: spec.days,
        keyType: spec.keyType,
        ...(spec.hosts ? { hosts: spec.hosts } : {}),
      },
      ca: await trusted(),
      cert: leaf.cert,
      key: leaf.key,
    };
    made.issuers[spec.name] = { cert: own.leaf, keyPem: await protect(own.key) };
    made.clients[spec.name] = stored;
    return { ...stored, fresh: true };
  }

  async function renewClient(name: string, days?: number): Promise<StoredClient> {
    const known = state.clients.get(name);
    const issuer = state.issuers.get(name);
    if (known === undefined || known.record.revokedAt !== undefined) {
      throw new DockerTlsError({
        code: 'E_CLIENT_UNKNOWN',
        exit: 2,
        message: `no client ${name} that could be renewed`,
        hints: ['docker-tls client list', `docker-tls client add ${name}`],
      });
    }
    const lifetime = days ?? known.record.days;
    let own = issuer?.keyPem ? { cert: issuer.cert, key: await openStored(issuer.keyPem) } : undefined;
    const stale =
      own !== undefined && !verifyChain({ leaf: own.cert, anchors: [await ownCa()], purpose: 'client', now }).ok;
    if (own === undefined || stale) {
      const fresh = await issueClientAuthority({
        ca: await authority(),
        clientName: name,
        days: options.ca.days,
        keyType: known.record.keyType,
        now,
      });
      own = { cert: fresh.leaf, key: fresh.key };
      made.issuers[name] = { cert: fresh.leaf, keyPem: await protect(fresh.key) };
    }
    const leaf = await issueFor(name, own, lifetime, known.record.keyType);
    const stored: StoredClient = {
      record: { ...known.record, days: lifetime, updatedAt: now.toISOString() },
      ca: await trusted(),
      cert: leaf.cert,
      key: leaf.key,
    };
    made.clients[name] = stored;
    return stored;
  }

  async function server(
    spec: HostSpec,
    sans: readonly SanName[],
    more: { force?: boolean; publicKey?: string } = {},
  ): Promise<ServerPapers> {
    const known = state.hosts.get(spec.name);
    const why = more.force ? 'asked for' : await reasonToIssue(known, spec, sans);
    if (known !== undefined && why === undefined)
      return { cert: known.serverCert, key: known.serverKey, fresh: false, why: '' };
    const ca = await authority();
    const base = { ca, sans, days: spec.days, now };
    if (more.publicKey !== undefined)
      return {
        cert: (await issueServer({ ...base, publicKey: more.publicKey })).cert,
        key: undefined,
        fresh: true,
        why: why ?? '',
      };
    const issued = await issueServer({ ...base, keyType: spec.keyType });
    return { cert: issued.cert, key: issued.key, fresh: true, why: why ?? '' };
  }

  async function reasonToIssue(
    known: StoredHost | undefined,
    spec: HostSpec,
    sans: readonly SanName[],
  ): Promise<string | undefined> {
    if (known === undefined) return 'it has none yet';
    const info = inspectCertificate(known.serverCert);
    const state = renewal({ notBefore: info.notBefore, notAfter: info.notAfter, now }).state;
    if (state !== 'ok') return state === 'due' ? 'two thirds of its lifetime are over' : `it is ${state}`;
    const has = new Set(info.sans.map(formatSan));
    const missing = sans.filter((san) => !has.has(formatSan(san)));
    if (missing.length > 0) return `it lacks ${missing.map((san) => san.value).join(', ')}`;
    if (info.keyType !== spec.keyType && spec.keys === 'store')
      return `its key is ${info.keyType}, not ${spec.keyType}`;
    if (!verifyChain({ leaf: known.serverCert, anchors: [await ownCa()], purpose: 'server', now }).ok)
      return 'it is not from the CA that issues now';
    return undefined;
  }

  async function trustFor(spec: Pick<HostSpec, 'name' | 'clients'>): Promise<string> {
    const all = new Map([...state.clients].map(([name, stored]) => [name, stored.record]));
    for (const [name, stored] of Object.entries(made.clients)) all.set(name, stored.record);
    const revoked = [...all.values()].some((record) => record.revokedAt !== undefined);
    const limited = [...all.values()].some((record) => record.hosts !== undefined && !record.hosts.includes(spec.name));
    if (spec.clients === undefined && !revoked && !limited) return trusted();
    const welcome = [...all.values()].filter(
      (record) =>
        record.revokedAt === undefined &&
        (record.hosts === undefined || record.hosts.includes(spec.name)) &&
        (spec.clients === undefined || spec.clients.includes(record.name)),
    );
    const issuers = welcome
      .map((record) => (made.issuers[record.name] ?? state.issuers.get(record.name))?.cert)
      .filter((cert) => cert !== undefined);
    if (issuers.length === 0) {
      throw new DockerTlsError({
        code: 'E_NO_CLIENTS',
        exit: 2,
        where: spec.name,
        message: 'no client would be let in',
        hints: ['docker-tls client list', `docker-tls client add NAME --hosts ${spec.name}`],
      });
    }
    return issuers.join('');
  }

  return {
    caCert: ownCa,
    trusted,
    authority,
    client,
    renewClient,
    server,
    trustFor,
    change: () => ({ ...(made.ca ? { ca: made.ca } : {}), issuers: made.issuers, clients: made.clients }),
    isNewCa: state.ca === undefined,
  };
}

/** The names that a host's certificate has to have: those asked for, those it has, or, the first time, those its facts propose. */
export function namesFor(
  spec: HostSpec,
  known: StoredHost | undefined,
  proposed: readonly SanName[],
  address: string,
): SanName[] {
  const asked = spec.sans.map(parseSan);
  const base = known === undefined ? proposed : inspectCertificate(known.serverCert).sans;
  const all = [...base, ...asked];
  const names = covers(all, address) ? all : [parseSan(address), ...all];
  return [...new Map(names.map((san) => [formatSan(san), san])).values()];
}
