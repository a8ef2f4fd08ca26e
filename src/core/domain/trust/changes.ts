/** The wishes of a run for hosts, the CA and the clients, as data. Those for the CA are previewed here, and carried out by engine/issue.ts alone. */

import { isDeepStrictEqual } from 'node:util';
import type { DockerTlsError } from '../../../errors/errors.ts';
import type { ClientRecord, StoredCa, StoreState } from '../../adapters/store/records.ts';
import { splitBundle } from '../pki/inspect.ts';
import type { KeyType } from '../pki/key-types.ts';
import type { CaSpec, HostSpec } from '../settings.ts';
import { NEW_CA, newIssuerId } from './ca-id.ts';
import { caExists } from './ca-refusals.ts';
import { type AccessView, issuingOf, makesIssuers } from './view.ts';

export type CredentialChange =
  /** The first CA of a store. */
  | { readonly kind: 'create-ca'; readonly ca: CaSpec }
  /** A CA that another tool made, and how it signs. */
  | { readonly kind: 'import-ca'; readonly ca: StoredCa }
  /** A new CA that issues from now on; the one before stays trusted. `lost`: the keys of this store cannot be opened and go. */
  | { readonly kind: 'replace-ca'; readonly ca: CaSpec; readonly lost: boolean }
  /** CAs that issued before are no longer trusted. */
  | { readonly kind: 'drop-old-cas' }
  /** An issuing CA for a client, under the CA in use. */
  | { readonly kind: 'issuing-ca'; readonly client: string; readonly keyType: KeyType }
  /** A certificate for a client: with a new key, or for a request (PEM) whose key stays with its owner. */
  | { readonly kind: 'client'; readonly why: 'new' | 'renewal'; readonly record: ClientRecord; readonly csr?: string }
  /** A client's record alone: its hosts, its revocation, when to renew. */
  | { readonly kind: 'record'; readonly record: ClientRecord };

export type Intent = {
  /** For locks and the host's own records, for instance `rotate server`. */
  readonly reason: string;
  /** What is wanted, by what the store has. Pure; called again once the store is locked. Throws what prevents it. */
  want(state: StoreState, now: Date): Wanted;
  /** What is asked before anything changes; undefined: nothing. */
  question?(wanted: Wanted, changing: number): string | undefined;
};

export type Wanted = {
  readonly hosts: readonly HostSpec[];
  readonly credentials: readonly CredentialChange[];
  readonly target: Target;
  /** Why hosts are changed that were not named. */
  readonly notes?: readonly string[];
  /** Hosts that stay as they are, each with its reason. */
  readonly leftOut?: readonly DockerTlsError[];
  /** Clients to verify hosts with, before any other. */
  readonly verifyAs?: readonly string[];
  /** Clients that must be rejected: tried with their own certificates. */
  readonly mustReject?: readonly string[];
  /** Copies of every client's files are brought up to date: a run before may have ended between the store and them. */
  readonly copies?: boolean;
  /** A CA and clients that are made for hosts go again where no host came to use them. */
  readonly temporary?: boolean;
};

export type Target =
  | {
      readonly kind: 'desired';
      /** Issue new server certificates whatever the old ones are; the words say why. */
      readonly force?: string;
      readonly noOverlap?: boolean;
      /** Hosts that another store manages may change hands. */
      readonly takeOver?: boolean;
      /** Clients of a CA that a host accepts now, and that this store does not know, may lose it. */
      readonly rejectOthers?: boolean;
      /** The fixes of a spec are added to those that the host has: no request takes any away. */
      readonly addHardening?: boolean;
    }
  | {
      readonly kind: 'generation';
      readonly to: number | 'previous' | 'none';
      /** Also where a revoked client, or a client of a dropped CA, is accepted again. */
      readonly allowRevoked: boolean;
      /** Remove also where a TCP port opens again that accepts every client. */
      readonly allowPlainTcp: boolean;
    };

/** A store without a CA gets one first. */
export function firstCa(known: unknown, ca: CaSpec): readonly CredentialChange[] {
  return known === undefined ? [{ kind: 'create-ca', ca }] : [];
}

/** A store gets the CA that is named; or what is new about how it signs. Where a credential is stored differs from computer to computer. */
export function namedCa(known: StoredCa | undefined, ca: StoredCa): readonly CredentialChange[] {
  const [cert] = splitBundle(ca.cert);
  if (known !== undefined && splitBundle(known.cert)[0] === cert) {
    if (known.keyPem !== undefined || isDeepStrictEqual(signing(known), signing(ca))) return [];
  } else if (known !== undefined) throw caExists();
  return [{ kind: 'import-ca', ca }];
}

function signing({ record: { external, token, leafOnly, chain, wholeChain } }: StoredCa) {
  const { credentialFile: _, passphraseFile: __, ...signer } = { credentialFile: '', passphraseFile: '', ...external };
  return JSON.parse(JSON.stringify({ signer, token: token?.uri, leafOnly, chain, wholeChain }));
}

/** The CA that issues once the changes are carried out, as far as it is known by now. */
export function caAfter(known: StoredCa | undefined, changes: readonly CredentialChange[]): StoredCa | undefined {
  return changes.reduce((ca, change) => (change.kind === 'import-ca' ? change.ca : ca), known);
}

/** Whether a key of the CA is needed for it, or a sign command. */
export function signs({ kind }: CredentialChange): boolean {
  return kind !== 'record' && kind !== 'drop-old-cas' && kind !== 'import-ca';
}

/** The store's CAs and clients once the changes are carried out. */
export function preview(view: AccessView, changes: readonly CredentialChange[]): AccessView {
  return changes.reduce(afterOne, view);
}

function afterOne(view: AccessView, change: CredentialChange): AccessView {
  switch (change.kind) {
    case 'create-ca':
      return { ...view, ca: NEW_CA, issuing: 'here' };
    case 'import-ca':
      return { ...view, ca: view.ca ?? NEW_CA, issuing: issuingOf(change.ca) };
    case 'replace-ca':
      return {
        ...view,
        ca: NEW_CA,
        oldCas: [...(view.ca === undefined ? [] : [view.ca]), ...view.oldCas],
        issuing: 'here',
        issuers: new Map([...view.issuers].map(([name, { ids, pem }]) => [name, { ids, pem, current: false }])),
      };
    case 'drop-old-cas':
      return {
        ...view,
        oldCas: [],
        issuers: new Map(
          [...view.issuers].map(([name, issuer]) => [
            name,
            { ...issuer, ids: issuer.ids.slice(0, 1), pem: splitBundle(issuer.pem)[0] ?? '' },
          ]),
        ),
      };
    case 'issuing-ca':
      return withIssuer(view, change.client);
    case 'client':
      return withIssuer(withClient(view, change.record), change.record.name);
    case 'record':
      return withClient(view, change.record);
  }
}

function withClient(view: AccessView, record: ClientRecord): AccessView {
  return { ...view, clients: new Map([...view.clients, [record.name, record]]) };
}

/** The issuing CA before stays beside the new one as long as its CA is trusted: hosts that list clients one by one accept both. */
function withIssuer(view: AccessView, client: string): AccessView {
  const known = view.issuers.get(client);
  if (!makesIssuers(view) || known?.current) return view;
  const ids = [newIssuerId(client), ...(view.oldCas.length > 0 ? (known?.ids ?? []) : [])];
  return { ...view, issuers: new Map([...view.issuers, [client, { ids, current: true, pem: known?.pem ?? '' }]]) };
}
