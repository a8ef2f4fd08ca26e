/**
 * Owns the CA and what it issues during one run: made in memory first, written to the store only when a host has accepted it,
 * so that a run that ends early leaves nothing behind.
 */

import { commandSigner, type ExternalSigner, signClient, signServer } from '../adapters/issuer/sign-command.ts';
import type {
  StoreChange,
  StoredCa,
  StoredClient,
  StoredIssuer,
  StoredOldCa,
  StoreState,
} from '../adapters/store/records.ts';
import {
  crossSign,
  issueCa,
  issueClient,
  issueClientAuthority,
  issueServer,
  type OpenAuthority,
  openAuthority,
} from '../domain/pki/certificate.ts';
import { parseCsr } from '../domain/pki/csr.ts';
import { inspectCertificate, splitBundle } from '../domain/pki/inspect.ts';
import { isKeyType } from '../domain/pki/key-types.ts';
import type { San } from '../domain/pki/names.ts';
import type { Secret } from '../domain/secret.ts';
import type { CaSpec, ClientSpec, HostSpec } from '../domain/settings.ts';
import { type Accepting, hostsLosing, isFrom, leafOnlyTrust, reasonToIssue, trustFile } from '../domain/trust/trust.ts';
import { caBreaksClients, caNotAccepted, externalCaKey } from './ca-refusals.ts';
import { clientExists, refuseOther, refuseRenewal, unknownClient } from './client-refusals.ts';
import { type PassphraseSource, protectKeys } from './key-protection.ts';

export type KeyringOptions = {
  readonly state: StoreState;
  /** For a CA that has to be made. */
  readonly ca: CaSpec;
  readonly passphrase: PassphraseSource;
  /** Give hosts certificates of a new CA although it cannot be cross-signed by an older one; without it that fails with E_BREAKS_CLIENTS (exit 3). */
  readonly noOverlap?: boolean;
  readonly now: Date;
};

export type ServerCredentials = {
  readonly cert: string;
  readonly key: Secret | undefined;
  readonly fresh: boolean;
  readonly why: string;
};

export type IssueOptions = {
  /** A newer look at the store than the one the keyring was opened with. */
  readonly latest?: Pick<StoreState, 'hosts'>;
  /** Issue anew whatever the certificate is; the words say why. */
  readonly force?: string;
  /** For a key that is kept elsewhere: its public key, or a certificate of it. */
  readonly publicKey?: string;
};

export type Keyring = {
  /** The CA that issues now (PEM, alone). */
  caCert(): Promise<string>;
  /** Every CA that is trusted now: the one that issues, then those that a rotation has not dropped yet. */
  trusted(): Promise<string>;
  /** The CA, open for signing; asks for its passphrase at most once. */
  authority(): Promise<OpenAuthority>;
  /**
   * Makes a new CA that issues from now on; the one before stays trusted until it is dropped. `lost`: nobody knows the passphrase of the keys
   * in this store any more; they go, and the new CA gets a passphrase of its own.
   */
  replaceCa(options?: { readonly lost?: boolean }): Promise<void>;
  /** Whether a certificate of the CA in force in place of this one makes a host an untrusted client to who knows only an older CA. */
  breaksClients(serverCert: string): boolean;
  /** The client's credentials, made if they are not there (`fresh`). */
  client(spec: ClientSpec): Promise<StoredClient & { readonly fresh: boolean }>;
  /** A client whose record changes (its hosts, its revocation) and whose credentials stay; trust files follow at once. */
  amend(client: StoredClient): void;
  /** The credentials of a client whose key stays elsewhere, for its request (PEM); the key is not part of them. */
  signRequest(spec: ClientSpec, csr: string): Promise<StoredClient>;
  /** An issuing CA of the CA in force for a client that has one of an older CA; both are accepted until the old CA is dropped. */
  prepareIssuer(name: string): Promise<void>;
  /** A new leaf (and key) for a client that is there; its own CA stays as long as it is from the CA in force. */
  renewClient(name: string, days?: number): Promise<StoredClient>;
  /** The server's credentials: those that are known as long as they fit, else new ones. */
  server(spec: HostSpec, sans: readonly San[], options?: IssueOptions): Promise<ServerCredentials>;
  /** The trust file of a host (src/domain/trust/trust.ts); `latest`: a newer look at the store than the one the keyring was opened with. */
  trustFor(spec: Accepting, latest?: People): Promise<string>;
  /** The clients of the store, with those that this run made or amended on top as long as they are not written. */
  clients(latest?: People): ReadonlyMap<string, StoredClient>;
  /** The passphrase's protection for a key that is going to be stored. */
  protect(key: Secret): Promise<Secret>;
  /** What was made in this run and has to be stored. */
  change(): StoreChange;
  /** It is: from now on the store alone knows, and what others write to it counts. */
  written(): void;
};

