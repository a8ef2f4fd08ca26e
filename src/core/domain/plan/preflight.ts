/** Preflight: finds every obstacle to a change before anything is touched, and reports all of them together. */

import { DockerTlsError } from '../../../errors/errors.ts';
import { flagged } from '../dockerd/daemon-options.ts';
import { installDockerHints } from '../dockerd/install-hints.ts';
import { type Login, sshCommand, sudoCommand } from '../quote.ts';
import { plural } from '../words.ts';
import { type DaemonView, viewDaemon } from './daemon-view.ts';
import { type HostFacts, hasDocker } from './facts.ts';
import { type HostKind, kindOf, managers } from './host-kind.ts';
import type { HostPlan } from './plan-host.ts';
import { checkDaemonJson, editAt, type Preflight, type PreflightInput, placeOf, problem } from './preflight-config.ts';
import { checkHost } from './preflight-host.ts';
import { checkMounts } from './preflight-mounts.ts';
import { checkRestart } from './preflight-restart.ts';
import { SERVICE_CHECKS, serviceChecks } from './preflight-service.ts';

/** All problems of a host, gravest first; empty: the change is possible. Exit status 4. */
export function preflight(input: PreflightInput): DockerTlsError[] {
  const found: DockerTlsError[] = [];
  const host: Preflight = {
    ...input,
    add: (code, message, hints) => found.push(problem(input.host, code, message, hints)),
  };
  checkBasics(host);
  if (found.length > 0) return found;
  const view = viewDaemon(input.facts);
  serviceChecks(input.facts).service(host, view);
  // Other faults may follow from it: a daemon that does not answer, files that it does not see.
  if (found.some(({ code }) => code === 'E_UNIT_SETTING')) return found;
  if (kindOf(input.facts).engine.configurable) checkDaemonJson(host, view);
  checkRestart(host, view);
  checkMounts(host);
  checkHost(host);
  checkContainers(host, view);
  return found;
}

function checkBasics(input: Preflight): void {
  const { host, login, facts, nowMs, add } = input;
  const sudo = (...words: readonly string[]): string => sudoCommand(login, ...words);
  const { docker, lock } = facts;
  const { service, commands, own } = kindOf(facts);
  if (docker.vendor !== undefined) {
    add('E_VENDOR_SYSTEM', `${docker.vendor} configures dockerd with its own tools, and they undo changes by others`, [
      'configure TLS by hand, with the tools of that system: docs/hosts.md, "Systems of vendors"',
    ]);
    return;
  }
  if ([...SERVICE_CHECKS.entries.values()].some((checks) => checks.login?.(input))) return;
  if (facts.kind === undefined && !login.rootless)
    add('E_NO_SYSTEMD', `${noneOf(managers())} runs on this host`, [
      `docker-tls changes dockerd where ${managers().join(' or ')} starts it: docs/hosts.md, "Kinds of hosts"`,
    ]);
  serviceChecks(facts).manager(input);
  if (!hasDocker(facts) && docker.snap !== undefined)
    add('E_DOCKER_SNAP', 'Docker is installed as a snap, with its own configuration', [
      sudo('snap', 'remove', 'docker'),
      ...installDockerHints(login, facts.distribution),
      'or keep the snap and configure TLS by hand: docs/hosts.md, "Docker from snap"',
    ]);
  else if (!hasDocker(facts))
    add('E_NO_DOCKER', docker.binary === '' ? 'no dockerd on this host' : `dockerd is here, but no ${service}`, [
      ...installDockerHints(login, facts.distribution),
      ...(docker.unit.active === 'active' ? [`if it is to go, with its containers: ${sudo(...commands.stop)}`] : []),
      ...docker.rootless.map(
        ({ user, path }) => `the rootless Docker of ${user} (${path}) is not one that docker-tls can change`,
      ),
    ]);
  if (docker.answersRootless && !own)
    add('E_ROOTLESS', `a rootless Docker answers on /var/run/docker.sock, not ${service}`, [
      `see where it leads: ${sudo('ls', '-l', '/var/run/docker.sock')}`,
    ]);
  // If the daemon runs by now, the rollback can finish.
  if (facts.rollbackFailed && docker.unit.active !== 'active')
    add(
      'E_ROLLBACK',
      `the rollback of an earlier change failed, and ${service} is down${kindOf(facts).engine.configurable ? ', usually because of a setting that it had before' : ''}`,
      repairHints(login, kindOf(facts)),
    );
  else if (lock !== undefined && lock.expiresMs > facts.clockMs && !facts.abandoned) {
    const since = new Date(nowMs - (facts.clockMs - lock.sinceMs));
    const expiresInS = Math.ceil((lock.expiresMs - facts.clockMs) / 1000);
    const begun = facts.transaction !== undefined;
    const { message, hints } = lockedError({ host, login }, kindOf(facts), { who: lock.who, since, expiresInS, begun });
    add('E_HOST_LOCKED', message, hints);
  }
}

