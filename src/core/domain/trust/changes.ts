/** Intended changes to hosts, CA and clients, as data. Changes to the CA are previewed in this file; only engine/issue.ts applies them. */

import type { DockerTlsError } from '../../../errors/errors.ts';
import type { ClientRecord, StoredCa, StoreState } from '../../adapters/store/records.ts';
import { splitBundle } from '../pki/inspect.ts';
import type { KeyType } from '../pki/key-types.ts';
import type { CaSpec, HostSpec } from '../settings.ts';
import { type CaId, NEW_CA, newIssuerId } from './ca-id.ts';
import { type AccessView, issuingOf, makesIssuers } from './view.ts';

export type CredentialChange =
  /** First CA of a store. */
  | { readonly kind: 'create-ca'; readonly ca: CaSpec }
  /** A CA made by another tool, with a description of how it signs. */
  | { readonly kind: 'import-ca'; readonly ca: StoredCa }
  /** A new issuing CA; the previous one stays trusted. `lost`: the store's keys cannot be decrypted and are dropped. */
  | { readonly kind: 'replace-ca'; readonly ca: CaSpec; readonly lost: boolean }
  /** Former issuing CAs lose trust. */
  | { readonly kind: 'drop-old-cas' }
  /** A client's issuing CA, under the current CA. */
  | { readonly kind: 'issuing-ca'; readonly client: string; readonly keyType: KeyType }
  /** A client certificate: with a new key, or for a request (PEM) whose key stays with its owner. */
  | { readonly kind: 'client'; readonly why: 'new' | 'renewal'; readonly record: ClientRecord; readonly csr?: string }
  /** A client's record only: hosts, revocation, renewal. */
  | { readonly kind: 'record'; readonly record: ClientRecord };

export type Intent = {
  /** Reason for locks and the host's records, for instance `rotate server`. */
  readonly reason: string;
  /** Resolves the intent against the store. Pure; called again under the store's lock. Throws if the change is impossible. */
  want(state: StoreState, now: Date): Wanted;
  /** Confirmation question before any change; undefined: none. */
  question?(wanted: Wanted, changing: number): string | undefined;
};

/** CAs whose clients a host is to accept, or the reason why they cannot be chosen. */
export type Trust = readonly CaId[] | DockerTlsError;

/** A host of a change. Without `trust`, the host brings back the CAs of an earlier state. */
export type WantedHost = { readonly spec: HostSpec; readonly trust?: Trust };

export type Wanted = {
  readonly hosts: readonly WantedHost[];
  readonly credentials: readonly CredentialChange[];
  readonly target: Target;
  /** Reason to change hosts that were not named. */
  readonly notes?: readonly string[];
  /** Skipped hosts, each with its reason. */
  readonly leftOut?: readonly DockerTlsError[];
  /** Clients to use first for verification. */
  readonly verifyAs?: readonly string[];
  /** Clients that must be rejected; verified with their own certificates. */
  readonly mustReject?: readonly string[];
  /** Update copies of every client's files: an earlier run may have ended between the store and the copies. */
  readonly copies?: boolean;
  /** Drop a new CA and new clients again if no host uses them. */
  readonly temporary?: boolean;
};

export function specsOf({ hosts }: Pick<Wanted, 'hosts'>): HostSpec[] {
  return hosts.map(({ spec }) => spec);
}

export type Target =
  | {
      readonly kind: 'desired';
      /** Reason to issue new server certificates unconditionally. */
      readonly force?: string;
      readonly noOverlap?: boolean;
      /** Allow taking over hosts that another store manages. */
      readonly takeOver?: boolean;
      /** Allow locking out clients of a CA that a host accepts now and this store does not know. */
      readonly rejectOthers?: boolean;
      /** Add the spec's fixes to those of the host; requests remove none. */
      readonly addHardening?: boolean;
      /** Start sockets on the host that are not active, if nothing else changes there. */
      readonly startSockets?: boolean;
    }
  | {
      readonly kind: 'generation';
      readonly to: number | 'previous' | 'none';
      /** Allow a revoked client, or a client of a dropped CA, to regain access. */
      readonly allowRevoked: boolean;
      /** Allow `remove` to reopen a TCP port that accepts every client. */
      readonly allowPlainTcp: boolean;
    };

/** Creates a CA in a store without one. */
export function firstCa(known: unknown, ca: CaSpec): readonly CredentialChange[] {
  return known === undefined ? [{ kind: 'create-ca', ca }] : [];
}

/** The issuing CA after the changes, if already known. */
export function caAfter(known: StoredCa | undefined, changes: readonly CredentialChange[]): StoredCa | undefined {
  return changes.reduce((ca, change) => (change.kind === 'import-ca' ? change.ca : ca), known);
}

/** Whether the change needs a key of the CA, or a sign command. */
export function signs({ kind }: CredentialChange): boolean {
  return kind !== 'record' && kind !== 'drop-old-cas' && kind !== 'import-ca';
}

/** CAs and clients of the store after the changes. */
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
        direct: (name) => view.direct(name, false),
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

/** The previous issuing CA stays while its CA is trusted: hosts that list clients accept both. */
function withIssuer(view: AccessView, client: string): AccessView {
  const known = view.issuers.get(client);
  if (!makesIssuers(view) || known?.current) return view;
  const ids = [newIssuerId(client), ...(view.oldCas.length > 0 ? (known?.ids ?? []) : [])];
  return { ...view, issuers: new Map([...view.issuers, [client, { ids, current: true, pem: known?.pem ?? '' }]]) };
}