/** Who may get in, as the store says it. */
export type People = Pick<StoreState, 'clients' | 'issuers'>;

/** Whether an older CA can sign the one in force. */
function canVouch({ cert, keyPem }: Omit<StoredOldCa, 'serial'>): boolean {
  return keyPem !== undefined && inspectCertificate(cert).pathLen !== 0;
}

/** Opens the CA of a store, or makes one in memory. Nothing is asked before it is needed. */
export function openKeyring(options: KeyringOptions): Keyring {
  const { state, now } = options;
  const made: { ca?: StoredCa; issuers: Record<string, StoredIssuer>; clients: Record<string, StoredClient> } = {
    // A client may be called constructor.
    issuers: Object.create(null),
    clients: Object.create(null),
  };
  const { protect, open: openKey, beginAnew } = protectKeys(state, options.passphrase);
  const replaced: StoredCa[] = [];
  let written = false;
  const sign: ExternalSigner | undefined =
    state.ca !== undefined && state.ca.keyPem === undefined && state.ca.record.signCommand !== undefined
      ? commandSigner(state.ca.record.signCommand)
      : undefined;
  let keysLost = false;
  let opened: Promise<OpenAuthority> | undefined;
  let crossed: Promise<string> | undefined;

  async function makeCa(): Promise<OpenAuthority> {
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

  async function openCa(): Promise<OpenAuthority> {
    if (state.ca === undefined) return makeCa();
    if (state.ca.keyPem !== undefined)
      return openAuthority({ cert: state.ca.cert, key: await openKey(state.ca.keyPem) });
    throw externalCaKey();
  }

  function authority(): Promise<OpenAuthority> {
    opened ??= openCa();
    return opened;
  }

  async function caCert(): Promise<string> {
    if (made.ca === undefined && state.ca === undefined) await authority();
    return (made.ca ?? state.ca)?.cert ?? '';
  }

  function olderCas(): readonly Omit<StoredOldCa, 'serial'>[] {
    const all = [...replaced, ...state.oldCas];
    return keysLost ? all.map(({ cert, record }) => ({ cert, ...(record ? { record } : {}) })) : all;
  }

  async function trusted(): Promise<string> {
    return [await caCert(), ...olderCas().map((old) => old.cert)].join('');
  }

  async function replaceCa({ lost = false }: { readonly lost?: boolean } = {}): Promise<void> {
    if (state.ca !== undefined) replaced.push(state.ca);
    if (lost) {
      keysLost = true;
      beginAnew();
      for (const [name, { cert }] of state.issuers) made.issuers[name] = { cert };
    } else if (state.ca?.keyPem !== undefined) await openKey(state.ca.keyPem); // or two passphrases would be in force from now on
    opened = makeCa();
    await opened;
  }

  /**
   * While an older CA is still trusted, servers send a certificate of the new CA that the old one has signed as well: clients that have
   * not fetched their new files go on trusting them. Empty where there is no older CA, or its key or its time is gone.
   */
  async function crossCertificates(): Promise<string> {
    const ca = await authority();
    const certs: string[] = [];
    for (const old of olderCas()) {
      const days = Math.floor((inspectCertificate(old.cert).notAfter.getTime() - now.getTime()) / 86_400_000);
      if (old.keyPem === undefined || days < 1 || !canVouch(old)) continue;
      const issuer = openAuthority({ cert: old.cert, key: await openKey(old.keyPem) });
      certs.push(crossSign({ ca, issuer, days, now }).leaf);
    }
    return certs.join('');
  }

  function breaksClients(serverCert: string): boolean {
    return olderCas().some((old) => !canVouch(old) && isFrom(serverCert, old.cert, 'server', now));
  }

  function issuerOf(name: string): StoredIssuer | undefined {
    return made.issuers[name] ?? state.issuers.get(name);
  }

  /**
   * The client's issuing CA under the CA in force, made where there is none. The one before stays beside it as long as its CA is trusted:
   * hosts that list clients one by one accept both.
   */
  async function newestIssuer(name: string, keyType: ClientSpec['keyType']): Promise<StoredIssuer> {
    const known = issuerOf(name);
    const [first = ''] = known === undefined ? [] : splitBundle(known.cert);
    if (known?.keyPem !== undefined && isFrom(first, await caCert(), 'client', now)) return known;
    const fresh = await issueClientAuthority({
      ca: await authority(),
      clientName: name,
      days: options.ca.days,
      keyType,
      now,
    });
    const keyPem = await protect(fresh.key);
    // All of them: a rotation begun before the last one was through leaves clients with credentials of the one before.
    const old = olderCas().length > 0 ? { cert: known?.cert ?? '', oldKeyPem: known?.keyPem } : { cert: '' };
    const issuer = { ...old, cert: fresh.leaf + old.cert, keyPem };
    made.issuers[name] = issuer;
    return issuer;
  }

  /** What signs for a client: its newest issuing CA, or the one before as long as a host that accepts the client knows only that. */
  async function clientAuthority(name: string, keyType: ClientSpec['keyType']): Promise<{ cert: string; key: Secret }> {
    const { cert, keyPem, oldKeyPem } = await newestIssuer(name, keyType);
    const [newest = '', before] = splitBundle(cert);
    if (before !== undefined && oldKeyPem !== undefined && losing(name, before, newest).length > 0)
      return { cert: before, key: await openKey(oldKeyPem) };
    if (keyPem === undefined) throw externalCaKey();
    return { cert: newest, key: await openKey(keyPem) };
  }

  function losing(name: string, before: string, after: string): string[] {
    const client = (made.clients[name] ?? state.clients.get(name))?.record ?? { name };
    return hostsLosing([...state.hosts.values()], { client, before, after, now });
  }

  /** Credentials that replace others must not lock their owner out: E_CA_NOT_ACCEPTED (exit 3). */
  function requireAccepted({ record, cert }: StoredClient, after: string): void {
    const hosts = losing(record.name, cert, after);
    if (hosts.length > 0) throw caNotAccepted(record.name, hosts);
  }

  async function client(spec: ClientSpec): Promise<StoredClient & { fresh: boolean }> {
    const known = made.clients[spec.name] ?? state.clients.get(spec.name);
    if (known !== undefined) {
      refuseOther(known);
      return { ...known, fresh: false };
    }
    const leaf = await clientLeaf(spec.name, spec);
    const time = now.toISOString();
    const record = {
      name: spec.name,
      createdAt: time,
      updatedAt: time,
      days: spec.days,
      keyType: spec.keyType,
      ...(spec.hosts ? { hosts: spec.hosts } : {}),
    };
    const stored: StoredClient = { record, ca: await trusted(), cert: leaf.cert, key: leaf.key };
    made.clients[spec.name] = stored;
    return { ...stored, fresh: true };
  }

  async function clientLeaf(
    name: string,
    { keyType, days }: Pick<ClientSpec, 'keyType' | 'days'>,
  ): Promise<{ cert: string; key: Secret }> {
    if (sign !== undefined) return signClient(sign, { name, keyType, days, ca: await trusted(), now });
    return issueClient({ authority: await clientAuthority(name, keyType), name, days, keyType, now });
  }

  async function signRequest(spec: ClientSpec, csr: string): Promise<StoredClient> {
    const known = state.clients.get(spec.name);
    if (known !== undefined) refuseOther(known);
    if (known?.key !== undefined) throw clientExists(spec.name, `docker-tls client sign REQUEST --name ${spec.name}-2`);
    const { publicKey, keyType: found } = parseCsr(csr);
    const keyType = isKeyType(found) ? found : spec.keyType;
    const { name, days } = spec;
    const cert =
      sign === undefined
        ? (await issueClient({ authority: await clientAuthority(name, keyType), name, days, publicKey, now })).cert
        : await sign({ csr, profile: 'client', days, name, ca: await trusted(), now });
    if (known !== undefined) requireAccepted(known, cert);
    const time = now.toISOString();
    const hosts = spec.hosts ?? known?.record.hosts;
    const record = {
      ...known?.record,
      name,
      createdAt: known?.record.createdAt ?? time,
      updatedAt: time,
      days,
      keyType,
      ...(hosts ? { hosts } : {}),
    };
    const stored: StoredClient = { record, ca: await trusted(), cert };
    made.clients[name] = stored;
    return stored;
  }

  async function renewClient(name: string, days?: number): Promise<StoredClient> {
    const known = state.clients.get(name);
    if (known === undefined) throw unknownClient(name);
    refuseRenewal(known);
    const lifetime = days ?? known.record.days;
    const leaf = await clientLeaf(name, { keyType: known.record.keyType, days: lifetime });
    requireAccepted(known, leaf.cert);
    const stored: StoredClient = {
      record: { ...known.record, days: lifetime, updatedAt: now.toISOString() },
      ca: await trusted(),
      cert: leaf.cert,
      key: leaf.key,
    };
    made.clients[name] = stored;
    return stored;
  }

  async function server(spec: HostSpec, sans: readonly San[], more: IssueOptions = {}): Promise<ServerCredentials> {
    const known = (more.latest ?? state).hosts.get(spec.name);
    const why =
      more.force ??
      reasonToIssue(known?.serverCert, spec, sans, { cas: await trusted(), now, days: known?.record.days });
    if (known !== undefined && why === undefined)
      return { cert: await freshChain(known.serverCert), key: known.serverKey, fresh: false, why: '' };
    if (known !== undefined && !options.noOverlap && breaksClients(known.serverCert))
      throw caBreaksClients([spec.name]);
    if (sign !== undefined)
      return {
        ...(await signServer(sign, { spec, sans, ca: await trusted(), now, publicKey: more.publicKey })),
        fresh: true,
        why: why ?? '',
      };
    const base = { ca: await authority(), sans, days: spec.days, now };
    const issued =
      more.publicKey === undefined
        ? await issueServer({ ...base, keyType: spec.keyType })
        : { ...(await issueServer({ ...base, publicKey: more.publicKey })), key: undefined };
    crossed ??= crossCertificates();
    return { cert: issued.cert + (await crossed), key: issued.key, fresh: true, why: why ?? '' };
  }

  /** Once no older CA is trusted, the cross-signed certificate is dead weight: the leaf goes on alone. */
  async function freshChain(cert: string): Promise<string> {
    if (olderCas().length > 0) return cert;
    const [leaf = '', ...chain] = splitBundle(cert);
    const own = inspectCertificate(await caCert());
    return leaf + chain.filter((pem) => inspectCertificate(pem).ski !== own.ski).join('');
  }

  function clients(latest: People = state): Map<string, StoredClient> {
    return new Map([...latest.clients, ...(written && latest !== state ? [] : Object.entries(made.clients))]);
  }

  async function trustFor(spec: Accepting, latest: People = state): Promise<string> {
    const fresh = written && latest !== state ? [] : Object.entries(made.issuers);
    const issuers = new Map([...latest.issuers, ...fresh].map(([name, issuer]) => [name, issuer.cert]));
    // Clients that were issued elsewhere are none of this host's.
    const own = [...clients(latest).values()]
      .map(({ record }) => record)
      .filter((record) => record.reaches === undefined);
    if (sign === undefined || own.some((record) => issuers.has(record.name)))
      return trustFile(spec, { cas: await trusted(), clients: own, issuers });
    return leafOnlyTrust(spec, await trusted(), own);
  }

  return {
    caCert,
    trusted,
    authority,
    replaceCa,
    breaksClients,
    client,
    prepareIssuer: async (name) => {
      const known = state.clients.get(name);
      if (known !== undefined && known.record.revokedAt === undefined) await newestIssuer(name, known.record.keyType);
    },
    renewClient,
    amend: (stored) => {
      made.clients[stored.record.name] = stored;
    },
    signRequest,
    server,
    trustFor,
    clients,
    protect,
    change: () => ({
      ...(made.ca ? { ca: made.ca, retireCa: replaced.length > 0 && !keysLost } : {}),
      ...(keysLost ? { oldCas: olderCas() } : {}),
      issuers: { ...made.issuers },
      clients: { ...made.clients },
    }),
    written: () => {
      written = true;
    },
  };
}
