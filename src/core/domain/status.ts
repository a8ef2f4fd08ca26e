/** A row of `status`: something that can expire, and how a host differs from the store. */

import type { Hint } from '../../errors/errors.ts';
import type { OtherCa } from './other-ca.ts';

/** The upgrade of a package of a host, and the known vulnerabilities that it closes. */
export type Upgrade = {
  readonly package: string;
  readonly closes: number;
  readonly text: string;
  /** For the host, as root; a sentence where no one command is known to do it. */
  readonly command: string;
};

export type StatusRow = {
  readonly kind: 'ca' | 'old ca' | 'host' | 'client';
  readonly name: string;
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly daysLeft: number;
  readonly state: 'ok' | 'due' | 'expired' | 'not-yet-valid' | 'revoked';
  readonly dueAt: Date;
  /** Of an old CA: there may be several of one name. */
  readonly serial?: string;
  /** Of a client: the commands that give it new credentials, or say why it is rejected, and whether `rotate client` is the one. */
  readonly renew?: readonly Hint[];
  readonly renewable?: boolean;
  readonly address?: string;
  readonly description?: string | undefined;
  readonly generation?: number;
  /** Of a host: CAs of others, each of whose clients it accepts. */
  readonly otherCas?: readonly OtherCa[];
  /** How the host differs from the store, or why a client is rejected; empty: it does not, or is not; undefined: not asked. */
  readonly drift?: readonly string[];
  /** The package whose upgrade closes most known vulnerabilities. No reason for attention: `audit --fail-on` is. */
  readonly upgrade?: Upgrade;
  /** Why the host could not be asked, or not by one of the two ways. */
  readonly unreachable?: string;
};

/** What asking a host gave: `unreachable` beside `drift` says that one of the two ways answered. */
export type LiveRow = Pick<StatusRow, 'drift' | 'unreachable' | 'upgrade' | 'renew'>;

/** What `status --check` minds: something is due or expired, or a host differs or does not answer. */
export function needsAttention(row: StatusRow): boolean {
  return (
    (row.state !== 'ok' && row.state !== 'revoked') ||
    (row.drift !== undefined && row.drift.length > 0) ||
    row.unreachable !== undefined
  );
}
