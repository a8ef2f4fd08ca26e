/** What the fixes that a host has add to its plan, and what the host itself says of upgrades. engine/hardening.ts asks. */

import type { DesiredHost } from '../domain/plan/desired.ts';
import type { HostFacts } from '../domain/plan/facts.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { Upgrade } from '../domain/status.ts';
import type { HostSession, Runtime } from '../runtime.ts';
import { seam } from './seam.ts';

export type HardenedHost = {
  /** The facts of the plan, with the files that the fixes are about. */
  readonly facts: HostFacts;
  readonly desired: Partial<DesiredHost>;
};

export type Hardening = {
  /** Asks a host that is open for what the fixes need; changes nothing there. Fails with E_HARDEN_ROOTLESS (exit 2). */
  hardenOpened(
    session: HostSession,
    spec: HostSpec,
    wanted: {
      /** Fixes, as the setting `harden` has them. */
      readonly entries: readonly string[];
      /** Those that the record has. */
      readonly known: readonly string[];
      /** Hosts that are reached through this one. */
      readonly leadsTo: readonly string[];
    },
    runtime: Pick<Runtime, 'now' | 'signal'>,
  ): Promise<HardenedHost>;
  /** Undefined where nothing is to be upgraded, and where the host does not tell. */
  upgradeOf(session: HostSession, signal: AbortSignal): Promise<Upgrade | undefined>;
  /** After `remove`: purges packages that were installed, and reports what was purged and what stays. Never fails. */
  purgePackages(session: HostSession): Promise<readonly string[]>;
};

export const HARDENING = seam<{ load(): Promise<Hardening> }>();
