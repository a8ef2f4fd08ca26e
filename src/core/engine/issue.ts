/**
 * Issuing: the only code that opens a CA key, asks an external CA or asks for a passphrase. Works in memory on the store's state; the
 * engine calls it after approval, under the store's lock, and writes the result.
 */

import type {
  ClientRecord,
  StoreChange,
  StoredCa,
  StoredClient,
  StoredIssuer,
  StoredOldCa,
  StoreState,
} from '../adapters/store/records.ts';
import type { ExternalCa } from '../domain/external-ca.ts';
import {
  crossSign,
  type IssuedCertificate,
  issueCa,
  issueClient,
  issueClientAuthority,
  issueServer,
} from '../domain/pki/certificate.ts';
import { makeCsr, parseCsr } from '../domain/pki/csr.ts';
import { inspectCertificate, isFrom, splitBundle } from '../domain/pki/inspect.ts';
import type { KeyType } from '../domain/pki/key-types.ts';
import { generateKey } from '../domain/pki/keys.ts';
import { type OpenAuthority, openAuthority } from '../domain/pki/open-authority.ts';
import { clientAuthorityName } from '../domain/pki/profiles.ts';
import type { CertificateRequest } from '../domain/plan/desired.ts';
import type { Secret } from '../domain/secret.ts';
import { caNotAccepted, externalCaKey } from '../domain/trust/ca-refusals.ts';
import { type CredentialChange, caAfter, preview, signs } from '../domain/trust/changes.ts';
import { requestForOther } from '../domain/trust/client-refusals.ts';
import { canVouch, requestNeedsKey } from '../domain/trust/server.ts';
import { hostsLosing } from '../domain/trust/trust.ts';
import { asksExternalCa, makesIssuers, viewOf } from '../domain/trust/view.ts';
import type { SignRequest } from '../runtime.ts';
import { loadIssuers, type SignerRun } from '../seams/issuers.ts';
import { protectKeys } from './key-protection.ts';

export type IssuerOptions = SignerRun & { readonly now: Date };

type Issuer = {
  /**
   * Carries out changes in order; returns the change to the store. Fails with E_CA_NOT_ACCEPTED (exit 3), E_SIGN_COMMAND, E_KEY_PASSPHRASE.
   */
  carryOut(changes: readonly CredentialChange[]): Promise<StoreChange>;
  /** Issues a server certificate. `publicKey`: PEM of a key that stays on the host. */
  server(host: string, request: CertificateRequest, publicKey?: string): Promise<{ cert: string; key?: Secret }>;
  /** Asks for the passphrase that the changes need, or without changes for that of server certificates. Call it before taking a lock. */
  unlock(changes: readonly CredentialChange[]): Promise<void>;
  /** A key in its stored form. */
  protect(key: Secret): Promise<Secret>;
};

