/** Ordered steps of a change. Steps up to `confirm` change and sign nothing on this machine, on a host or at a CA. */

import type { HostResult } from '../domain/host-results.ts';
import type { Intent, Wanted } from '../domain/trust/changes.ts';
import { changeEach } from './change-each.ts';
import type { AgreedHost, Base, Changed, Planned, PlannedHost, Run } from './intent.ts';
import { overHosts } from './pool.ts';
import { shownSigner, signerOfStore } from './steps/approve.ts';
import { confirm } from './steps/confirm.ts';
import { closingOnError, openKnown } from './steps/connect.ts';
import { asksOutside, issueCredentials, unlockCa } from './steps/issue.ts';
import { planOpened } from './steps/plan.ts';
import { resolveIntent } from './steps/resolve.ts';

/**
 * Makes a change, or with `dryRun` only plans it. Failures of hosts are in their results. Failures of the whole run are thrown: refusals of
 * the intent, E_STORE_CHANGED (exit 4), and errors of the issuer, the store and the question.
 */
export async function change(intent: Intent, run: Run): Promise<Changed> {
  if (!run.dryRun) await run.store.requireWritable();
  const base = await resolveIntent(intent, run);
  const first = await planFirst(base, run);
  try {
    const signer = signerOfStore(first.hosts, base, run);
    const planned = { ...first, ...(await shownSigner(signer, run)) };
    if (run.dryRun) return { wanted: base.wanted, planned, results: [], state: base.state, copies: new Map() };
    // No host is left to ask about.
    if ((base.wanted.temporary || base.wanted.target.kind === 'generation') && allFailed(planned.hosts))
      return failed(planned, base);
    await confirm(intent, planned, run);
    if (signer !== undefined) await run.approve(signer);
    await unlockCa(planned.hosts, base, run);
    // A failed first setup leaves no store behind. Only the lock of the write allows undoing it completely.
    const alone = isAlone(base.wanted) && !run.shared && !run.store.shared;
    const held = base.wanted.temporary === true && alone && !asksOutside(base);
    const carryOn = async (): Promise<Changed> => {
      const issued = await issueCredentials(base, run, held);
      const results = await changeEach(planned, issued, run);
      if (allFailed(results)) await issued.retract();
      return { wanted: issued.wanted, results, state: issued.state, copies: issued.copies };
    };
    return held ? await run.store.withLock(`docker-tls ${intent.reason}`, carryOn) : await carryOn();
  } finally {
    for (const one of first.hosts) if (one.kind === 'done') await one.value.session?.close();
  }
}

/** Makes the plans to show. A single host's session stays open until the change; those of several hosts are closed before the question. */
async function planFirst(base: Base, run: Run): Promise<Planned> {
  const { wanted } = base;
  const alone = isAlone(wanted) && !run.dryRun;
  if (!alone && !run.asks && !run.dryRun) return { wanted, hosts: [] };
  const texts = new Map<string, string>();
  const hosts = await overHosts<AgreedHost>(wanted.hosts, run, async (spec, line) => {
    const next = alone && !run.asks ? 'change' : 'unknown';
    const opened = run.opened?.get(spec.name) ?? (await openKnown(spec, base, run, line, { next }));
    const planned = await closingOnError(opened.session, spec.name, async () => {
      return planOpened(opened, spec, base, run, line);
    });
    if (alone) return planned;
    await planned.session.close();
    line.pause();
    if (isAlone(wanted)) return { ...planned, opened: { ...planned.opened, facts: planned.facts } };
    return agreedHost(planned, texts);
  });
  return { wanted, hosts };
}

/** A plan without its inputs. Texts that many hosts of a fleet share are kept once, copied out of the long texts they were cut from. */
function agreedHost(
  { spec, address, accepts, otherCas, facts, ...planned }: PlannedHost,
  texts: Map<string, string>,
): AgreedHost {
  const own = <T>(data: T): T =>
    JSON.parse(JSON.stringify(data), (_, value) => {
      if (typeof value !== 'string') return value;
      const known = texts.get(value);
      if (known === undefined) texts.set(value, value);
      return known ?? value;
    });
  const [plan, os, version] = own([planned.plan, facts.os, facts.docker.version] as const);
  return {
    spec,
    address,
    plan,
    accepts,
    otherCas,
    facts: { os, kind: facts.kind, places: facts.places, docker: { version } },
  };
}

function isAlone({ hosts }: Wanted): boolean {
  return hosts.length === 1;
}

function allFailed(results: readonly HostResult<unknown>[]): boolean {
  return results.length > 0 && results.every(({ kind }) => kind !== 'done');
}

function failed({ hosts, wanted }: Planned, { state }: Base): Changed {
  const results = hosts.filter((one) => one.kind !== 'done');
  return { wanted, results, state, copies: new Map() };
}
