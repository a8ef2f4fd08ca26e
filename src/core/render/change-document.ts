/** The JSON of a change: its plan in a dry run, otherwise the outcome of each host. */

import type { Planned } from '../actions/results.ts';
import { signerWords } from '../domain/external-ca.ts';
import type { HostResult } from '../domain/host-results.ts';
import type { HostOutcome } from '../domain/plan/outcome.ts';
import { type CredentialChange, signs } from '../domain/trust/changes.ts';
import {
  type CheckDocument,
  type ContainersDocument,
  checkDocument,
  containersDocument,
  type FailedHostDocument,
  type OtherCaDocument,
  otherCaDocument,
  type SkippedHostDocument,
  unfinishedDocument,
} from './documents.ts';
import { handEdits } from './host-outcome.ts';
import { generationOf, type PlannedHostsDocument, plannedHostsDocument } from './plan-document.ts';

/** A host whose change, or check that there is nothing to change, succeeded. */
export type ChangedHostDocument = {
  readonly host: string;
  readonly result: 'ok';
  readonly changed: boolean;
  readonly address: string;
  /** Absent for a host without a port. */
  readonly port?: number | undefined;
  /** Absent after a removal of docker-tls. */
  readonly generation?: number;
  /** The generation that came back with a rollback. */
  readonly restored?: number;
  /** Paths that changed. */
  readonly files: readonly string[];
  /** Those whose manual edits were replaced. */
  readonly handEdits: readonly string[];
  readonly daemon: 'none' | 'reload' | 'restart' | 'stop';
  readonly containers: ContainersDocument;
  /** The verification afterwards. */
  readonly checks: readonly CheckDocument[];
  readonly otherCas: readonly OtherCaDocument[];
  readonly warnings: readonly string[];
  readonly seconds: number;
};

type HostOutcomeDocument = ChangedHostDocument | FailedHostDocument | SkippedHostDocument;

export function changedHostDocument({
  host,
  value,
  elapsedMs,
}: Extract<HostResult<HostOutcome>, { kind: 'done' }>): ChangedHostDocument {
  const { plan, changed, address, port, checks, otherCas, warnings } = value;
  return {
    ...{ host, result: 'ok', changed, address, port, generation: generationOf(plan) },
    restored: plan.returnsTo,
    files: plan.files.map(({ path }) => path),
    handEdits: handEdits(plan),
    daemon: plan.daemon.action,
    containers: containersDocument(plan),
    checks: checks.map(checkDocument),
    otherCas: otherCas.map(otherCaDocument),
    warnings: [...new Set([...plan.warnings, ...warnings])],
    seconds: elapsedMs / 1000,
  };
}

/** A change that was made. */
export type MadeChangeDocument = { readonly hosts: readonly HostOutcomeDocument[] };

export function madeChangeDocument(results: readonly HostResult<HostOutcome>[]): MadeChangeDocument {
  return { hosts: results.map((one) => (one.kind === 'done' ? changedHostDocument(one) : unfinishedDocument(one))) };
}

/** A change of the CA or of a client. `issues`: the CA signs something for it. */
type CredentialDocument =
  | {
      readonly change: 'create-ca' | 'replace-ca';
      readonly issues: boolean;
      readonly name: string;
      readonly keyType: string;
      readonly days: number;
    }
  | {
      readonly change: 'import-ca';
      readonly issues: boolean;
      readonly name: string;
      /** How it signs, in words. */
      readonly signer: string;
    }
  | { readonly change: 'issuing-ca'; readonly issues: boolean; readonly client: string }
  | {
      readonly change: 'client' | 'record';
      readonly issues: boolean;
      readonly client: string;
      readonly why: 'new' | 'renewal' | 'changed' | 'revoked';
      /** Absent: every host. */
      readonly hosts?: readonly string[];
      readonly days?: number;
      readonly keyType?: string;
    }
  | { readonly change: 'drop-old-cas'; readonly issues: boolean };

function credentialDocument(change: CredentialChange): CredentialDocument {
  const issues = signs(change);
  switch (change.kind) {
    case 'create-ca':
    case 'replace-ca': {
      const { name, keyType, days } = change.ca;
      return { change: change.kind, issues, name, keyType, days };
    }
    case 'import-ca':
      return { change: change.kind, issues, name: change.ca.record.name, signer: signerWords(change.ca.record) };
    case 'issuing-ca':
      return { change: change.kind, issues, client: change.client };
    case 'client':
    case 'record': {
      const { name, hosts, days, keyType, revokedAt } = change.record;
      const why = change.kind === 'client' ? change.why : revokedAt === undefined ? 'changed' : 'revoked';
      return { change: change.kind, issues, client: name, why, hosts, days, keyType };
    }
    default:
      return { change: change.kind, issues };
  }
}

/** The change that a dry run, or `plan`, shows. */
export type PlannedChangeDocument = PlannedHostsDocument & {
  readonly dryRun: true;
  /** Why hosts change that were not named. */
  readonly notes: readonly string[];
  readonly credentials: readonly CredentialDocument[];
  /** What this computer runs or sends to sign, set in a shared store. */
  readonly signer?: {
    readonly id: string;
    /** False: this computer needs `--trust-store-settings ID` first. */
    readonly accepted: boolean;
    readonly values: readonly { readonly name: string; readonly value: string }[];
  };
};

export function plannedChangeDocument({ wanted, hosts, signer, unapproved }: Planned): PlannedChangeDocument {
  return {
    dryRun: true,
    notes: wanted.notes ?? [],
    credentials: wanted.credentials.map(credentialDocument),
    signer: signer && {
      id: signer.id,
      accepted: !unapproved,
      values: signer.values.map(([name, value]) => ({ name, value })),
    },
    ...plannedHostsDocument(hosts),
  };
}

/** The result of every command that changes hosts. */
export type ChangeDocument = MadeChangeDocument | PlannedChangeDocument;
