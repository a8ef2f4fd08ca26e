/** Owns what prevents a change of a host before it begins. */

import type { HostPlan } from '../../domain/plan/plan.ts';
import { preflight, stopProblem } from '../../domain/plan/preflight.ts';
import { unreadProblem } from '../../domain/plan/unread-settings.ts';
import type { HostSpec } from '../../domain/settings.ts';
import { type DockerTlsError, DockerTlsErrors } from '../../errors/errors.ts';
import type { OpenedHost, PlannedHost } from '../intent.ts';

/** Everything at once; without a plan what prevents any. */
export function problemsOf(
  { session, facts, skewMs }: Pick<OpenedHost, 'session' | 'facts' | 'skewMs'>,
  { name, port, containers, unreadSettings }: HostSpec,
  now: Date,
  plan?: HostPlan,
): DockerTlsError[] {
  const { login } = session;
  return [
    ...preflight({ host: name, login, facts, skewMs, nowMs: now.getTime(), port, plan }),
    ...(plan === undefined
      ? []
      : [...stopProblem(name, facts, containers, plan), ...unreadProblem(name, login, facts, unreadSettings, plan)]),
  ];
}

/** Everything that prevents the change, thrown together; else the plan. */
export function refuseProblems<T extends Pick<PlannedHost, 'problems'>>(planned: T): T {
  const { problems } = planned;
  if (problems.length === 1 && problems[0]) throw problems[0];
  if (problems.length > 1) throw new DockerTlsErrors(problems);
  return planned;
}
