/** Owns what stands against a change: everything is found before anything is touched, and said at once. */

import { DockerTlsError } from '../../errors/errors.ts';
import { flagValues } from '../dockerd/command-line.ts';
import { installDockerHints } from '../dockerd/packages.ts';
import { LOCK, SOCKET_PATH, SOCKET_UNIT, STATE } from '../dockerd/paths.ts';
import { LEAF_BACKDATE_MS } from '../pki/profiles.ts';
import { type Login, sshCommand, sudoCommand } from '../quote.ts';
import { type DaemonView, isTlsFlag, viewDaemon } from './daemon-view.ts';
import { fileText, type HostFacts, hasDocker } from './facts.ts';
import { judgeFirewall } from './firewall.ts';
import type { HostPlan } from './plan.ts';
import { checkDaemonJson, editAt, placeOf, problem } from './preflight-config.ts';
import { checkMounts } from './preflight-mounts.ts';
import { checkRestart } from './preflight-restart.ts';

export type PreflightInput = {
  readonly host: string;
  /** For the commands in hints. */
  readonly login: Login;
  readonly facts: HostFacts;
  /** How far the host's clock is ahead of ours (negative: behind), in milliseconds, round trip taken off. */
  readonly skewMs: number;
  /** Our own time, for locks. */
  readonly nowMs: number;
  readonly port: number;
  /** Absent where the facts do not allow a plan. */
  readonly plan?: HostPlan;
};

/** A certificate is dated back (src/domain/pki/profiles.ts): a clock that is further behind refuses it. A minute is for the way there. */
const BEHIND_LIMIT_MS = LEAF_BACKDATE_MS - 60_000;
/** The shortest certificate lives a day: a clock that is further ahead may find it expired. */
const AHEAD_LIMIT_MS = 23 * 3_600_000;
/** `systemd-run --collect`, with which the rollback is armed. */
const OLDEST_SYSTEMD = 236;
/** What a change needs: copies of a few small files. */
const FREE_KB = 2048;

/** Every problem of a host, gravest first; empty: the change can be made. Exit status 4. */
export function preflight(input: PreflightInput): DockerTlsError[] {
  const basics = checkBasics(input);
  if (basics.length > 0) return basics;
  const view = viewDaemon(input.facts);
  return [
    ...checkUnit(input, view),
    ...checkDaemonJson(input, view),
    ...checkRestart(input, view),
    ...checkMounts(input),
    ...checkHost(input),
    ...checkContainers(input),
  ];
}

function checkBasics({ host, login, facts, nowMs }: PreflightInput): DockerTlsError[] {
  const found: DockerTlsError[] = [];
  if (facts.systemd === undefined) {
    found.push(
      problem(host, 'E_NO_SYSTEMD', 'no systemd runs on this host', [
        'docker-tls changes dockerd through systemd units; use a host whose init is systemd',
      ]),
    );
  }
  if (facts.systemd !== undefined && facts.systemd < OLDEST_SYSTEMD) {
    found.push(
      problem(
        host,
        'E_SYSTEMD_OLD',
        `systemd ${facts.systemd} is too old for the rollback: ${OLDEST_SYSTEMD} is needed`,
        ['use a host with a newer system'],
      ),
    );
  }
  if (!hasDocker(facts)) {
    found.push(
      facts.docker.snap !== undefined
        ? problem(host, 'E_DOCKER_SNAP', 'Docker is installed as a snap, which keeps its own configuration', [
            sudoCommand(login, 'snap', 'remove', 'docker'),
            ...installDockerHints(login, facts.distribution),
          ])
        : problem(
            host,
            'E_NO_DOCKER',
            facts.docker.binary === '' ? 'no dockerd on this host' : 'dockerd is here, but no docker.service',
            [
              ...installDockerHints(login, facts.distribution),
              ...(facts.docker.unit.active === 'active'
                ? [`if it is to go, with its containers: ${sudoCommand(login, 'systemctl', 'stop', 'docker.service')}`]
                : []),
              ...facts.docker.rootless.map(
                ({ user, path }) => `the rootless Docker of ${user} (${path}) is not one that docker-tls can change`,
              ),
            ],
          ),
    );
  } else if (facts.docker.unit.load === 'masked') {
    found.push(
      problem(host, 'E_DOCKER_MASKED', 'docker.service is masked', [
        sudoCommand(login, 'systemctl', 'unmask', 'docker.service'),
      ]),
    );
  }
  if (facts.docker.answersRootless) {
    found.push(
      problem(
        host,
        'E_ROOTLESS',
        'what answers on /var/run/docker.sock is a rootless Docker, not the one of docker.service',
        [`see where it leads: ${sudoCommand(login, 'ls', '-l', '/var/run/docker.sock')}`],
      ),
    );
  }
  if (facts.lock !== undefined && facts.lock.expiresMs > facts.clockMs) {
    const since = new Date(nowMs - (facts.clockMs - facts.lock.sinceMs));
    found.push(
      lockedError({ host, login }, facts.lock.who, since, Math.ceil((facts.lock.expiresMs - facts.clockMs) / 1000)),
    );
  }
  return found;
}

