/** Owns the shape of what a command wants: which hosts, and how their desired state and that of the CA and clients differ from what there is. */

import type { StoreState } from '../../adapters/store/records.ts';
import type { DockerTlsError } from '../../errors/errors.ts';
import type { HostSpec } from '../settings.ts';
import type { CredentialChange } from '../trust/changes.ts';

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
