/** Owns the ordered list of steps of a change. Everything up to `confirm` changes nothing and signs nothing, here, on a host or at any CA. */

import { randomBytes } from 'node:crypto';
import type { StoreChange } from '../adapters/store/records.ts';
import { namingKnown } from '../domain/fleet/specs.ts';
import type { HostResult } from '../domain/host-results.ts';
import type { HostOutcome } from '../domain/plan/outcome.ts';
import { hasChanges } from '../domain/plan/plan.ts';
import type { HostSpec } from '../domain/settings.ts';
import { caAfter } from '../domain/trust/changes.ts';
import { asksExternalCa, viewOf } from '../domain/trust/view.ts';
import { plural } from '../domain/words.ts';
import { DockerTlsError } from '../errors/errors.ts';
import type { HostProgress } from '../runtime.ts';
import type {
  AgreedHost,
  Base,
  Changed,
  ChangeOutcome,
  Intent,
  OpenedHost,
  Planned,
  PlannedHost,
  Run,
  Wanted,
} from './intent.ts';
import { ourPackages, purgePackages } from './packages.ts';
import { overHosts } from './pool.ts';
import { closingOnError, factsOf, type Next, openHost } from './steps/connect.ts';
import { type Issued, issueCredentials, unlockCa, withCredentials } from './steps/issue.ts';
import { agreedPart, planOpened, resolveIntent } from './steps/plan.ts';
import { recordHost } from './steps/record.ts';
import { transact } from './steps/transact.ts';
import { verify } from './steps/verify.ts';
import { requireVerified } from './verify-host.ts';

/**
 * Makes a change, or with `dryRun` only plans it. What hosts fail with is in their results; what prevents the whole run is thrown:
 * the refusals of the intent, E_STORE_CHANGED (exit 5), and what the issuer, the store and the question fail with.
 */
export async function change(intent: Intent, run: Run): Promise<Changed> {
  if (!run.dryRun) await run.store.requireWritable();
  const base = await resolveIntent(intent, run);
  const planned = await planFirst(base, run);
  try {
    if (run.dryRun) return { wanted: base.wanted, planned, results: [], state: base.state, copies: new Map() };
    // Nothing is left to ask about.
    if ((base.wanted.temporary || base.wanted.target.kind === 'generation') && allFailed(planned.hosts)) {
      const results = planned.hosts.filter((one) => one.kind !== 'done');
      return { wanted: base.wanted, results, state: base.state, copies: new Map() };
    }
    await confirm(planned, base, run);
    await unlockCa(planned, base, run);
    // A first setup that fails leaves no store behind: only under the lock of the write can it be taken back whole.
    const alone = isAlone(base.wanted) && !run.shared && !run.store.shared;
    const ca = caAfter(base.state.ca, base.wanted.credentials);
    const held = base.wanted.temporary === true && alone && !asksExternalCa({ ca });
    const carryOn = async (): Promise<Changed> => {
      const issued = await issueCredentials(planned, base, run, held);
      const results = await changeEach(planned, issued, run);
      if (allFailed(results)) await issued.retract();
      return { wanted: issued.wanted, results, state: issued.state, copies: issued.copies };
    };
    return held ? await run.store.withLock(`docker-tls ${intent.reason}`, carryOn) : await carryOn();
  } finally {
    for (const one of planned.hosts) if (one.kind === 'done') await one.value.session?.close();
  }
}

/** Every host; those whose plan failed have failed already, and count as a canary and as a failure. */
async function changeEach(planned: Planned, issued: Issued, run: Run): Promise<HostResult<HostOutcome>[]> {
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

/** One host: transact, verify, record, commit; or only verify where there is nothing to change. */
async function carryOut(planned: PlannedHost, base: Issued, run: Run, line: HostProgress): Promise<HostOutcome> {
  const { spec, plan, session, facts, address } = planned;
  const began = run.runtime.now().getTime();
  if (hasChanges(plan)) session.prepare?.();
  const first = planned.latest.hosts.has(spec.name) ? undefined : { address, port: spec.port };
  let undo: StoreChange | undefined;
  const id = randomBytes(6).toString('hex');
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
    if (plan.purpose === 'remove' && ourPackages(facts).length > 0) {
      line.phase('purge');
      outcome = { ...outcome, warnings: [...outcome.warnings, ...(await purgePackages(session))] };
    }
    if (sent !== undefined) base.known.set(spec.name, sent.cert);
    const elapsedMs = run.runtime.now().getTime() - began;
    const changed = hasChanges(plan) || plan.purpose === 'remove';
    return { ...outcome, host: spec.name, changed, plan, address, accepts: planned.accepts, elapsedMs };
  });
}