/** The error for a host that another change holds. `since` in our own time. */
export function lockedError(
  { host, login }: Pick<PreflightInput, 'host' | 'login'>,
  who: string,
  since: Date,
  expiresInS: number,
): DockerTlsError {
  const when = Number.isNaN(since.getTime()) ? 'some time' : since.toISOString();
  return problem(host, 'E_HOST_LOCKED', `${who} has been changing this host since ${when}`, [
    `wait: the lock expires in ${expiresInS} s`,
    `if that run is dead: ${rollbackByHand(login)}; ${sudoCommand(login, 'rm', '-f', LOCK)}`,
  ]);
}

/** The error for a disk that fills in the middle of a change. */
export function diskFullError(
  { host, login }: Pick<PreflightInput, 'host' | 'login'>,
  message: string,
  details: readonly string[] = [],
): DockerTlsError {
  const hints = [`see what fills it: ${sshCommand(login, 'df', '-h')}`];
  return new DockerTlsError({ code: 'E_DISK_FULL', where: host, message, hints, details });
}

/** States of a unit that will be another one soon. */
const IN_BETWEEN = ['activating', 'deactivating', 'reloading', 'refreshing', 'maintenance'];

/** Starts the rollback that lies on a host in the middle of a change. */
export function rollbackByHand(login: Login): string {
  return sudoCommand(login, 'sh', `${STATE}/txn/rollback.sh`, 'undo', 'requested');
}

