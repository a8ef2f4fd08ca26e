/** Parts of a change that features add: kinds of its entries, and services beside the daemon. engine/loaded-kinds.ts loads them. */

import type { HostFacts } from '../domain/plan/facts.ts';
import type { FileChange, Reload } from '../domain/plan/file-change.ts';
import type { ListenerPlan } from '../domain/plan/listener.ts';
import { seam } from './seam.ts';

/** What parts need to know of a plan. */
export type PartPlan = {
  readonly purpose: 'apply' | 'rollback' | 'remove';
  readonly files: readonly FileChange[];
  readonly managed: readonly { readonly kind: string; readonly path: string }[];
  readonly reloads: readonly Reload[];
  readonly listener: ListenerPlan;
  readonly daemonJson: { readonly after?: string };
};

/** A file beside new credentials, in their directory: a link to another one, or a text. */
export type CredentialFile = { readonly name: string } & ({ readonly to: string } | { readonly text: string });

/**
 * A part, and the modules of the host's scripts that only it needs. They may define functions HOOK_NAME, which the core's modules call in this
 * order: `prepare` before the validation, `keep` before the first rename, `check` once the files are in place, `stop` before the daemon's socket
 * moves, `apply` after the daemon, as well in a rollback; `boot` after a rollback at boot, `last` before the records go. `units` prints units
 * whose log a failure shows. `apart`, never called, says that `apply` is of use while the daemon is down: a failed rollback retries it then.
 */
export type ChangePart = {
  /** In names of functions: letters and `_`. */
  readonly name: string;
  /**
   * Kinds of entries that are neither files nor links, in words of a plan. Modules of `rollback` define for each KIND `state_KIND PATH`, which
   * prints mode and owner with a tab between (status 1: nothing is there; 2: unknown), and `set_KIND MODE OWNER PATH`.
   */
  readonly kinds?: Readonly<Record<string, (change: FileChange) => string>>;
  /** A service that reads the files at these paths. */
  readonly reload?: { readonly title: Reload; readonly paths: RegExp };
  /** Whether a change concerns it beyond that. */
  readonly concerns?: (plan: PartPlan) => boolean;
  /** Variables of its modules. */
  readonly settings?: (plan: PartPlan) => Readonly<Record<string, string>>;
  /** Files that come with new credentials. `ca`: the trust file. */
  readonly credentials?: (plan: PartPlan, ca: string) => readonly CredentialFile[];
  /** Warnings of a plan with these changes, unless it removes docker-tls. */
  readonly warnings?: (facts: HostFacts, files: readonly FileChange[]) => readonly string[];
  /** Module of the facts script with the function `facts_NAME`, which a host's systemd has it call. */
  readonly facts?: string;
  readonly rollback: readonly string[];
  readonly apply?: readonly string[];
};

/** `order`: those with a lower one come first in a change. */
export const CHANGE_PARTS = seam<{ readonly order: number; load(): Promise<readonly ChangePart[]> }>();
