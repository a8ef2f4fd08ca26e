/** Checks of `setup` on a connected host, before any question: obstacles, and an unreachable address. */

import { type DockerTlsError, failureOf } from '../../errors/errors.ts';
import { otherName } from '../domain/plan/other-store.ts';
import { wayQuestion } from '../domain/plan/setup-questions.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { OpenedHost } from '../engine/intent.ts';
import { wayProblem } from '../engine/reachability.ts';
import { problemsOf, refuseProblems } from '../engine/steps/preflight.ts';
import { knownHosts } from '../engine/steps/resolve.ts';
import { wayTo } from '../engine/through.ts';
import type { VerifiedAt } from '../engine/verify-host.ts';
import { type Answers, askAddress, type SetupContext, withAddress } from './setup-questions.ts';

/** Fails with every obstacle to the setup, before the first question. */
export function refuseEarly({ options, runtime, state }: SetupContext, spec: HostSpec, opened: OpenedHost): void {
  const about = { known: knownHosts(state), takeOver: options.takeOver };
  const twin = otherName(opened.facts, spec, state, opened.session.dialled, about);
  const problems = problemsOf(opened, spec, runtime.now());
  refuseProblems({ problems: [...(twin === undefined ? [] : [twin]), ...problems] });
}

/** If this machine cannot reach the TLS port, asks for the clients' route to it: verification uses that route. */
export async function withOpenWay(context: SetupContext, answers: Answers, opened: OpenedHost): Promise<Answers> {
  const { prompts, runtime, options } = context;
  const { spec } = answers;
  const { dialled, login, tunnel } = opened.session;
  if (spec.reach === 'ssh') return answers;
  const at = { address: spec.address ?? dialled, port: spec.port };
  const problem = await wayProblem(runtime.probe, spec.name, at, { firewall: opened.facts.firewall, login });
  if (problem === undefined) return answers;
  const closed = await problemThroughSsh(context, spec.name, at, opened.session);
  const answer = await prompts.select(wayQuestion(spec.name, tunnel?.via ?? 'ssh', problem, closed));
  if (answer === 'end') throw problem;
  if (answer === 'ssh') return { ...answers, spec: { ...spec, reach: 'ssh' }, context: options.context };
  return { ...answers, spec: withAddress(spec, await askAddress(context, spec, opened), opened, context) };
}

/** The problem with a route through ssh: sshd does not forward, or the port does not answer through it either. */
async function problemThroughSsh(
  { runtime }: SetupContext,
  host: string,
  at: VerifiedAt,
  session: OpenedHost['session'],
): Promise<DockerTlsError | undefined> {
  try {
    return await wayProblem(wayTo({ reach: 'ssh' }, runtime.probe, session).probe, host, at);
  } catch (error) {
    return failureOf(error);
  }
}
