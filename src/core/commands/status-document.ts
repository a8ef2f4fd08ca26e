/** The JSON of `status`. */

import { needsAttention, type ReachedHost, type StatusRow } from '../domain/status-row.ts';
import { type OtherCaDocument, otherCaDocument } from '../render/documents.ts';

export type StatusDocument = {
  readonly rows: readonly StatusRowDocument[];
  /** Hosts that were set up from another store, as imported clients see them. */
  readonly reached?: readonly ReachedDocument[];
  /** How many rows, and hosts and clients that are missing, need attention. */
  readonly attention: number;
  /** Named hosts that are not set up yet. */
  readonly missing?: readonly string[];
  /** Clients of the fleet file that are not issued yet. */
  readonly missingClients?: readonly string[];
};

type ReachedDocument = {
  readonly host: string;
  readonly address: string;
  readonly client: string;
  /** `rejected`: it was revoked, or not applied there yet. `failed`: the host did not answer, or as another. */
  readonly access: 'accepted' | 'rejected' | 'failed' | 'not asked';
  /** Why it is not accepted. */
  readonly reason?: string;
};

export function reachedDocument({ name, address, client, access, reason }: ReachedHost): ReachedDocument {
  return { host: name, address, client, access, reason };
}

type StatusRowDocument = {
  readonly kind: 'ca' | 'old ca' | 'host' | 'client';
  readonly name: string;
  /** Absent: it signed itself. */
  readonly issuer?: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly daysLeft: number;
  readonly state: 'ok' | 'due' | 'expired' | 'not-yet-valid' | 'revoked';
  readonly dueAt: Date;
  /** It is due or expired, differs or does not answer. */
  readonly attention: boolean;
  /** Of old CAs. */
  readonly serial?: string;
  /** Of clients: what renews the credentials. */
  readonly renew?: readonly string[];
  readonly address?: string;
  readonly description?: string;
  readonly generation?: number;
  readonly otherCas?: readonly OtherCaDocument[];
  /** Of hosts: every CA and client that the trust file accepts. */
  readonly accepts?: {
    readonly cas: readonly (OtherCaDocument & {
      /** `issuer`: issues for one client alone; of the others, every client is accepted. `other`: unknown to this store. */
      readonly role: 'ca' | 'old-ca' | 'issuer' | 'other';
    })[];
    readonly clients: readonly {
      readonly name: string;
      readonly notAfter: Date;
      /** This computer's own. */
      readonly own: boolean;
      /** Still accepted although it is revoked. */
      readonly revoked: boolean;
      /** `full` unless it has another. */
      readonly role: string;
    }[];
    /** Absent: the daemon itself accepts clients, all of a CA. Otherwise the listed clients alone, and others with a role for them. */
    readonly listener?: { readonly others?: string };
  };
  /** Of hosts: the service that accepts clients in front of the daemon, with its version; absent: the daemon itself, or not asked. */
  readonly listener?: string;
  /** How a host differs from the store, why a client is rejected, or how it differs from the fleet file; empty: no difference; absent: not checked. */
  readonly drift?: readonly string[];
  /** Of clients: it differs from the fleet file, and the last of `drift` says how; absent: it does not, or there is no file. */
  readonly differs?: true;
  /** The package whose upgrade closes most known vulnerabilities. */
  readonly upgrade?: {
    readonly package: string;
    /** How many vulnerabilities it closes. */
    readonly closes: number;
    readonly text: string;
    /** For the host, as root. */
    readonly command: string;
  };
  /** Why the host did not answer, over TLS, SSH or both. */
  readonly unreachable?: string;
};

export function statusRowDocument(row: StatusRow): StatusRowDocument {
  const { kind, name, issuer, notBefore, notAfter, daysLeft, state, dueAt, serial, renew, address } = row;
  const { description, generation, otherCas, accepts, listener, drift, differs, upgrade, unreachable } = row;
  return {
    ...{ kind, name, issuer, notBefore, notAfter, daysLeft, state, dueAt, attention: needsAttention(row) },
    ...{ serial, renew: renew?.map(String), address, description, generation },
    otherCas: otherCas?.map(otherCaDocument),
    accepts: accepts && {
      cas: accepts.cas.map(({ role, ...ca }) => ({ ...otherCaDocument(ca), role })),
      clients: accepts.clients.map(({ name, notAfter, own, revoked, role }) => ({
        name,
        notAfter,
        own,
        revoked,
        role,
      })),
      listener: accepts.listener && { others: accepts.listener.others },
    },
    listener,
    drift,
    differs,
    upgrade: upgrade && {
      ...{ package: upgrade.package, closes: upgrade.closes, text: upgrade.text, command: upgrade.command },
    },
    unreachable,
  };
}
