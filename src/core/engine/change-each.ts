/** Change of each host, after approval and after client credentials are issued: planned again at its turn, then carried out. */

import { randomBytes } from 'node:crypto';
import type { ErrorCode } from '../../errors/catalogue.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import type { StoreChange } from '../adapters/store/records.ts';
import type { HostResult } from '../domain/host-results.ts';
import { installedPackages } from '../domain/plan/installed-packages.ts';
import type { HostOutcome } from '../domain/plan/outcome.ts';
import { hasChanges } from '../domain/plan/plan.ts';
import type { HostSpec } from '../domain/settings.ts';
import { viewOf } from '../domain/trust/view.ts';
import { plural } from '../domain/words.ts';
import type { HostProgress } from '../runtime.ts';
import { purgePackages } from './hardening.ts';
import type { AgreedHost, Base, ChangeOutcome, OpenedHost, Planned, PlannedHost, Run } from './intent.ts';
import { overHosts } from './pool.ts';
import { confirm } from './steps/confirm.ts';
import { closingOnError, factsOf, openKnown } from './steps/connect.ts';
import { changedMeanwhile, whileHeld } from './steps/hold.ts';
import { type Issued, withCredentials } from './steps/issue.ts';
import { agreedPart, planOpened } from './steps/plan.ts';
import { recordHost } from './steps/record.ts';
import { transact } from './steps/transact.ts';
import { verify } from './steps/verify.ts';
import { requireVerified } from './verify-host.ts';

/** Changes every host. Hosts whose plan failed count as failures, and as failed canaries. */
export async function changeEach(planned: Planned, issued: Issued, run: Run): Promise<HostResult<HostOutcome>[]> {
  const { hosts } = issued.wanted;
  const failures = new Map(planned.hosts.flatMap((one) => (one.kind === 'failed' ? [[one.host, one] as const] : [])));
  const left = hosts.filter(({ name }) => !failures.has(name));
  const canaries = hosts.slice(0, run.canary ?? 0);
  const stopped = canaries.some(({ name }) => failures.has(name))
    ? 'the canary failed'
    : failures.size >= (run.maxFailures ?? Number.POSITIVE_INFINITY)
      ? `stopped after ${plural(failures.size, 'failure')}`
      : undefined;
  const maxFailures = run.maxFailures === undefined ? undefined : run.maxFailures - failures.size;
  const results =
    stopped === undefined
      ? await overHosts(left, { ...run, maxFailures }, (spec, line) => changeOne(spec, planned, issued, run, line))
      : left.map(({ name }) => ({ host: name, kind: 'skipped' as const, reason: stopped }));
  return hosts.flatMap(({ name }) => failures.get(name) ?? results.find(({ host }) => host === name) ?? []);
}

/** One host: transact, verify, record, commit; only verify if there is nothing to change. */
async function carryOut(planned: PlannedHost, base: Issued, run: Run, line: HostProgress): Promise<HostOutcome> {
  const { spec, plan, session, facts, address } = planned;
  const began = run.runtime.now().getTime();
  if (hasChanges(plan)) session.prepare?.();
  const first = planned.latest.hosts.has(spec.name) ? undefined : { address, port: spec.port };
  let undo: StoreChange | undefined;
  const id = randomBytes(6).toString('hex');
  // Even without changes to make, this rolls back an unfinished change, because the next boot would. Afterwards these facts are outdated.
  if (facts.transaction !== undefined)
    await whileHeld(planned, id, base, run, () => Promise.reject(changedMeanwhile(spec.name)));
  return withCredentials(planned, id, base, run, line, async (sent) => {
    const check = () => verify(planned, sent, base, run);
    const record = async () => {
      undo = await recordHost(planned, sent, base, run);
    };
    let outcome: ChangeOutcome = { checks: [], warnings: [] };
    if (!hasChanges(plan) && plan.purpose !== 'remove') {
      line.phase('verify');
      outcome = { checks: await check(), warnings: [] };
      requireVerified(spec.name, outcome.checks, 'the host was not changed', first);
      await record();
    } else {
      outcome = await transact({
        ...{ ...planned, id, credentials: sent, reach: run, reason: base.intent.reason, progress: line, first },
        verify: check,
        save: record,
        unsave: async () => {
          const before = undo;
          undo = undefined;
          if (before !== undefined)
            await run.store.withLock(`docker-tls ${base.intent.reason}`, () => run.store.write(before), {
              joins: true,
            });
        },
      });
    }
    if (plan.purpose === 'remove' && installedPackages(facts).length > 0) {
      line.phase('purge');
      outcome = { ...outcome, warnings: [...outcome.warnings, ...(await purgePackages(session))] };
    }
    if (sent !== undefined) base.known.set(spec.name, sent.cert);
    const elapsedMs = run.runtime.now().getTime() - began;
    const { accepts, otherCas } = planned;
    const changed = hasChanges(plan) || plan.purpose === 'remove';
    return { ...outcome, host: spec.name, changed, plan, address, accepts, otherCas, elapsedMs };
  });
}

