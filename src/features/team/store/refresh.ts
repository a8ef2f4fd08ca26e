/** Refresh of a shared store: a commit without changes, which begins the time anew for which the newest state is current. */

import { expiryOf, hasExpired, shareLeft } from './freshness.ts';
import type { Opened } from './opened.ts';
import { retried } from './retried.ts';
import type { Session } from './session.ts';
import * as refusals from './store-refusals.ts';

export type Refreshed = {
  readonly opened: Opened;
  /** Absent: that was not necessary. */
  readonly sequence?: number;
  readonly expiry: Date | undefined;
};

export type RefreshOptions = {
  /** Days; `none`: no expiry from now on. Absent: as before. */
  readonly validDays?: number | 'none' | undefined;
  readonly dryRun: boolean;
  /** Asked about an expired state: only users know whether it is the newest. Fails if they decline. */
  agree(last: refusals.CommitWords): Promise<void>;
  /** Called before the commit: fails if a witness has seen a newer state. A refresh of an old one would hide that for as long again. */
  compare(): Promise<void>;
};

/** Commits if less than half of the time is left, or for another number of days. Fails like a commit. */
export function refreshStore(
  session: Session,
  { validDays, dryRun, agree, compare }: RefreshOptions,
): Promise<Refreshed> {
  session.acceptAnyAge();
  return retried(session, async (base) => {
    const { last, snapshot, contents, keys, operators } = base;
    if (last === undefined) throw refusals.fresh(session.url);
    if (snapshot.offline !== undefined) throw snapshot.offline.cause;
    const now = session.now();
    const wanted = validDays === undefined ? last.validDays : validDays === 'none' ? undefined : validDays;
    if (wanted === last.validDays && shareLeft(last, now) > 0.5) return { opened: base, expiry: expiryOf(last) };
    if (keys?.ca === undefined) throw refusals.readOnly(session.url, operators);
    if (hasExpired(last, now)) await agree(last);
    const expiry = expiryOf({ at: now.toISOString(), validDays: wanted });
    await compare();
    if (dryRun) return { opened: base, expiry };
    const lines = [expiry === undefined ? 'current until the next change' : `current for ${wanted} days`];
    const message = { subject: `docker-tls store refresh: ${lines[0]}`, lines };
    const opened = await session.commit(base, { contents, current: { validDays: wanted } }, message);
    return { opened, sequence: opened.sequence, expiry };
  });
}
