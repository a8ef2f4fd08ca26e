/**
 * Issuing: the only code that opens a CA key, asks an external CA or asks for a passphrase. Works in memory on what the store has;
 * the engine calls it once a plan is agreed to, under the store's lock, and writes what comes out.
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
  type Issued,
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
import type { Runtime, SignRequest } from '../runtime.ts';
import { approvedSigner, type SignerApproval } from './approved-signer.ts';
import { type PassphraseSource, protectKeys } from './key-protection.ts';
import { openToken } from './token.ts';

export type IssuerOptions = SignerApproval & {
  readonly passphrase: PassphraseSource;
  readonly runtime: Pick<Runtime, 'sign' | 'signByToken'>;
  readonly now: Date;
};

export type Issuer = {
  /** Carries changes out, in order; gives what is to be stored. Fails with E_CA_NOT_ACCEPTED (exit 3), E_SIGN_COMMAND, E_KEY_PASSPHRASE. */
  carryOut(changes: readonly CredentialChange[]): Promise<StoreChange>;
  /** A server certificate. `publicKey`: of a key that stays on the host (PEM). */
  server(host: string, request: CertificateRequest, publicKey?: string): Promise<{ cert: string; key?: Secret }>;
  /** Asks for the passphrase that changes, or (without any) server certificates need: before a lock is taken. */
  unlock(changes: readonly CredentialChange[]): Promise<void>;
  /** A key in the form in which it is stored. */
  protect(key: Secret): Promise<Secret>;
  /** The CA's own key, for `ca export`. */
  authority(): Promise<OpenAuthority>;
};

/** An issuer over the store as it was read. Nothing is asked or opened before it is needed. */
export function openIssuer(state: StoreState, options: IssuerOptions): Issuer {
  const { passphrase, runtime, now } = options;
  const keys = protectKeys(state, passphrase);
  const { sign, token: here } = approvedSigner(runtime, options);
  /** The CA that is asked; one that this run makes has its key here. */
  const external = () => (asksExternalCa({ ca }) ? (options.signer?.external ?? ca?.record.external) : undefined);
  let { ca, oldCas } = state as { ca: StoredCa | undefined; oldCas: StoreState['oldCas'] };
  // A client may be called constructor.
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
    if (record?.token !== undefined) return openToken(cert, await here(record.token), passphrase, runtime);
    throw externalCaKey();
  }

  /** Whether a client's issuing CA signs, whose key is in the store; the certificates of hosts are the external CA's. */
  function issuesHere(changes: readonly CredentialChange[]): boolean {
    return makesIssuers(preview(viewOf(state, now), changes)) && changes.some(signs);
  }

  const trusted = (): string => [ca, ...oldCas].map((one) => one?.cert ?? '').join('');

  /** The trust file of clients; with the CAs above an intermediate one where that was asked for. */
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

  /** The clients of this store trust the CAs that there are now. */
  function renewTrust(): void {
    for (const client of state.clients.values()) {
      const { name, reaches, revokedAt } = client.record;
      if (reaches === undefined && !revokedAt) clients[name] = { ...client, ca: clientTrust() };
    }
  }

  /** The client's issuing CA under the CA in use, made where there is none. */
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
    // All of them: a rotation begun before the last one was through leaves clients with certificates of the one before.
    const old = oldCas.length > 0 ? { cert: known?.cert ?? '', oldKeyPem: known?.keyPem } : { cert: '' };
    issuers[name] = { ...old, cert: (splitBundle(fresh.cert)[0] ?? '') + old.cert, keyPem };
    return issuers[name];
  }

  /** What signs for a client: its newest issuing CA, or the one before as long as a host that accepts the client knows only that. */
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
    // What replaces another certificate must not lock its owner out.
    const hosts = known === undefined ? [] : losing(name, known.cert, issued.cert);
    if (hosts.length > 0) throw caNotAccepted(name, hosts);
    clients[name] = { ...issued, record, ca: clientTrust() };
  }

  /** With a key that is made here, unless there is a request. */
  async function clientCertificate(record: ClientRecord, csr?: string): Promise<{ cert: string; key?: Secret }> {
    const { name, days, keyType } = record;
    const outside = external();
    if (outside !== undefined && ca?.record.leafOnly) {
      const request = { profile: 'client', name, days } as const;
      if (csr === undefined) return issueOutside(outside, { ...request, keyType, commonName: name });
      // An external CA takes the name from the request, which is its sender's word.
      const { commonName } = parseCsr(csr);
      if (commonName !== name) throw requestForOther(name, commonName);
      return { cert: await sign(outside, { ...request, csr, commonName, ca: trusted(), now }) };
    }
    const base = { authority: await clientAuthority(record), name, days, now };
    if (csr !== undefined) return { cert: (await issueClient({ ...base, publicKey: parseCsr(csr).publicKey })).cert };
    const { cert, key } = await issueClient({ ...base, keyType });
    return { cert, key };
  }

  /** What a CA that is asked makes of a key that is made here, and stays. */
  async function issueOutside(
    outside: ExternalCa,
    { keyType, ...request }: Omit<SignRequest, 'csr' | 'ca' | 'now'> & { readonly keyType: KeyType },
  ) {
    const key = await generateKey(keyType);
    const csr = makeCsr({ ...request, key, issuer: request.profile === 'issuer' });
    return { cert: await sign(outside, { ...request, csr, ca: trusted(), now }), key };
  }

  /**
   * While an older CA is still trusted, servers send a certificate of the new CA that the old one has signed as well: clients that have
   * not fetched their new files go on trusting them. Empty where there is no older CA, or its key or its time is gone.
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
      const issued: Issued & { readonly key?: Secret } =
        publicKey === undefined ? await issueServer({ ...base, keyType }) : await issueServer({ ...base, publicKey });
      crossed ??= crossCertificates();
      return { cert: issued.cert + (await crossed), key: issued.key };
    },
    async unlock(changes) {
      const fresh = changes.some(({ kind }) => kind === 'create-ca' || kind === 'replace-ca');
      const coming = caAfter(ca, changes);
      if (changes.some((change) => change.kind === 'replace-ca' && change.lost)) await keys.beginAnew();
      else if (!fresh && coming?.record.token !== undefined && (changes.length === 0 || changes.some(signs)))
        await passphrase.pin(await here(coming.record.token));
      if (fresh || (ca?.keyPem === undefined ? issuesHere(changes) : changes.length === 0 || changes.some(signs)))
        await keys.unlock();
    },
    protect: keys.protect,
    authority,
  };
}
