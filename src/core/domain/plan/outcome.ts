/** Outcome of a change on one host: its plan, and the verification results. */

import type { ProbeOutcome } from '../../runtime.ts';
import type { OtherCa } from '../other-ca.ts';
import type { HostPlan } from './plan-host.ts';

export type ProbeCheck = {
  /** The connecting client, for instance `client laptop` or `no certificate`. */
  readonly who: string;
  readonly expected: 'accepted' | 'refused';
  readonly ok: boolean;
  /** Sanitized outcome, one line. */
  readonly outcome: string;
  /** The server certificate is not the recorded one. */
  readonly otherCertificate?: true;
  /** The revoked client whose certificate was used. */
  readonly revoked?: string | undefined;
  /** Cause of a missing HTTP answer; `not-spoken-here`: not tried. */
  readonly cause?: Extract<ProbeOutcome, { kind: 'refused' }>['cause'];
  /** Request that the client's role does not allow. */
  readonly request?: string;
  /** A socket on the host: it has no part in the network. Whose systemd has the log of its listener. */
  readonly onHost?: 'root' | 'user';
  /** Connected through ssh from this host instead of directly. */
  readonly via?: string;
  readonly elapsedMs: number;
};

export type HostOutcome = {
  readonly host: string;
  readonly changed: boolean;
  readonly plan: HostPlan;
  readonly address: string;
  /** Undefined: the host has none. */
  readonly port: number | undefined;
  readonly accepts: readonly string[];
  /** CAs of other issuers; each of their clients is accepted too. */
  readonly otherCas: readonly OtherCa[];
  readonly checks: readonly ProbeCheck[];
  /** Warnings from the host during the change. */
  readonly warnings: readonly string[];
  readonly elapsedMs: number;
};
