/** Refresh of a shared store: a commit without changes, which begins the time anew for which the newest state is current. */

import { expiryOf, isAhead, shareLeft } from './freshness.ts';
import type { Opened } from './opened.ts';
import { retried } from './retried.ts';
import type { Session } from './session.ts';
import * as refusals from './store-refusals.ts';

export type Refreshed = {
  readonly opened: Opened;
  /** Absent: that was not necessary, or a dry run. */
  readonly sequence?: number;
  readonly expiry: Date | undefined;
};

export type RefreshOptions = {
  /** Days; `none`: no expiry from now on. Absent: as before. */
  readonly validDays?: number | 'none' | undefined;
  readonly dryRun: boolean;
  /** Called before the commit: fails unless the state is the newest. A refresh of an old one would hide that for as long again. */
  confirm(base: Opened): Promise<unknown>;
};

/** Commits if less than half of the time is left, if the state is of a later date, or for another number of days. Fails like a commit. */
export function refreshStore(session: Session, { validDays, dryRun, confirm }: RefreshOptions): Promise<Refreshed> {
  session.acceptAnyAge();
  return retried(session, async (base) => {
    const { last, snapshot, contents, keys, operators } = base;
    if (last === undefined) throw refusals.fresh(session.url);
    if (snapshot.offline !== undefined) throw snapshot.offline.cause;
    const now = session.now();
    const wanted = validDays === undefined ? last.validDays : validDays === 'none' ? undefined : validDays;
    const current = wanted === undefined || (shareLeft(last, now) > 0.5 && !isAhead(last, now));
    if (wanted === last.validDays && current) return { opened: base, expiry: expiryOf(last) };
    if (keys?.ca === undefined) throw refusals.readOnly(session.url, operators);
    const expiry = expiryOf({ at: now.toISOString(), validDays: wanted });
    await confirm(base);
    if (dryRun) return { opened: base, expiry };
    const lines = [expiry === undefined ? 'current until the next change' : `current for ${wanted} days`];
    const message = { subject: `docker-tls store refresh: ${lines[0]}`, lines };
    const opened = await session.commit(base, { contents, current: { validDays: wanted } }, message);
    return { opened, sequence: opened.sequence, expiry };
  });
}
