/** The step that finds obstacles to the change of a host before it begins. */

import type { ErrorCode } from '../../../errors/catalogue.ts';
import { type DockerTlsError, DockerTlsErrors } from '../../../errors/errors.ts';
import type { HostPlan } from '../../domain/plan/plan.ts';
import { preflight, stopProblem } from '../../domain/plan/preflight.ts';
import { unreadProblem } from '../../domain/plan/unread-settings.ts';
import type { HostSpec } from '../../domain/settings.ts';
import type { OpenedHost, PlannedHost } from '../intent.ts';

/** Everything at once; without a plan what prevents any. */
export function problemsOf(
  { session, facts, skewMs }: Pick<OpenedHost, 'session' | 'facts' | 'skewMs'>,
  { name, port, containers, allowUnreadSettings }: HostSpec,
  now: Date,
  plan?: HostPlan,
): DockerTlsError[] {
  const { login } = session;
  const found = preflight({ host: name, login, facts, skewMs, nowMs: now.getTime(), port, plan });
  if (plan === undefined) return found;
  // What is known to be wrong there is not for a start to try.
  const tried = found.some(({ code }) => WRONG_SETTINGS.has(code));
  return [
    ...found,
    ...stopProblem(name, facts, containers, plan),
    ...(tried || allowUnreadSettings ? [] : unreadProblem(name, login, facts, plan)),
  ];
}

const WRONG_SETTINGS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['E_DAEMON_JSON', 'E_CONFIG_FILE', 'E_CONFLICT']);

/** Everything that prevents the change, thrown together; else the plan. */
export function refuseProblems<T extends Pick<PlannedHost, 'problems'>>(planned: T): T {
  const { problems } = planned;
  if (problems.length === 1 && problems[0]) throw problems[0];
  if (problems.length > 1) throw new DockerTlsErrors(problems);
  return planned;
}
