/** Planning step: the plans to show, before any change. */

import { specsOf } from '../../domain/trust/changes.ts';
import type { AgreedHost, ChangeContext, PlannedHost } from '../intent.ts';
import { overHosts } from '../pool.ts';
import { closingOnError, openKnown } from './open-host.ts';
import { planOpened } from './plan-opened.ts';

/**
 * Plans every host. A single host's session stays open until the change; those of several hosts are closed before the question. Plans that
 * no person sees are made at each host's turn only.
 */
export async function planHosts(context: ChangeContext): Promise<void> {
  const { wanted, run } = context;
  const one = wanted.hosts.length === 1;
  if (!one && !run.asks && !run.dryRun) return;
  const stays = one && !run.dryRun;
  const trust = new Map(wanted.hosts.map((host) => [host.spec.name, host.trust]));
  const texts = new Map<string, string>();
  context.hosts = await overHosts<AgreedHost>(specsOf(wanted), run, async (spec, line) => {
    const { name } = spec;
    const opened = run.opened?.get(name) ?? (await openKnown(spec, context, run, line, stays && !run.asks));
    const host = { spec, trust: trust.get(name) };
    const planned = await closingOnError(opened.session, name, () => planOpened(opened, host, context, run, line));
    if (stays) return planned;
    await planned.session.close();
    line.pause();
    return one ? { ...planned, opened: { ...planned.opened, facts: planned.facts } } : agreedHost(planned, texts);
  });
}

export async function closeSessions({ hosts }: ChangeContext): Promise<void> {
  for (const one of hosts) if (one.kind === 'done') await one.value.session?.close();
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