/** Errors for a plan made from outdated facts; nothing was changed. */
const OUTDATED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['E_HOST_CHANGED', 'E_STALE_CHANGE']);

/**
 * One host at its turn, planned again from its current facts and the current store. A plan that differs from the approved one is shown and
 * confirmed again. Repeats once if another run has changed the host since (E_HOST_CHANGED), or left a change that is rolled back first
 * (E_STALE_CHANGE). The new plan shows the current state, and refuses a host that another store has taken.
 */
async function changeOne(
  spec: HostSpec,
  shown: Planned,
  base: Issued,
  run: Run,
  line: HostProgress,
): Promise<HostOutcome> {
  const first = shown.hosts.find(({ host }) => host === spec.name);
  let agreed: AgreedHost | undefined = first?.kind === 'done' ? first.value : undefined;
  let opened = await reopen(spec, shown, base, agreed ?? {}, run, line);
  for (let retry = true; ; retry = false) {
    const { session } = opened;
    const planned = await closingOnError(session, spec.name, () => planOpened(opened, spec, base, run, line));
    try {
      if (run.asks && agreed !== undefined && !isSame(agreed, planned, base)) await askAgain(planned, base, run);
      const outcome = await carryOut(planned, base, run, line);
      line.done(doneWords(outcome));
      await session.close();
      return outcome;
    } catch (error) {
      const stale = error instanceof DockerTlsError && OUTDATED.has(error.code);
      if (!stale || !retry) {
        await session.close();
        throw error;
      }
      agreed = planned;
      opened = await closingOnError(session, spec.name, () => factsOf(session, run, line));
    }
  }
}

function doneWords({ changed, plan }: HostOutcome): string {
  if (!changed) return 'nothing to do';
  return plan.generation === 'none' ? 'removed' : `done, generation ${plan.generation}`;
}

/** Reopens a host: a session that waited for an answer may be gone, and its facts are old. */
async function reopen(
  spec: HostSpec,
  { wanted }: Planned,
  base: Base,
  { opened }: Partial<Pick<AgreedHost, 'opened'>>,
  run: Run,
  line: HostProgress,
): Promise<OpenedHost> {
  if (opened === undefined || wanted.hosts.length > 1) return openKnown(spec, base, run, line);
  if (!run.asks) return opened;
  return factsOf(opened.session, run, line).catch(() => openKnown(spec, base, run, line));
}

function isSame(agreed: AgreedHost, planned: PlannedHost, base: Issued): boolean {
  const view = viewOf(planned.latest, base.now);
  return agreedPart(agreed, view) === agreedPart(planned, view);
}

async function askAgain(planned: PlannedHost, { intent, wanted }: Issued, run: Run): Promise<void> {
  const name = planned.spec.name;
  run.progress.note(`${name}: it changed since its plan was shown; this is the new plan`);
  const hosts = [{ host: name, kind: 'done' as const, value: planned, elapsedMs: 0 }];
  await confirm(intent, { wanted, hosts }, run);
}