/** Plans what is shown. A single host stays open until it is changed; of several the sessions do not outlast a question. */
async function planFirst(base: Base, run: Run): Promise<Planned> {
  const { wanted } = base;
  const alone = isAlone(wanted) && !run.dryRun;
  if (!alone && !run.asks && !run.dryRun) return { wanted, hosts: [] };
  const texts = new Map<string, string>();
  const hosts = await overHosts<AgreedHost>(wanted.hosts, run, async (spec, line) => {
    const next = alone && !run.asks ? 'change' : 'unknown';
    const opened = run.opened?.get(spec.name) ?? (await open(spec, base, run, line, next));
    const planned = await closingOnError(opened.session, spec.name, () => planOpened(opened, spec, base, run, line));
    if (alone) return planned;
    await planned.session.close();
    line.pause();
    if (isAlone(wanted)) return { ...planned, opened: { ...planned.opened, facts: planned.facts } };
    return agreedHost(planned, texts);
  });
  return { wanted, hosts };
}

/** A plan without what it was made from. Texts that many hosts of a fleet have are kept once, and apart from the long ones they were cut from. */
function agreedHost(
  { spec, address, accepts, facts, ...planned }: PlannedHost,
  texts: Map<string, string>,
): AgreedHost {
  const own = <T>(data: T): T =>
    JSON.parse(JSON.stringify(data), (_, value) => {
      if (typeof value !== 'string') return value;
      const known = texts.get(value);
      if (known === undefined) texts.set(value, value);
      return known ?? value;
    });
  const [plan, names, os, version] = own([planned.plan, planned.names, facts.os, facts.docker.version] as const);
  return {
    spec,
    address,
    names,
    plan,
    accepts,
    facts: { os, kind: facts.kind, places: facts.places, docker: { version } },
  };
}

function isAlone({ hosts }: Wanted): boolean {
  return hosts.length === 1;
}

async function confirm(planned: Planned, { intent }: Base, run: Run): Promise<void> {
  run.runtime.signal.throwIfAborted();
  const changing = planned.hosts.filter((one) => one.kind === 'done' && hasChanges(one.value.plan)).length;
  const question = intent.question?.(planned.wanted, changing);
  if (question !== undefined) await run.confirm(planned, question);
}

/**
 * One host at its turn, planned again from what it and the store are by then: what was shown is what is done, or it is shown and asked
 * again. Where another run has just changed it, or left a change that is rolled back first (E_STALE_CHANGE), the same once more.
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
  let opened = await reopen(spec, base, agreed?.opened, run, line);
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
      const stale = error instanceof DockerTlsError && error.code === 'E_STALE_CHANGE';
      if (!stale || !retry) {
        await session.close();
        throw error;
      }
      agreed = planned;
      opened = await factsOf(session, spec, run, line);
    }
  }
}

function doneWords({ changed, plan }: HostOutcome): string {
  if (!changed) return 'nothing to do';
  return plan.generation === 'none' ? 'removed' : `done, generation ${plan.generation}`;
}

/** A session that waited for an answer may be gone, and its facts are old. */
async function reopen(
  spec: HostSpec,
  base: Base,
  opened: OpenedHost | undefined,
  run: Run,
  line: HostProgress,
): Promise<OpenedHost> {
  if (opened === undefined) return open(spec, base, run, line);
  if (!run.asks) return opened;
  return factsOf(opened.session, spec, run, line).catch(() => open(spec, base, run, line));
}

function open(spec: HostSpec, { state }: Base, run: Run, line: HostProgress, next?: Next): Promise<OpenedHost> {
  return openHost(spec, run, line, next).catch((error: unknown) => {
    throw namingKnown(error, spec.name, state);
  });
}

function isSame(agreed: AgreedHost, planned: PlannedHost, base: Issued): boolean {
  const view = viewOf(planned.latest, base.now);
  return agreedPart(agreed, view) === agreedPart(planned, view);
}

async function askAgain(planned: PlannedHost, base: Issued, run: Run): Promise<void> {
  const name = planned.spec.name;
  run.progress.note(`${name}: it changed since its plan was shown; this is the new plan`);
  const hosts = [{ host: name, kind: 'done' as const, value: planned, elapsedMs: 0 }];
  await confirm({ wanted: base.wanted, hosts }, base, run);
}

function allFailed(results: readonly HostResult<unknown>[]): boolean {
  return results.length > 0 && results.every(({ kind }) => kind !== 'done');
}