function checkUnit({ host, login, facts }: PreflightInput, view: DaemonView): DockerTlsError[] {
  const found: DockerTlsError[] = [];
  const { unread } = facts.docker.unit;
  if (unread.length > 0) {
    found.push(
      problem(
        host,
        'E_UNIT_UNREAD',
        `${unread.join(', ')}: systemd has not read ${unread.length === 1 ? 'it' : 'them'} yet, and would do so in the middle of the change`,
        [`let it: ${sudoCommand(login, 'systemctl', 'daemon-reload')}`, 'run the same command again'],
      ),
    );
  }
  for (const { unit, load } of facts.docker.needs) {
    if (load !== 'masked' && load !== 'not-found') continue;
    found.push(
      problem(
        host,
        'E_UNIT_NEEDS',
        `docker.service needs ${unit}, which is ${load === 'masked' ? 'masked' : 'not there'}: once stopped, it would not start again`,
        load === 'masked'
          ? [
              sudoCommand(login, 'systemctl', 'unmask', unit),
              // systemd has let go of what it held for it, which nobody notices until dockerd asks for it.
              ...(unit.endsWith('.socket')
                ? [
                    'then give it its sockets back, which systemd took away (containers stop for that unless live-restore is on):',
                    sudoCommand(login, 'systemctl', 'stop', 'docker.service'),
                    sudoCommand(login, 'systemctl', 'restart', unit),
                    sudoCommand(login, 'systemctl', 'start', 'docker.service'),
                  ]
                : []),
            ]
          : [`see what asks for it: ${sshCommand(login, 'systemctl', 'cat', 'docker.service')}`],
      ),
    );
  }
  if (view.execStart === undefined || view.commandLine === undefined) {
    const place = view.execStart ? `${view.execStart.path}:${view.execStart.line}` : facts.docker.unit.fragment;
    found.push(
      problem(
        host,
        'E_UNIT_COMMAND',
        `${place}: ExecStart does not start dockerd itself${view.execStart ? `: ${view.execStart.value}` : ''}`,
        [
          'make ExecStart there a plain dockerd command line:',
          ...editAt(login, view.execStart?.path ?? facts.docker.unit.fragment, facts),
        ],
      ),
    );
  }
  for (const variable of view.variables) {
    const tls = variable.flags.some((flag) => isTlsFlag(flag) || flag.name === '--host');
    if (tls && variable.file === undefined) {
      found.push(
        problem(
          host,
          'E_UNIT_VARIABLE',
          `${variable.path}:${variable.line}: ${variable.name} sets listening or TLS flags`,
          ['take -H and --tls flags out of it there:', ...editAt(login, variable.path, facts)],
        ),
      );
    }
  }
  if (IN_BETWEEN.includes(facts.docker.unit.active)) {
    found.push(
      problem(
        host,
        'E_DOCKER_BUSY',
        `docker.service is ${facts.docker.unit.active}, and has been for as long as we waited: it neither runs nor rests`,
        [
          `see why: ${sudoCommand(login, 'journalctl', '-u', 'docker.service', '-n', '30', '--no-pager')}`,
          'run the same command again once it runs',
        ],
      ),
    );
  }
  // Where docker-tls looks after the host, what is amiss may be ours: the credentials deleted by hand, a dockerd that moved with an upgrade. Every
  // change puts that right, or shows why the daemon does not start and goes back.
  if (facts.docker.unit.active === 'failed' && facts.state === undefined) {
    found.push(
      problem(host, 'E_DOCKER_DOWN', 'docker.service has failed already, before any change', [
        sudoCommand(login, 'journalctl', '-u', 'docker.service', '-n', '30', '--no-pager'),
        sudoCommand(login, 'systemctl', 'reset-failed', 'docker.service'),
        sudoCommand(login, 'systemctl', 'start', 'docker.service'),
      ]),
    );
  }
  return found;
}