function noneOf(names: readonly string[]): string {
  return names.length === 1 ? `no ${names[0]}` : `neither ${names.join(' nor ')}`;
}

/**
 * Error for a host locked by another change. `since` is in local time. `begun`: the host has its rollback, and that releases the
 * lock. A run that only holds the lock, while it waits for an external CA, has no rollback.
 */
export function lockedError(
  { host, login }: Pick<PreflightInput, 'host' | 'login'>,
  kind: HostKind,
  { who, since, expiresInS, begun }: { who: string; since: Date; expiresInS: number; begun: boolean },
): DockerTlsError {
  const when = Number.isNaN(since.getTime()) ? 'some time' : `${since.toISOString().slice(0, 19)}Z`;
  return problem(host, 'E_HOST_LOCKED', `${who} has been changing this host since ${when}`, [
    `wait: the lock expires in ${expiresInS} s`,
    `if that run is dead: ${begun ? rollbackByHand(login, kind) : sudoCommand(login, 'rm', '-f', kind.places.lock)}`,
  ]);
}

/** Error for a disk that fills up during a change. */
export function diskFullError(
  { host, login }: Pick<PreflightInput, 'host' | 'login'>,
  message: string,
  details: readonly string[] = [],
): DockerTlsError {
  const hints = [
    `see what fills it: ${sshCommand(login, 'df', '-h')}`,
    `or its inodes: ${sshCommand(login, 'df', '-i')}`,
  ];
  return new DockerTlsError('E_DISK_FULL', message, { where: host, hints, details });
}

/**
 * Hints for a failed rollback: a file could not be restored, the kernel or sshd rejected something, or the daemon does not start with its
 * former settings. The host does not overwrite manual repairs.
 */
export function repairHints(login: Login, kind: HostKind): string[] {
  return [
    `see what failed: ${sudoCommand(login, ...kind.commands.ownLog)}`,
    `if ${kind.service} is down, why: ${sudoCommand(login, ...kind.commands.log)}`,
    `repair what they name${kind.engine.configurable ? ', such as a setting in daemon.json (leave "live-restore" there, for containers that still run)' : ''}; one that is down, start then:`,
    ...(kind.systemctl.length > 0
      ? [[...kind.systemctl, 'reset-failed', kind.service], kind.commands.start]
      : kind.bringUp
    ).map((words) => sudoCommand(login, ...words)),
    `the rollback then ends and overwrites no later change; to end it at once: ${rollbackByHand(login, kind)}`,
  ];
}

/** Command that starts the rollback stored on a host during a change. */
export function rollbackByHand(login: Login, { places }: HostKind): string {
  return sudoCommand(login, 'sh', `${places.state}/txn/rollback.sh`, 'undo', 'requested');
}

function checkContainers({ login, facts, plan, add }: Preflight, view: DaemonView): void {
  const how = plan?.containers.how;
  if ((how !== 'temporary' && how !== 'switched-on') || flagged(view, 'live-restore').length === 0) return;
  const { path, words } = placeOf(view, '--live-restore', facts);
  add('E_LIVE_RESTORE', `live-restore is switched off by a flag in ${words}, so containers would stop`, [
    'take --live-restore=false out there:',
    ...editAt(login, path, facts),
    'or let them stop: --containers may-stop',
  ]);
}

/** Containers cannot be kept in swarm mode or on a rootless daemon. A separate check, since it depends on the user's settings. */
export function stopProblem(
  host: string,
  facts: HostFacts,
  containers: 'keep' | 'may-stop',
  plan: HostPlan,
): DockerTlsError[] {
  if (containers === 'may-stop' || plan.containers.how !== 'stop') return [];
  const [code, why] = kindOf(facts).keepsContainers
    ? (['E_SWARM', 'the host is in swarm mode, and live-restore does not work with swarm'] as const)
    : (['E_CONTAINERS', 'a rootless Docker takes its containers along when it restarts'] as const);
  return [
    problem(
      host,
      code,
      `${why}: ${plan.containers.unlisted ? 'those that run, which the daemon does not tell,' : plural(plan.containers.running.length, 'container')} would stop during the restart`,
      ['let them stop: --containers may-stop'],
      facts.docker.containers
        .slice(0, 20)
        .map(({ name, restart }) => `would stop: ${name}${restart === 'no' ? ' (and not restart automatically)' : ''}`),
    ),
  ];
}
