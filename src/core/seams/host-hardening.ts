/** Additions of a host's fixes to its plan, and upgrades that the host reports. engine/hardening.ts calls them. */

import type { DesiredHost } from '../domain/plan/desired.ts';
import type { HostFacts } from '../domain/plan/facts.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { Upgrade } from '../domain/status-row.ts';
import type { HostSession, Runtime } from '../runtime.ts';
import { seam } from './seam.ts';

export type HardenedHost = {
  /** The facts of the plan, including the files that the fixes change. */
  readonly facts: HostFacts;
  readonly desired: Partial<DesiredHost>;
};

export type Hardening = {
  /**
   * Gathers the facts for the fixes from a connected host, once for each `opened`, as the facts of every plan; changes nothing. Fails with
   * E_HARDEN_ROOTLESS (exit 2).
   */
  hardenOpened(
    opened: { readonly session: HostSession },
    spec: HostSpec,
    wanted: {
      /** Fixes, in the form of the setting `harden`. */
      readonly entries: readonly string[];
      /** Fixes in the host's record. */
      readonly known: readonly string[];
      /** Hosts reached through this one. */
      readonly leadsTo: readonly string[];
    },
    runtime: Pick<Runtime, 'now' | 'signal'>,
  ): Promise<HardenedHost>;
  /** Undefined if no upgrade is due or the host does not report one. */
  upgradeOf(session: HostSession, signal: AbortSignal): Promise<Upgrade | undefined>;
  /** After `remove`: purges installed packages, and reports which were purged and which stay. Never fails. */
  purgePackages(session: HostSession): Promise<readonly string[]>;
};

export const HARDENING = seam<{ load(): Promise<Hardening> }>();
