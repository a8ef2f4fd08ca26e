/** Check of the audit log end to end: whether a record arrives (`--probe-auditd`). */

import type { AuditFacts } from '../audit-facts.ts';
import { type Check, checksOf, judge, notApplicable, type Verdict } from '../check.ts';
import { isAudited } from './host.ts';

function readBack(facts: AuditFacts): Verdict {
  const { readBack: found, loaded, refused } = facts.audit;
  if (found === undefined) return notApplicable('not tried: docker-tls audit --probe-auditd');
  if (refused !== undefined) return notApplicable(`auditctl cannot ask the kernel, as in a container: ${refused}`);
  const watched = [...found].filter(([file]) => isAudited(loaded, facts, file));
  if (watched.length === 0) return notApplicable('no rule watches any of the files that were opened');
  const places = (word: '-' | 'path') => watched.flatMap(([place, found]) => (found === word ? [place] : []));
  const lost = places('-');
  const [left] = places('path');
  if (lost.length === 0 && left !== undefined)
    return notApplicable(`it cannot tell: a path unit of systemd watches ${left}, which would start a service`);
  return judge(
    lost.map((place) => ({ place, text: 'was opened for writing, and no record of it is in the audit log' })),
  );
}

export const AUDIT_LOG_CHECKS: readonly Check[] = checksOf<Check>({
  'host.18': {
    title: 'Changes of watched files arrive in the audit log',
    failure: 'Changes of watched files do not arrive in the audit log',
    severity: 'medium',
    why: 'A loaded rule is of no use while auditing is off, auditd is stopped, its disk is full, or an earlier rule (never) suppresses it.',
    fix: 'auditctl -s; systemctl status auditd; auditctl -l | grep never; df /var/log/audit',
    evaluate: readBack,
  },
});
