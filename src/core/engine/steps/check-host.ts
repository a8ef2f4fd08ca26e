/** Preflight step: obstacles to a host's change, before it begins. */

import type { ErrorCode } from '../../../errors/catalogue.ts';
import { type DockerTlsError, DockerTlsErrors } from '../../../errors/errors.ts';
import { hasPort } from '../../domain/network-port.ts';
import type { HostPlan } from '../../domain/plan/plan-host.ts';
import { preflight, stopProblem } from '../../domain/plan/preflight.ts';
import { unreadProblem } from '../../domain/plan/unread-settings.ts';
import type { HostSpec } from '../../domain/settings.ts';
import type { OpenedHost, PlannedHost } from '../intent.ts';

/** All obstacles at once; without a plan, obstacles to any change. */
export function problemsOf(
  { session, facts, skewMs }: Pick<OpenedHost, 'session' | 'facts' | 'skewMs'>,
  { name, port, listen, listener, containers, allowUnreadSettings }: HostSpec,
  now: Date,
  plan?: HostPlan,
): DockerTlsError[] {
  const { login } = session;
  const found = preflight({
    host: name,
    login,
    facts,
    skewMs,
    nowMs: now.getTime(),
    port: hasPort({ listen }) ? port : 0,
    listener,
    plan,
  });
  if (plan === undefined) return found;
  // A start need not test settings already known to be wrong.
  const tried = found.some(({ code }) => WRONG_SETTINGS.has(code));
  return [
    ...found,
    ...stopProblem(name, facts, containers, plan),
    ...(tried || allowUnreadSettings ? [] : unreadProblem(name, login, facts, plan)),
  ];
}

const WRONG_SETTINGS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['E_DAEMON_JSON', 'E_CONFIG_FILE', 'E_CONFLICT']);

/** Throws all obstacles together; returns the plan if there are none. */
export function refuseProblems<T extends Pick<PlannedHost, 'problems'>>(planned: T): T {
  const { problems } = planned;
  if (problems.length === 1 && problems[0]) throw problems[0];
  if (problems.length > 1) throw new DockerTlsErrors(problems);
  return planned;
}