function checkHost({ host, login, facts, skewMs, port, plan }: PreflightInput): DockerTlsError[] {
  const found: DockerTlsError[] = [];
  const listeners = facts.listeners.filter((line) => line.trim().split(/\s+/)[3]?.endsWith(`:${port}`));
  const foreign = listeners.filter((line) => !/users:\(\(.*"(dockerd|systemd)"/.test(line));
  const ours = facts.docker.tlsSocket.active === 'active' && socketPorts(facts).includes(port);
  if (foreign.length > 0 && !ours) {
    const program = /"([^"]+)",pid=(\d+)/.exec(foreign[0] ?? '');
    found.push(
      problem(
        host,
        'E_PORT_TAKEN',
        `port ${port} is taken by ${program ? `${program[1]} (pid ${program[2]})` : 'another program'}`,
        [
          `choose another: --port ${port === 2376 ? 2377 : 2376}`,
          `or see what it is: ${sudoCommand(login, 'ss', '-ltnp', `sport = :${port}`)}`,
        ],
      ),
    );
  } else if (!ours && listeners.some((line) => /"systemd",pid=1\b/.test(line))) {
    const holder = facts.docker.otherSockets.find(({ listens }) => listens.some((at) => at.endsWith(`:${port}`)));
    found.push(
      problem(
        host,
        'E_PORT_TAKEN',
        `port ${port} is held by ${holder?.unit ?? 'another socket unit'}, not by ${SOCKET_UNIT}`,
        [
          `see it: ${holder ? sshCommand(login, 'systemctl', 'cat', holder.unit) : sshCommand(login, 'systemctl', 'list-sockets')}`,
          `or choose another: --port ${port === 2376 ? 2377 : 2376}`,
        ],
      ),
    );
  }
  if (skewMs < -BEHIND_LIMIT_MS || skewMs > AHEAD_LIMIT_MS) {
    const minutes = Math.round(Math.abs(skewMs) / 60_000);
    found.push(
      problem(
        host,
        'E_CLOCK',
        `its clock is ${minutes} minutes ${skewMs < 0 ? 'behind' : 'ahead of'} this computer's: certificates would not be valid there`,
        [
          `set it: ${sudoCommand(login, 'timedatectl', 'set-ntp', 'true')}`,
          'if this computer is the one that is wrong, fix its clock first',
        ],
      ),
    );
  }
  for (const disk of facts.disk) {
    if (disk.freeKb >= FREE_KB) continue;
    found.push(
      problem(host, 'E_DISK_FULL', `only ${disk.freeKb} kB are free on ${disk.mount}`, [
        `see what fills it: ${sudoCommand(login, 'du', '-xhd', '2', '-t', '100M', disk.mount)}`,
      ]),
    );
  }
  if (plan?.daemon.action === 'restart' || plan === undefined) {
    const { wall } = judgeFirewall(facts.firewall, port);
    if (wall)
      found.push(
        problem(
          host,
          'E_FIREWALL',
          wall.words,
          wall.hints.map((hint) => sudoCommand(login, ...hint.split(' '))),
        ),
      );
  }
  return unique(found);
}

/** Ports that our socket unit holds, whichever the change is about. */
function socketPorts(facts: HostFacts): number[] {
  const streams = fileText(facts, SOCKET_PATH)?.match(/^ListenStream=.*$/gm) ?? [];
  return streams.map((stream) => Number(/(\d+)$/.exec(stream)?.[1]));
}

function checkContainers({ host, login, facts, plan }: PreflightInput): DockerTlsError[] {
  if (plan === undefined || plan.containers.how === 'untouched' || plan.containers.how === 'live-restore') return [];
  const view = viewDaemon(facts);
  if (plan.containers.how !== 'stop') {
    if (flagValues(view.flags, '--live-restore').length === 0) return [];
    const { path, words } = placeOf(view, '--live-restore', facts);
    return [
      problem(host, 'E_LIVE_RESTORE', `live-restore is switched off by a flag in ${words}, so containers would stop`, [
        'take --live-restore=false out there:',
        ...editAt(login, path, facts),
        'or let them stop: --containers may-stop',
      ]),
    ];
  }
  return [];
}

/** Swarm mode and the wish to keep containers do not go together: asked apart, since it depends on what the user said. */
export function swarmProblem(
  host: string,
  facts: HostFacts,
  containers: 'keep' | 'may-stop',
  plan: HostPlan,
): DockerTlsError[] {
  if (containers === 'may-stop' || plan.containers.how !== 'stop') return [];
  return [
    problem(
      host,
      'E_SWARM',
      `the host is in swarm mode, where live-restore does not work: ${plan.containers.running.length} containers would stop during the restart`,
      ['let them stop: --containers may-stop'],
      facts.docker.containers
        .slice(0, 20)
        .map(({ name, restart }) => `would stop: ${name}${restart === 'no' ? ' (and not start again by itself)' : ''}`),
    ),
  ];
}

function unique(errors: readonly DockerTlsError[]): DockerTlsError[] {
  return [...new Map(errors.map((error) => [`${error.code}${error.message}`, error])).values()];
}
