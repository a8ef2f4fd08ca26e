/** The outcome of a change of one host: its plan, and the connections that were tried afterwards. */

import type { ProbeOutcome } from '../../runtime.ts';
import type { OtherCa } from '../other-ca.ts';
import type { HostPlan } from './plan.ts';

export type CheckResult = {
  /** Who connects, for instance `client laptop` or `no certificate`. */
  readonly who: string;
  readonly expected: 'accepted' | 'refused';
  readonly ok: boolean;
  /** What happened, clean, one line. */
  readonly outcome: string;
  /** What is wrong is the server's certificate: it is not the one on record. */
  readonly otherCertificate?: true;
  /** The revoked client whose own certificate was tried. */
  readonly revoked?: string | undefined;
  /** Why there was no answer over HTTP, where there was none; `not-spoken-here`: it was not tried. */
  readonly cause?: Extract<ProbeOutcome, { kind: 'refused' }>['cause'];
  /** It was not tried from here, but through ssh: from where. */
  readonly via?: string;
  readonly elapsedMs: number;
};

export type HostOutcome = {
  readonly host: string;
  readonly changed: boolean;
  readonly plan: HostPlan;
  readonly address: string;
  readonly accepts: readonly string[];
  /** CAs of others, each of whose clients is accepted as well. */
  readonly otherCas: readonly OtherCa[];
  readonly checks: readonly CheckResult[];
  /** What the host had to say while it was changed. */
  readonly warnings: readonly string[];
  readonly elapsedMs: number;
};
