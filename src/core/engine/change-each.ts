/** Step of each host, after approval and after client credentials are issued: planned again at its turn, then carried out. */

import { randomBytes } from 'node:crypto';
import type { ErrorCode } from '../../errors/catalogue.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import type { HostResult } from '../domain/host-results.ts';
import { hasPort } from '../domain/network-port.ts';
import { kindOf } from '../domain/plan/host-kind.ts';
import { installedPackages, listenerPackages } from '../domain/plan/installed-packages.ts';
import type { HostOutcome } from '../domain/plan/outcome.ts';
import { hasChanges } from '../domain/plan/plan-host.ts';
import type { HostSpec } from '../domain/settings.ts';
import { specsOf, type WantedHost } from '../domain/trust/changes.ts';
import { viewOf } from '../domain/trust/view.ts';
import { plural } from '../domain/words.ts';
import type { HostProgress } from '../runtime.ts';
import { endTransaction } from './host-transaction.ts';
import type { AgreedHost, ChangeContext, ChangeOutcome, HostChange, OpenedHost, PlannedHost, Run } from './intent.ts';
import { purgePackages } from './loaded-hardening.ts';
import { installPackages, purgeListener } from './loaded-listener.ts';
import { overHosts } from './pool.ts';
import { confirm } from './steps/confirm.ts';
import { changedMeanwhile, whileHeld } from './steps/hold.ts';
import { withCredentials } from './steps/issue-credentials.ts';
import { factsOf, openKnown } from './steps/open-host.ts';
import { agreedPart, planOpened } from './steps/plan-opened.ts';
import { recordOf } from './steps/record.ts';
import { transact } from './steps/transact.ts';
import { verify } from './steps/verify-change.ts';
import { requireVerified } from './verify-host.ts';

/** Changes every host. Hosts whose plan failed count as failures, and as failed canaries. */
export async function changeEach(context: ChangeContext): Promise<void> {
  const { wanted, run } = context;
  const specs = specsOf(wanted);
  const failures = new Map(context.hosts.flatMap((one) => (one.kind === 'failed' ? [[one.host, one] as const] : [])));
  const left = specs.filter(({ name }) => !failures.has(name));
  const stopped = stopsBefore(specs, failures, run);
  const results =
    stopped === undefined
      ? await changeHostsLeft(left, failures.size, context)
      : left.map(({ name }) => ({ host: name, kind: 'skipped' as const, reason: stopped }));
  context.results = specs.flatMap(({ name }) => failures.get(name) ?? results.find(({ host }) => host === name) ?? []);
}

/** Reason to change no host after the failures of plans. */
function stopsBefore(
  specs: readonly HostSpec[],
  failures: ReadonlyMap<string, unknown>,
  { canary = 0, maxFailures = Number.POSITIVE_INFINITY }: Run,
): string | undefined {
  if (specs.slice(0, canary).some(({ name }) => failures.has(name))) return 'the canary failed';
  return failures.size >= maxFailures ? `stopped after ${plural(failures.size, 'failure')}` : undefined;
}

function changeHostsLeft(
  specs: readonly HostSpec[],
  failures: number,
  context: ChangeContext,
): Promise<HostResult<HostOutcome>[]> {
  const { wanted, run, hosts } = context;
  const maxFailures = run.maxFailures === undefined ? undefined : run.maxFailures - failures;
  const trust = new Map(wanted.hosts.map((host) => [host.spec.name, host.trust]));
  const shown = new Map(hosts.flatMap((one) => (one.kind === 'done' ? [[one.host, one.value] as const] : [])));
  return overHosts(specs, { ...run, maxFailures }, (spec, line) =>
    changeOne({ spec, trust: trust.get(spec.name) }, shown.get(spec.name), context, line),
  );
}

/** Errors for a plan made from outdated facts; nothing was changed. */
const OUTDATED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['E_HOST_CHANGED', 'E_STALE_CHANGE']);

/**
 * One host at its turn. Repeats once, from new facts, if another run has changed the host since (E_HOST_CHANGED), or left a change that is
 * rolled back first (E_STALE_CHANGE).
 */
async function changeOne(
  host: WantedHost,
  agreed: AgreedHost | PlannedHost | undefined,
  context: ChangeContext,
  line: HostProgress,
): Promise<HostOutcome> {
  const opened = await reopen(host.spec, agreed, context, line);
  const { session } = opened;
  try {
    const planned = await planAgain(opened, host, agreed, context, line);
    const outcome = await carryOut(planned, context, line).catch(async (error: unknown) => {
      if (!(error instanceof DockerTlsError) || !OUTDATED.has(error.code)) throw error;
      const reopened = await factsOf(session, context.run, line);
      return carryOut(await planAgain(reopened, host, planned, context, line), context, line);
    });
    line.done(doneWords(outcome));
    return outcome;
  } finally {
    await session.close();
  }
}

/** Reopens a host: a session that waited for an answer may be gone, and its facts are old. */
async function reopen(
  spec: HostSpec,
  agreed: AgreedHost | undefined,
  context: ChangeContext,
  line: HostProgress,
): Promise<OpenedHost> {
  const { wanted, run } = context;
  const opened = agreed?.opened;
  if (opened === undefined || wanted.hosts.length > 1) return openKnown(spec, context, run, line);
  if (!run.asks) return opened;
  return factsOf(opened.session, run, line).catch(() => openKnown(spec, context, run, line));
}

/**
 * Plans a host again from its current facts and the current store, which also refuses a host that another store has taken, unless neither
 * has changed. A plan that differs from the approved one is shown and confirmed again.
 */
