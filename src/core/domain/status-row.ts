/** A row of `status`: an item with an expiry date, and how a host differs from the store. */

import type { Hint } from '../../errors/errors.ts';
import type { OtherCa } from './other-ca.ts';

/** A package upgrade on a host, and the known vulnerabilities that it closes. */
export type Upgrade = {
  readonly package: string;
  readonly closes: number;
  readonly text: string;
  /** Command for the host, as root; a sentence if no single command is known. */
  readonly command: string;
};

/** `issuer`: issues for one client alone; `other`: unknown to this store. Of the others, every client is accepted. */
export type AcceptedCa = OtherCa & { readonly role: 'ca' | 'old-ca' | 'issuer' | 'other' };

type AcceptedClient = {
  readonly name: string;
  readonly notAfter: Date;
  /** This computer's own. */
  readonly own: boolean;
  /** Accepted although it is revoked: that was not applied. */
  readonly revoked: boolean;
  readonly role: string;
};

export type Accepted = {
  readonly cas: readonly AcceptedCa[];
  readonly clients: readonly AcceptedClient[];
  /** If a listener in front of the daemon accepts the listed clients alone; `others`: the role of clients of CAs unknown to this store. */
  readonly listener?: { readonly others: string | undefined } | undefined;
};

export type StatusRow = {
  readonly kind: 'ca' | 'old ca' | 'host' | 'client';
  readonly name: string;
  /** Undefined: it signed itself. */
  readonly issuer: string | undefined;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly daysLeft: number;
  readonly state: 'ok' | 'due' | 'expired' | 'not-yet-valid' | 'revoked';
  readonly dueAt: Date;
  /** Old CAs: tells apart several of the same name. */
  readonly serial?: string;
  /** Clients: commands that renew the credentials, or say why it is rejected; `renewable`: whether `rotate client` is the command. */
  readonly renew?: readonly Hint[];
  readonly renewable?: boolean;
  readonly address?: string;
  readonly description?: string | undefined;
  readonly generation?: number;
  /** Hosts: CAs of other issuers; it accepts each of their clients. */
  readonly otherCas?: readonly OtherCa[];
  /** Hosts: every CA and client that its trust file accepts. */
  readonly accepts?: Accepted;
  /** Differences between host and store, or of a client from the fleet file, or why it is rejected; empty: none; undefined: not checked. */
  readonly drift?: readonly string[];
  /** Clients: it differs from the fleet file, and the last of `drift` says how. */
  readonly differs?: true;
  /** Hosts: the service that accepts clients in front of the daemon, with its version, such as `HAProxy 3.0.11`. */
  readonly listener?: string | undefined;
  /** The package whose upgrade closes most known vulnerabilities. Only `audit --fail-on` treats it as a problem. */
  readonly upgrade?: Upgrade;
  /** Why the host did not answer, over both routes or one of them. */
  readonly unreachable?: string;
};

/** Result of probing a host: `unreachable` together with `drift` means that one of the two routes answered. */
export type LiveRow = Pick<StatusRow, 'drift' | 'unreachable' | 'upgrade' | 'renew' | 'listener'>;

/** A host that was set up from another store, as an imported client sees it. */
export type ReachedHost = {
  readonly name: string;
  readonly address: string;
  readonly client: string;
  /** `rejected`: it was revoked, or not applied there yet. `failed`: the host did not answer, or as another. */
  readonly access: 'accepted' | 'rejected' | 'failed' | 'not asked';
  readonly reason?: string;
};

/** Problems for `status --check`: an item is due or expired, or a host differs or does not answer. */
export function needsAttention(row: StatusRow): boolean {
  return (
    (row.state !== 'ok' && row.state !== 'revoked') ||
    (row.drift !== undefined && row.drift.length > 0) ||
    row.unreachable !== undefined
  );
}
