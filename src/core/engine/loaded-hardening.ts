/** Additions of a host's hardening to its change. */

import type { Upgrade } from '../domain/status-row.ts';
import type { HostSession } from '../runtime.ts';
import { HARDENING, type HardenedHost, type Hardening } from '../seams/host-hardening.ts';

const loaded = async (): Promise<Hardening | undefined> => HARDENING.all[0]?.load();

/** Undefined if the host has no fixes. Fails as Hardening.hardenOpened does. */
export async function hardenOpened(...about: Parameters<Hardening['hardenOpened']>): Promise<HardenedHost | undefined> {
  const [, , { entries }] = about;
  return entries.length === 0 ? undefined : (await loaded())?.hardenOpened(...about);
}

export async function upgradeOf(session: HostSession, signal: AbortSignal): Promise<Upgrade | undefined> {
  return (await loaded())?.upgradeOf(session, signal);
}

export async function purgePackages(session: HostSession): Promise<readonly string[]> {
  return (await loaded())?.purgePackages(session) ?? [];
}
