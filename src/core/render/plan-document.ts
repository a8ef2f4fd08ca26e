/** The JSON of a plan: hosts with their changes. */

import type { AgreedHost } from '../actions/results.ts';
import type { HostResult } from '../domain/host-results.ts';
import { formatSan } from '../domain/pki/san.ts';
import type { FileChange } from '../domain/plan/file-change.ts';
import { type HostPlan, hasChanges } from '../domain/plan/plan-host.ts';
import {
  type ContainersDocument,
  containersDocument,
  type FailedHostDocument,
  type OtherCaDocument,
  otherCaDocument,
  type SkippedHostDocument,
  unfinishedDocument,
} from './documents.ts';

/** A change of one file, link or setting of a host. Private keys are not among them. */
export type FileChangeDocument = {
  readonly kind: 'file' | 'link' | 'absent' | 'attributes' | 'member' | 'sysctl' | 'loopback' | 'linger';
  /** For `member`: `group:user`; for `sysctl` and `loopback`: the kernel setting. */
  readonly path: string;
  /** Octal, four digits. */
  readonly mode?: string;
  /** `uid:gid`. */
  readonly owner?: string;
  /** Of `member` and `linger`. */
  readonly state?: 'present' | 'absent';
  /** Of `sysctl` and `loopback`: the value, or values per interface (`default=0 NAME=1`). */
  readonly value?: string;
  /** The text of the file before and after the change. */
  readonly before?: string;
  readonly after?: string;
  /** The target of a link. */
  readonly target?: string;
  /** The file was edited by hand since docker-tls wrote it. */
  readonly editedByHand?: boolean;
  readonly reason?: string;
};

function fileChangeDocument({ kind, path, mode, owner, before, after, to, drift, reason }: FileChange) {
  const document = { kind, path, before, after, target: to, editedByHand: drift, reason };
  switch (kind) {
    case 'member':
    case 'linger':
      return { ...document, state: mode === 'absent' ? 'absent' : 'present' } as const;
    case 'sysctl':
    case 'loopback':
      return { ...document, value: mode };
    default:
      return { ...document, mode: mode === '-' ? undefined : mode, owner: owner === '-' ? undefined : owner };
  }
}

/** New credentials for a host. */
export type HostCredentialsDocument = {
  readonly reason: string;
  /** `sent`: from this machine; `kept`: the host keeps its key; `made-on-host`: the key never leaves the host. */
  readonly key: 'sent' | 'kept' | 'made-on-host';
  /** A certificate to be issued; absent: the stored one is sent. */
  readonly certificate?: {
    /** For instance `DNS:build-1`, `IP:192.0.2.7`. */
    readonly names: readonly string[];
    readonly keyType: string;
    readonly days: number;
    readonly reason: string;
  };
};

const KEYS = { send: 'sent', keep: 'kept', host: 'made-on-host' } as const;

function hostCredentialsDocument(credentials: NonNullable<HostPlan['credentials']>): HostCredentialsDocument {
  const { reason, key, certificate } = credentials;
  if (!('issue' in certificate)) return { reason, key: KEYS[key] };
  const { names, keyType, days, reason: why } = certificate.issue;
  return {
    reason,
    key: KEYS[key],
    certificate: { names: names.map(formatSan), keyType, days, reason: why },
  };
}

/** What changes on one host, and its effects. */
export type HostPlanDocument = {
  /** What runs Docker there. */
  readonly kind: 'systemd' | 'sysvinit' | 'openrc' | 'podman' | 'rootless';
  readonly purpose: 'apply' | 'rollback' | 'remove';
  /** The generation that the change makes; absent if docker-tls is removed. */
  readonly generation?: number;
  /** The generation that comes back with a rollback. */
  readonly restores?: number;
  readonly port: number;
  /** What keeps new connections while dockerd restarts; `daemon`: nothing, they are refused for a moment. */
  readonly portHolder?: 'systemd' | 'firewall' | 'daemon';
  readonly credentials?: HostCredentialsDocument;
  readonly files: readonly FileChangeDocument[];
  readonly daemon: { readonly action: 'none' | 'reload' | 'restart' | 'stop'; readonly reason: string };
  /** The service that accepts clients in front of dockerd; absent: dockerd does it itself, before and after. */
  readonly listener?: {
    readonly action: 'start' | 'reload' | 'restart' | 'stop';
    readonly reason: string;
    /** Packages that are installed first. */
    readonly installs: readonly string[];
  };
  /** Further services that get new settings. */
  readonly reloads: readonly ('sshd' | 'audit rules')[];
  readonly containers: ContainersDocument;
  /** TCP addresses that accept every client without a certificate after the change. */
  readonly plainTcpPorts: readonly string[];
  /** What users of the host lose. */
  readonly costs: readonly string[];
  readonly warnings: readonly string[];
};

export function hostPlanDocument(plan: HostPlan): HostPlanDocument {
  const { kind, purpose, returnsTo, port, listening, credentials, files, daemon, opens, costs, warnings } = plan;
  return {
    ...{ kind, purpose, generation: generationOf(plan), restores: returnsTo, port },
    portHolder: listening === 'none' ? undefined : listening,
    credentials: credentials && hostCredentialsDocument(credentials),
    files: files.map(fileChangeDocument),
    daemon: { action: daemon.action, reason: daemon.reason },
    ...listenerOf(plan),
    reloads: plan.reloads,
    containers: containersDocument(plan),
    ...{ plainTcpPorts: opens, costs, warnings },
  };
}

function listenerOf({ listener }: HostPlan): Pick<HostPlanDocument, 'listener'> {
  const { action, reason, packages: installs } = listener;
  return action === 'none' ? {} : { listener: { action, reason, installs } };
}

/** The generation number; absent after a removal of docker-tls. */
export function generationOf({ generation }: HostPlan): number | undefined {
  return generation === 'none' ? undefined : generation;
}

/** A host with its plan. */
export type PlannedHostDocument = {
  readonly host: string;
  readonly result: 'ok';
  /** Whether the plan changes anything. */
  readonly changes: boolean;
  readonly address: string;
  /** Clients that the host accepts afterwards. */
  readonly clients: readonly string[];
  readonly otherCas: readonly OtherCaDocument[];
  readonly plan: HostPlanDocument;
  readonly seconds: number;
};

/** `changes`: how many hosts would change. */
export type PlannedHostsDocument = {
  readonly changes: number;
  readonly hosts: readonly (PlannedHostDocument | FailedHostDocument | SkippedHostDocument)[];
};

export function plannedHostsDocument(results: readonly HostResult<AgreedHost>[]): PlannedHostsDocument {
  const hosts = results.map((one) => {
    if (one.kind !== 'done') return unfinishedDocument(one);
    const { plan, address, accepts, otherCas } = one.value;
    return {
      ...{ host: one.host, result: 'ok' as const, changes: hasChanges(plan), address },
      clients: accepts ?? [],
      otherCas: (otherCas ?? []).map(otherCaDocument),
      plan: hostPlanDocument(plan),
      seconds: one.elapsedMs / 1000,
    };
  });
  return { changes: hosts.filter((host) => 'changes' in host && host.changes).length, hosts };
}
