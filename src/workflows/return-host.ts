/** Owns the ways back on purpose: to an earlier generation, or to what the host was before the first setup. */

import type { HostSpec } from '../config/spec.ts';
import { CURRENT_LINK } from '../daemon/paths.ts';
import { DockerTlsError } from '../errors.ts';
import { type HostFacts, installedPapers } from '../plan/facts.ts';
import { type HostPlan, hasChanges, planReturn } from '../plan/plan.ts';
import { preflight, swarmProblem } from '../plan/preflight.ts';
import type { HostProgress } from '../runtime.ts';
import type { UndoToken } from '../store/store.ts';
import { changeHost } from './change-host.ts';
import {
  credentialsFor,
  factsOf,
  isStale,
  type OpenedHost,
  openHost,
  type RunContext,
  refuseProblems,
} from './host-run.ts';
import { type Proof, proveHost } from './prove.ts';

export type PreparedReturn = {
  readonly spec: HostSpec;
  readonly opened: OpenedHost;
  readonly plan: HostPlan;
  readonly problems: readonly DockerTlsError[];
  readonly address: string;
};

export type ReturnContext = Omit<RunContext, 'keyring' | 'saveBase'>;

/**
 * Plans the way back of a host. `target`: a generation's number, `previous`, or `none` for the state before the first setup.
 * Fails with E_NOT_SET_UP, E_NO_GENERATION (exit 2), and what stands against the change.
 */
export async function prepareReturn(
  spec: HostSpec,
  target: number | 'previous' | 'none',
  context: ReturnContext,
  progress: HostProgress,
): Promise<PreparedReturn> {
  const opened = await openHost(spec, context, progress);
  try {
    return planReturnOf(opened, spec, target, context);
  } catch (error) {
    await opened.session.close();
    throw error;
  }
}

function planReturnOf(
  opened: OpenedHost,
  spec: HostSpec,
  target: number | 'previous' | 'none',
  context: ReturnContext,
): PreparedReturn {
  const { facts } = opened;
  if (facts.state === undefined) {
    throw new DockerTlsError({
      code: 'E_NOT_SET_UP',
      exit: 2,
      where: spec.name,
      message: 'docker-tls has not changed this host (or has given it back already)',
      hints: [`docker-tls setup ${spec.name}`],
    });
  }
  const chosen = target === 'none' ? 'none' : chooseGeneration(spec.name, facts, target);
  const plan = planReturn(facts, chosen, spec);
  const problems = [
    ...preflight({
      host: spec.name,
      login: opened.session.login,
      facts,
      skewMs: opened.skewMs,
      nowMs: context.runtime.now().getTime(),
      port: spec.port,
      plan,
    }).filter((problem) => problem.code !== 'E_FIREWALL' && problem.code !== 'E_CLOCK'),
    ...swarmProblem(spec.name, facts, spec.containers, plan),
  ];
  return { spec, opened, plan, problems, address: spec.address ?? opened.session.dialled };
}

function chooseGeneration(host: string, facts: HostFacts, target: number | 'previous'): number {
  const current = facts.state?.generation ?? 0;
  const kept = [...facts.generations.keys()].filter((number) => number !== current).sort((a, b) => b - a);
  const chosen =
    target === 'previous' ? kept.find((number) => number < current) : kept.find((number) => number === target);
  if (chosen !== undefined) return chosen;
  throw new DockerTlsError({
    code: 'E_NO_GENERATION',
    exit: 2,
    where: host,
    message:
      target === 'previous'
        ? `there is no generation before ${current} on the host`
        : `generation ${target} is not kept on the host`,
    hints: [
      kept.length > 0
        ? `docker-tls rollback ${host} --to ${kept[0]}`
        : `to what it was before the first setup: docker-tls remove ${host}`,
    ],
  });
}

export type ReturnOutcome = { readonly host: string; readonly plan: HostPlan; readonly proofs: readonly Proof[] };

/** Makes the change. After a roll back the host is proven over TLS. The session is closed at the end. */
export async function returnHost(
  prepared: PreparedReturn,
  context: ReturnContext,
  progress: HostProgress,
): Promise<ReturnOutcome> {
  const { spec, opened } = prepared;
  try {
    return await makeReturn(prepared, context, progress).catch(async (error: unknown) => {
      if (!isStale(error)) throw error;
      const again = await factsOf(opened.session, spec, context, progress);
      const target = prepared.plan.returnsTo ?? 'none';
      return makeReturn(planReturnOf(again, spec, target, context), context, progress);
    });
  } finally {
    await opened.session.close();
  }
}

async function makeReturn(
  prepared: PreparedReturn,
  context: ReturnContext,
  progress: HostProgress,
): Promise<ReturnOutcome> {
  const { spec, opened, plan, address } = prepared;
  refuseProblems(prepared);
  let saved: UndoToken | undefined;
  const known = context.state.hosts.get(spec.name);
  const prove = async (): Promise<Proof[]> => {
    if (plan.purpose === 'remove') return [];
    const credentials = await credentialsFor(spec, context);
    if (credentials.client === undefined) return [];
    return proveHost(context.runtime.probe, { address, port: spec.port, ...credentials, now: context.runtime.now() });
  };
  const save = async (): Promise<void> => {
    if (plan.purpose === 'remove') {
      saved = await context.store.write({ removeHosts: [spec.name] });
      return;
    }
    if (known === undefined) return;
    // Our books follow: the certificate that is in force again; its key is on the host, and here only if it is the same.
    const link =
      plan.returnsTo === undefined ? undefined : opened.facts.generations.get(plan.returnsTo)?.get(CURRENT_LINK)?.to;
    const papers = link === undefined ? undefined : installedPapers(opened.facts, Number(link));
    if (papers === undefined) return;
    const same = papers.cert === known.serverCert;
    saved = await context.store.write({
      hosts: {
        [spec.name]: {
          record: {
            ...known.record,
            generation: plan.generation as number,
            updatedAt: context.runtime.now().toISOString(),
          },
          ca: papers.ca,
          serverCert: papers.cert,
          ...(same && known.serverKey ? { serverKey: known.serverKey } : {}),
        },
      },
    });
  };
  if (!hasChanges(plan) && plan.purpose !== 'remove') return { host: spec.name, plan, proofs: await prove() };
  const proofs = await changeHost({
    plan,
    facts: opened.facts,
    papers: undefined,
    spec,
    session: opened.session,
    context,
    progress,
    prove,
    save,
    unsave: async () => {
      await saved?.undo();
      saved = undefined;
    },
  });
  return { host: spec.name, plan, proofs };
}