/** An issuer for a state of the store. Asks for and opens keys only when needed. */
export function openIssuer(state: StoreState, options: IssuerOptions): Issuer {
  const { passphrase, now } = options;
  const keys = protectKeys(state, passphrase);
  const outsideSigner = async () => (await loadIssuers()).signerFor(options);
  /** The external CA that signs. A CA made in this run has its own key. */
  const external = () => (asksExternalCa({ ca }) ? (options.signer?.external ?? ca?.record.external) : undefined);
  let { ca, oldCas } = state as { ca: StoredCa | undefined; oldCas: StoreState['oldCas'] };
  // A client may be named constructor.
  const issuers: Record<string, StoredIssuer> = Object.create(null);
  const clients: Record<string, StoredClient> = Object.create(null);
  let made: Pick<StoreChange, 'ca' | 'retireCa' | 'oldCas' | 'removeOldCas'> = {};
  let opened: Promise<OpenAuthority> | undefined;
  let crossed: Promise<string> | undefined;

  function authority(): Promise<OpenAuthority> {
    opened ??= open(ca);
    return opened;
  }

  async function open(stored: Omit<StoredOldCa, 'serial'> | undefined): Promise<OpenAuthority> {
    const { cert = '', keyPem, record } = stored ?? {};
    if (keyPem !== undefined) return openAuthority({ cert, key: await keys.open(keyPem) });
    if (record?.token !== undefined) return (await outsideSigner()).open(cert, record.token);
    throw externalCaKey();
  }

  /** Whether a client's issuing CA signs, with its key in the store; the external CA signs certificates of hosts. */
  function issuesHere(changes: readonly CredentialChange[]): boolean {
    return makesIssuers(preview(viewOf(state, now), changes)) && changes.some(signs);
  }

  const trusted = (): string => [ca, ...oldCas].map((one) => one?.cert ?? '').join('');

  /** Trust file of clients, with the CAs above an intermediate one if that was requested. */
  function clientTrust(): string {
    const above = [ca, ...oldCas].flatMap((one) =>
      one?.record?.wholeChain === true ? splitBundle(one.record.chain ?? '') : [],
    );
    return trusted() + [...new Set(above)].join('');
  }

  async function makeCa(spec: { name: string; keyType: KeyType; days: number }): Promise<void> {
    const issued = await issueCa({ ...spec, now });
    const keyPem = await keys.protect(issued.key);
    ca = { cert: issued.leaf, keyPem, record: { ...spec, createdAt: now.toISOString() } };
    opened = Promise.resolve(issued);
    made = { ...made, ca };
  }

  async function replaceCa(spec: Parameters<typeof makeCa>[0], lost: boolean): Promise<void> {
    const before = ca;
    if (before !== undefined) oldCas = [{ ...before, serial: '' }, ...oldCas];
    if (lost) {
      await keys.beginAnew();
      oldCas = oldCas.map(({ keyPem: _, ...old }) => old);
      made = { oldCas };
      for (const [name, { cert }] of state.issuers) issuers[name] = { cert };
    } else {
      made = { retireCa: before !== undefined };
      if (before?.keyPem !== undefined) await keys.open(before.keyPem); // or two passphrases would be in use from now on
    }
    await makeCa(spec);
    renewTrust();
  }

  function dropOldCas(): void {
    made = { removeOldCas: oldCas.map(({ serial }) => serial) };
    oldCas = [];
    for (const [name, { cert, keyPem }] of state.issuers)
      issuers[name] = { cert: splitBundle(cert)[0] ?? cert, keyPem };
    renewTrust();
  }

  /** Makes the clients of this store trust the current CAs. */
  function renewTrust(): void {
    for (const client of state.clients.values()) {
      const { name, reaches, revokedAt } = client.record;
      if (reaches === undefined && !revokedAt) clients[name] = { ...client, ca: clientTrust() };
    }
  }

  /** The client's issuing CA under the current CA, created if missing. */
  async function newestIssuer(name: string, keyType: KeyType): Promise<StoredIssuer> {
    const known = issuers[name] ?? state.issuers.get(name);
    const [first = ''] = splitBundle(known?.cert ?? '');
    if (known?.keyPem !== undefined && isFrom(first, ca?.cert ?? '', 'client', now)) return known;
    const days = ca?.record.days ?? 0;
    const outside = external();
    const fresh =
      outside === undefined
        ? await issueClientAuthority({ ca: await authority(), clientName: name, days, keyType, now })
        : await issueOutside(outside, {
            profile: 'issuer',
            name,
            days,
            keyType,
            commonName: clientAuthorityName(name),
          });
    const keyPem = await keys.protect(fresh.key);
    // All previous ones: a rotation that begins before the last one finished leaves clients with certificates of the one before.
    const old = oldCas.length > 0 ? { cert: known?.cert ?? '', oldKeyPem: known?.keyPem } : { cert: '' };
    issuers[name] = { ...old, cert: (splitBundle(fresh.cert)[0] ?? '') + old.cert, keyPem };
    return issuers[name];
  }

  /**
   * The authority that signs for a client: its newest issuing CA, or the previous one while a host that accepts the client knows only that.
   */
  async function clientAuthority({ name, keyType }: ClientRecord): Promise<{ cert: string; key: Secret }> {
    const { cert, keyPem, oldKeyPem } = await newestIssuer(name, keyType);
    const [newest = '', before] = splitBundle(cert);
    if (before !== undefined && oldKeyPem !== undefined && losing(name, before, newest).length > 0)
      return { cert: before, key: await keys.open(oldKeyPem) };
    if (keyPem === undefined) throw externalCaKey();
    return { cert: newest, key: await keys.open(keyPem) };
  }

  function losing(name: string, before: string, after: string): string[] {
    const client = (clients[name] ?? state.clients.get(name))?.record ?? { name };
    return hostsLosing([...state.hosts.values()], { client, before, after, now });
  }

  async function client({ record, csr }: Extract<CredentialChange, { kind: 'client' }>): Promise<void> {
    const { name } = record;
    const known = state.clients.get(name);
    const issued = await clientCertificate(record, csr);
    // A replacement must not lock the certificate's owner out.
    const hosts = known === undefined ? [] : losing(name, known.cert, issued.cert);
    if (hosts.length > 0) throw caNotAccepted(name, hosts);
    clients[name] = { ...issued, record, ca: clientTrust() };
  }

  /** With a new key, unless there is a request. */
  async function clientCertificate(record: ClientRecord, csr?: string): Promise<{ cert: string; key?: Secret }> {
    const { name, days, keyType } = record;
    const outside = external();
    if (outside !== undefined && ca?.record.leafOnly) {
      const request = { profile: 'client', name, days } as const;
      if (csr === undefined) return issueOutside(outside, { ...request, keyType, commonName: name });
      // An external CA takes the name from the request, so its sender chooses it.
      const { commonName } = parseCsr(csr);
      if (commonName !== name) throw requestForOther(name, commonName);
      return { cert: await sign(outside, { ...request, csr, commonName }) };
    }
    const base = { authority: await clientAuthority(record), name, days, now };
    if (csr !== undefined) return { cert: (await issueClient({ ...base, publicKey: parseCsr(csr).publicKey })).cert };
    const { cert, key } = await issueClient({ ...base, keyType });
    return { cert, key };
  }

  /** A certificate of an external CA for a new key. The key stays on this machine. */
  async function issueOutside(
    outside: ExternalCa,
    { keyType, ...request }: Omit<SignRequest, 'csr' | 'ca' | 'now'> & { readonly keyType: KeyType },
  ) {
    const key = await generateKey(keyType);
    const csr = makeCsr({ ...request, key, issuer: request.profile === 'issuer' });
    return { cert: await sign(outside, { ...request, csr }), key };
  }

  async function sign(outside: ExternalCa, request: Omit<SignRequest, 'ca' | 'now'>): Promise<string> {
    return (await outsideSigner()).sign(outside, { ...request, ca: trusted(), now });
  }

  /**
   * While an older CA is still trusted, servers also send the new CA's certificate signed by the old one, so that clients without their new
   * files still trust them. Empty without an older CA, or if its key is gone or it has expired.
   */
  async function crossCertificates(): Promise<string> {
    const certs: string[] = [];
    for (const old of oldCas) {
      const days = Math.floor((inspectCertificate(old.cert).notAfter.getTime() - now.getTime()) / 86_400_000);
      if (days < 1 || !canVouch(old)) continue;
      const crossed = await crossSign({ ca: await authority(), issuer: await open(old), days, now });
      certs.push(crossed.leaf);
    }
    return certs.join('');
  }

  async function one(change: CredentialChange): Promise<void> {
    switch (change.kind) {
      case 'create-ca':
        return makeCa(change.ca);
      case 'import-ca':
        made = { ca: change.ca };
        ca = change.ca;
        return;
      case 'replace-ca':
        return replaceCa(change.ca, change.lost);
      case 'drop-old-cas':
        return dropOldCas();
      case 'issuing-ca':
        await newestIssuer(change.client, change.keyType);
        return;
      case 'client':
        return client(change);
      case 'record': {
        const stored = state.clients.get(change.record.name) as StoredClient;
        clients[change.record.name] = { ...stored, ...clients[change.record.name], record: change.record };
      }
    }
  }

  return {
    async carryOut(changes) {
      for (const change of changes) await one(change);
      return { ...made, issuers: { ...issuers }, clients: { ...clients } };
    },
    async server(host, { names: sans, keyType, days }, publicKey) {
      const outside = external();
      if (outside !== undefined) {
        if (publicKey !== undefined) throw requestNeedsKey(host);
        return issueOutside(outside, {
          profile: 'server',
          name: host,
          days,
          keyType,
          sans,
          commonName: host.slice(0, 64),
        });
      }
      const base = { ca: await authority(), sans, days, now };
      const issued: IssuedCertificate & { readonly key?: Secret } =
        publicKey === undefined ? await issueServer({ ...base, keyType }) : await issueServer({ ...base, publicKey });
      crossed ??= crossCertificates();
      return { cert: issued.cert + (await crossed), key: issued.key };
    },
    async unlock(changes) {
      const fresh = changes.some(({ kind }) => kind === 'create-ca' || kind === 'replace-ca');
      const coming = caAfter(ca, changes);
      if (changes.some((change) => change.kind === 'replace-ca' && change.lost)) await keys.beginAnew();
      else if (!fresh && coming?.record.token !== undefined && (changes.length === 0 || changes.some(signs)))
        await (await outsideSigner()).unlock(coming.record.token);
      if (fresh || (ca?.keyPem === undefined ? issuesHere(changes) : changes.length === 0 || changes.some(signs)))
        await keys.unlock(fresh);
    },
    protect: keys.protect,
  };
}