async function planAgain(
  opened: OpenedHost,
  host: WantedHost,
  agreed: AgreedHost | PlannedHost | undefined,
  context: ChangeContext,
  line: HostProgress,
): Promise<PlannedHost> {
  const { run, wanted } = context;
  const same = await stillCurrent(agreed, opened, run);
  if (same !== undefined) return same;
  const planned = await planOpened(opened, host, context, run, line);
  if (!run.asks || agreed === undefined || isSame(agreed, planned, context)) return planned;
  const { name } = planned.spec;
  run.progress.note(`${name}: it changed since its plan was shown; this is the new plan`);
  await confirm({ wanted, hosts: [{ host: name, kind: 'done', value: planned, elapsedMs: 0 }] }, context);
  return planned;
}

/** The plan, if it was made from these facts and the store as it is now: it would be the same again. */
async function stillCurrent(
  agreed: AgreedHost | PlannedHost | undefined,
  opened: OpenedHost,
  { store }: Run,
): Promise<PlannedHost | undefined> {
  if (agreed === undefined || !('latest' in agreed) || agreed.opened !== opened) return undefined;
  return (await store.isCurrent(agreed.latest)) ? agreed : undefined;
}

function isSame(agreed: AgreedHost, planned: PlannedHost, { now }: ChangeContext): boolean {
  const view = viewOf(planned.latest, now);
  return agreedPart(agreed, view) === agreedPart(planned, view);
}

/**
 * One host as planned. Packages are installed first, under the host's lock, which the change takes over: another run can neither count on them
 * nor take them away. They go again if the change does not stay.
 */
async function carryOut(planned: PlannedHost, context: ChangeContext, line: HostProgress): Promise<HostOutcome> {
  const { session, facts, plan } = planned;
  const id = randomBytes(6).toString('hex');
  if (plan.listener.packages.length === 0) return carryOutReady(planned, id, context, line);
  line.phase('install');
  await whileHeld(planned, id, context, context.run, () => installPackages(planned));
  try {
    return await carryOutReady(planned, id, context, line);
  } catch (error) {
    // A change that has not begun holds the lock.
    await endTransaction(session, { id, kind: kindOf(facts) }, 'undo').catch(() => undefined);
    const notes = await purgeListener(session, facts);
    throw error instanceof DockerTlsError ? error.adding(notes) : error;
  }
}

/** Credentials, transaction, record. Only verifies if there is nothing to change. */
async function carryOutReady(
  planned: PlannedHost,
  id: string,
  context: ChangeContext,
  line: HostProgress,
): Promise<HostOutcome> {
  const { run, known, intent } = context;
  const { spec, plan, session, address, accepts, otherCas } = planned;
  const began = run.runtime.now().getTime();
  const changed = hasChanges(plan) || plan.purpose === 'remove';
  if (hasChanges(plan)) session.prepare?.();
  await rollBackUnfinished(planned, id, context);
  return withCredentials(planned, id, context, run, line, async (sent) => {
    const turn: HostChange = {
      ...{ ...planned, id, credentials: sent, reach: run, reason: intent.reason, progress: line },
      first: planned.latest.hosts.has(spec.name) ? undefined : { address, port: spec.port },
      verify: () => verify(planned, sent, context, run),
      ...recordOf(planned, sent, context, run),
    };
    const { checks, warnings } = await (changed ? transact(turn) : verifyUnchanged(turn));
    const purged = await purge(planned, line);
    if (sent !== undefined) known.set(spec.name, sent.cert);
    const elapsedMs = run.runtime.now().getTime() - began;
    // The plan names sockets too that this change has started.
    const isActive = ({ who }: { who: string }): boolean => checks.some((one) => one.who === who);
    const active = plan.listener.inactive.filter(isActive).map(({ warning }) => warning);
    const inactive = plan.listener.inactive.filter((one) => !isActive(one)).map(({ warning }) => warning);
    const left = plan.warnings.filter((text) => !active.includes(text));
    const outcome = { checks, plan: { ...plan, warnings: left }, warnings: [...warnings, ...purged, ...inactive] };
    const port = hasPort(spec) ? plan.port : undefined;
    return { ...outcome, host: spec.name, changed, address, port, accepts, otherCas, elapsedMs };
  });
}

/** Even without changes to make, because the next boot would roll it back. Afterwards the facts are outdated. */
async function rollBackUnfinished(planned: PlannedHost, id: string, context: ChangeContext): Promise<void> {
  if (planned.facts.transaction === undefined) return;
  await whileHeld(planned, id, context, context.run, () => Promise.reject(changedMeanwhile(planned.spec.name)));
}

async function verifyUnchanged({ spec, progress, verify, save, first }: HostChange): Promise<ChangeOutcome> {
  progress.phase('verify');
  const checks = await verify();
  requireVerified(spec.name, checks, 'the host was not changed', first);
  await save();
  return { checks, warnings: [] };
}

/** Removes the packages that docker-tls has installed, with docker-tls itself. */
async function purge({ plan, facts, session }: PlannedHost, line: HostProgress): Promise<readonly string[]> {
  if (plan.purpose !== 'remove') return [];
  const [ours, listeners] = [installedPackages(facts).length > 0, listenerPackages(facts).length > 0];
  if (ours || listeners) line.phase('purge');
  return [...(ours ? await purgePackages(session) : []), ...(listeners ? await purgeListener(session, facts) : [])];
}

function doneWords({ changed, plan }: HostOutcome): string {
  if (!changed) return 'nothing to do';
  return plan.generation === 'none' ? 'removed' : `generation ${plan.generation}`;
}
