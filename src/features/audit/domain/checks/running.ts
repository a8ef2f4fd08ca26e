/** Checks of running containers, individually, using the kernel's data where available. */

import { flagged } from '../../../../core/domain/dockerd/daemon-options.ts';
import { entriesAt, textAt } from '../../../../core/domain/json.ts';
import { type ContainerFact, ulimitText } from '../api.ts';
import type { AuditFacts } from '../audit-facts.ts';
import { isGrave, moreThanDefault } from '../capabilities.ts';
import {
  type Check,
  type Evidence,
  finding,
  findingAt,
  forPerson,
  judge,
  notApplicable,
  PASS,
  UNANSWERED,
  type Verdict,
} from '../check.ts';
import { securityOption } from './daemon-verdicts.ts';

/** Reason for missing data about containers and images. */
export function unanswered({ podman }: AuditFacts): Verdict {
  if (!podman) return UNANSWERED;
  const reason = 'Podman does not answer on /run/podman/podman.sock (systemctl enable --now podman.socket)';
  return { state: 'not-applicable', reason, unseen: true };
}

function running(facts: AuditFacts): readonly ContainerFact[] | Verdict {
  if (facts.engine === undefined) return unanswered(facts);
  const containers = facts.engine.containers.filter((container) => container.running);
  return containers.length === 0 ? notApplicable('no containers are running') : containers;
}

function gather(
  containers: readonly ContainerFact[],
  wrong: (container: ContainerFact) => readonly string[],
): readonly Evidence[] {
  return containers.flatMap((container) =>
    wrong(container).map((text) => ({ place: `container ${container.name}`, text })),
  );
}

/** Judges every running container; not applicable without one. */
export function runningContainers(facts: AuditFacts, wrong: (container: ContainerFact) => readonly string[]): Verdict {
  const containers = running(facts);
  return 'state' in containers ? containers : judge(gather(containers, wrong));
}

/** As above, but a person decides. */
export function askPerson(
  facts: AuditFacts,
  question: string,
  interesting: (container: ContainerFact) => readonly string[],
): Verdict {
  const containers = running(facts);
  if ('state' in containers) return containers;
  const evidence = gather(containers, interesting);
  return evidence.length === 0 ? PASS : forPerson(question, evidence);
}

export function capabilities(facts: AuditFacts): Verdict {
  const verdict = runningContainers(facts, ({ capAdd }) => {
    const added = moreThanDefault(capAdd);
    return added.length === 0 ? [] : [`added: ${added.join(', ')}`];
  });
  if (verdict.state !== 'finding') return verdict;
  const added =
    facts.engine?.containers.filter((container) => container.running).flatMap((container) => container.capAdd) ?? [];
  const grave = added.some(isGrave);
  return { ...verdict, severity: grave ? 'high' : 'medium' };
}

export function containerNoNewPrivileges(facts: AuditFacts): Verdict {
  const daemonWide = securityOption(facts, 'no-new-privileges') !== undefined;
  return runningContainers(facts, (container) => {
    const process = facts.processes.get(container.pid);
    if (process !== undefined) return process.noNewPrivileges ? [] : ['its programs may gain rights (setuid)'];
    const requested = container.securityOpt.some((option) => /^no-new-privileges(?:[=:]true)?$/.test(option));
    return requested || (daemonWide && container.securityOpt.length === 0)
      ? []
      : ['its programs may gain rights (setuid)'];
  });
}

export function containerSeccomp(facts: AuditFacts): Verdict {
  return runningContainers(facts, (container) => {
    if (container.securityOpt.some((option) => /^seccomp[=:]unconfined$/.test(option)))
      return ['seccomp is unconfined'];
    if (container.privileged) return ['privileged: seccomp is unconfined'];
    // The client sends the profile's content instead of its name.
    if (
      container.securityOpt.some((option) => /^seccomp[=:].*"defaultAction"\s*:\s*"SCMP_ACT_(ALLOW|LOG)"/s.test(option))
    )
      return ['its seccomp profile allows every system call that it does not name'];
    return facts.processes.get(container.pid)?.seccomp === false ? ['no system calls are filtered'] : [];
  });
}

export function execs(facts: AuditFacts, user: boolean): Verdict {
  const containers = running(facts);
  if ('state' in containers) return containers;
  const evidence = (facts.engine?.execs ?? []).flatMap((exec): readonly Evidence[] => {
    const name = containers.find(({ id }) => id === exec.container)?.name ?? exec.container.slice(0, 12);
    if (!user)
      return exec.privileged ? [{ place: `container ${name}`, text: 'docker exec --privileged is running' }] : [];
    const asRoot = /^(root|0)(:|$)/.test(exec.user);
    return asRoot ? [{ place: `container ${name}`, text: `docker exec --user ${exec.user} is running` }] : [];
  });
  if (!user && evidence.length > 0) return finding(evidence);
  return forPerson(
    `does any user run docker exec ${user ? '--user root' : '--privileged'}? (the audit log tells of past ones)`,
    evidence,
  );
}

/** Limits of containers that differ from the daemon's. */
export function ownLimits(facts: AuditFacts): Verdict {
  if (facts.podman) return notApplicable("Podman names its default limits as each container's own");
  const { values } = facts.daemon.json;
  const defaults = new Set([
    ...flagged(facts.daemon, 'default-ulimits').map((text) =>
      text.includes(':') ? text : text.replace(/=(.*)$/, '=$1:$1'),
    ),
    ...entriesAt(values, 'default-ulimits').map(([name, limit]) => ulimitText(name, limit)),
  ]);
  return askPerson(facts, 'are these limits right?', ({ ulimits }) =>
    ulimits.filter((limit) => !defaults.has(limit)).map((limit) => `has its own limit ${limit}`),
  );
}

export function swarmNeed(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  if (textAt(facts.docker.info, 'Swarm', 'LocalNodeState') !== 'active') return PASS;
  return findingAt('dockerd', 'swarm mode is on: it opens more ports to the network');
}

/** Check of one property of each running container. */
export function perContainer(wrong: (container: ContainerFact) => readonly string[]): Check['evaluate'] {
  return (facts) => runningContainers(facts, wrong);
}
