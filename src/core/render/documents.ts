/** Parts that the JSON documents of several commands share. Internal types change; these do not: each is copied field by field. */

import type { DockerTlsError } from '../../errors/errors.ts';
import type { HostResult } from '../domain/host-results.ts';
import type { OtherCa } from '../domain/other-ca.ts';
import type { ProbeCheck } from '../domain/plan/outcome.ts';
import type { HostPlan } from '../domain/plan/plan-host.ts';
import type { OutdatedCopy } from '../domain/trust/handed-out.ts';

/** A CA outside the store; the host accepts each of its clients. */
export type OtherCaDocument = { readonly subject: string; readonly fingerprint: string; readonly notAfter: Date };

export function otherCaDocument({ subject, fingerprint, notAfter }: OtherCa): OtherCaDocument {
  return { subject, fingerprint, notAfter };
}

/** One connection that was tried. */
export type CheckDocument = {
  /** For instance `client laptop` or `no certificate`. */
  readonly who: string;
  readonly expected: 'accepted' | 'rejected';
  readonly ok: boolean;
  readonly outcome: string;
  /** The server certificate is not the recorded one. */
  readonly otherCertificate?: true;
  /** The revoked client whose certificate was used. */
  readonly revoked?: string;
  /** The request that was sent to see whether the client's role rejects it. */
  readonly request?: string;
  /** Why there was no HTTP answer; `not-spoken-here`: not tried, because this machine's TLS library cannot. */
  readonly cause?: ProbeCauseDocument;
  /** The machine through which SSH led the connection. */
  readonly via?: string;
  readonly seconds: number;
};

/** Why a TLS connection got no HTTP answer. */
export type ProbeCauseDocument =
  | 'client-refused'
  | 'unknown-authority'
  | 'wrong-name'
  | 'expired'
  | 'not-yet-valid'
  | 'connection-refused'
  | 'timed-out'
  | 'unreachable'
  | 'name-not-found'
  | 'plain-http'
  | 'protocol'
  | 'reset'
  | 'not-spoken-here'
  | 'other';

export function checkDocument(check: ProbeCheck): CheckDocument {
  const { who, expected, ok, outcome, otherCertificate, revoked, request, cause, via, elapsedMs } = check;
  return {
    ...{ who, expected: expected === 'refused' ? 'rejected' : expected, ok, outcome, otherCertificate, revoked, cause },
    ...{ request, via, seconds: elapsedMs / 1000 },
  };
}

/** What a change means for running containers. */
export type ContainersDocument = {
  readonly running: readonly { readonly name: string; readonly restartPolicy: string }[];
  /**
   * `untouched`: no restart that affects them; `live-restore`: on already; `temporary`: on for the restart; `switched-on`: on from now on;
   * `stop`: they stop.
   */
  readonly effect: 'untouched' | 'live-restore' | 'temporary' | 'switched-on' | 'stop';
  /** Names of the containers that stop. */
  readonly stopping: readonly string[];
  /** False: the daemon does not list running containers. */
  readonly listed: boolean;
};

export function containersDocument({ containers }: HostPlan): ContainersDocument {
  const { running, how, wouldStop, unlisted } = containers;
  return {
    running: running.map(({ name, restart }) => ({ name, restartPolicy: restart })),
    effect: how,
    stopping: wouldStop,
    listed: unlisted !== true,
  };
}

/** A failure of one host. */
type HostErrorDocument = {
  readonly code: string;
  /** The exit status of a run in which it is the only failure. */
  readonly exit: number;
  readonly message: string;
  readonly hints: readonly string[];
  readonly details: readonly string[];
};

/** A host that failed. */
export type FailedHostDocument = {
  readonly host: string;
  readonly result: 'failed';
  readonly seconds: number;
  readonly errors: readonly HostErrorDocument[];
};

/** A host that was not started. */
export type SkippedHostDocument = { readonly host: string; readonly result: 'skipped'; readonly reason: string };

export function unfinishedDocument(
  result: Exclude<HostResult<unknown>, { kind: 'done' }>,
): FailedHostDocument | SkippedHostDocument {
  if (result.kind === 'skipped') return { host: result.host, result: 'skipped', reason: result.reason };
  const { host, elapsedMs, errors } = result;
  return { host, result: 'failed', seconds: elapsedMs / 1000, errors: errors.map(hostErrorDocument) };
}

function hostErrorDocument({ code, exit, message, hints, details }: DockerTlsError): HostErrorDocument {
  return { code, exit, message, hints: hints.map(String), details };
}

/** A copy of a client's files outside the store that holds an old certificate. */
export type OutdatedCopyDocument = {
  /** For instance `/home/ada/ci.tar (tar)`. */
  readonly what: string;
  /** A command, or a step at the tool. */
  readonly renew: string;
};

export function outdatedCopyDocument({ what, renew }: OutdatedCopy): OutdatedCopyDocument {
  return { what, renew };
}
