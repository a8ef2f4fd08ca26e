/** Parts of features in a change of a host. */

import { printable } from '../../../errors/errors.ts';
import type { ChangePart, PartPlan } from '../../seams/change-parts.ts';
import { noFeature } from '../../seams/seam.ts';
import { viewDaemon } from './daemon-view.ts';
import type { HostFacts } from './facts.ts';
import { type FileChange, isFileKind, type Reload } from './file-change.ts';
import { isDaemonPath } from './plan-daemon.ts';

/** Those that this build knows, before the facts of any host are read. */
export const PARTS: ChangePart[] = [];

const hasKind = ({ kinds = {} }: ChangePart, kind: string): boolean => Object.hasOwn(kinds, kind);

/** A change of a kind that is neither a file nor a link, in words. */
export function kindWords(change: FileChange): string {
  return PARTS.find((part) => hasKind(part, change.kind))?.kinds?.[change.kind]?.(change) ?? change.path;
}

/** Services that read changed files. */
export function reloadsFor(files: readonly FileChange[]): readonly Reload[] {
  return PARTS.flatMap(({ reload }) =>
    reload !== undefined && files.some(({ path }) => reload.paths.test(path)) ? reload.title : [],
  );
}

/** Warnings of parts about a plan with these changes. */
export function partWarnings(facts: HostFacts, files: readonly FileChange[]): readonly string[] {
  return PARTS.flatMap(({ warnings }) => warnings?.(facts, files) ?? []);
}

/** The parts of a change. What the rollback may meet is in its files and in what is managed after it. */
export function partsOf(plan: PartPlan): readonly ChangePart[] {
  const kinds = new Set([...plan.files, ...plan.managed].map(({ kind }) => kind));
  return PARTS.filter(
    (part) =>
      [...kinds].some((kind) => hasKind(part, kind)) ||
      (part.reload !== undefined && plan.reloads.includes(part.reload.title)) ||
      part.concerns?.(plan) === true,
  );
}

/**
 * Another build has changed the host, and this one has no code to keep or restore that. `canHarden`: with the code of fixes. Fails with
 * E_NO_FEATURE (exit 4).
 */
export function requireParts(host: string, facts: HostFacts, canHarden: boolean): void {
  const view = viewDaemon(facts);
  const entries = [...facts.origin.values(), ...[...facts.generations.values()].flatMap((one) => [...one.values()])];
  const managed = facts.state?.managed ?? [];
  // An administrator may have made a link of daemon.json, or moved it.
  const isOurs = (path: string) => path === facts.places.daemonJson || isDaemonPath(path, facts, view);
  const foreign =
    [...managed, ...entries].find(
      ({ kind }) => kind !== 'unit' && !isFileKind(kind) && !PARTS.some((part) => hasKind(part, kind)),
    ) ?? managed.find(({ kind, path }) => !canHarden && isFileKind(kind) && !isOurs(path));
  if (foreign === undefined) return;
  throw noFeature(host, `docker-tls has changed ${printable(foreign.path)} there, which this build of it cannot`);
}
