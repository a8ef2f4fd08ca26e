/** Owns what `setup` sees on a host that is open, before a person is asked: what prevents it, and an address that leads nowhere. */

import type { StoreState } from '../adapters/store/records.ts';
import type { HostFlags } from '../domain/fleet/specs.ts';
import { knownHosts, otherName } from '../domain/plan/other-store.ts';
import { preflight } from '../domain/plan/preflight.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { OpenedHost } from '../engine/intent.ts';
import { wayProblem } from '../engine/reachability.ts';
import { refuseProblems } from '../engine/steps/preflight.ts';
import { type Answers, askAddress, type SetupContext, withAddress } from './setup-questions.ts';

/** What prevents a setup is said before a question is asked. */
export function refuseEarly(
  { name, ssh, port }: HostSpec,
  opened: OpenedHost,
  state: StoreState,
  takeOver: boolean,
  runtime: SetupContext['runtime'],
): void {
  const { login, dialled } = opened.session;
  const twin = otherName(opened.facts, { name, ssh }, state, dialled, { known: knownHosts(state), takeOver });
  const problems = preflight({ ...opened, login, host: name, port, nowMs: runtime.now().getTime() });
  refuseProblems({ problems: [...(twin === undefined ? [] : [twin]), ...problems] });
}

/** An address that cannot be reached from here is asked for at once: everything is verified by it. */
export async function withOpenWay(
  { prompts, runtime }: SetupContext,
  flags: HostFlags,
  answers: Answers,
  opened: OpenedHost,
): Promise<Answers> {
  const { spec } = answers;
  const { dialled } = opened.session;
  const at = { address: spec.address ?? dialled, port: spec.port };
  const direct = flags.address === undefined && spec.reach !== 'ssh';
  const problem = direct ? await wayProblem(runtime.probe, spec.name, at) : undefined;
  if (problem === undefined) return answers;
  const address = await askAddress(prompts, runtime, spec, dialled, problem);
  return { ...answers, spec: withAddress(spec, address, opened, flags) };
}
