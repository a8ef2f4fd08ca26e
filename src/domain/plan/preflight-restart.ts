/** Owns what a restart of dockerd, and its rollback, need from the host: programs, an answering API, and a systemd that reads unit files. */

import type { DockerTlsError } from '../../errors/errors.ts';
import { installHint } from '../dockerd/packages.ts';
import { type Login, sshCommand, sudoCommand } from '../quote.ts';
import type { DaemonView } from './daemon-view.ts';
import { fileText } from './facts.ts';
import type { HostPlan } from './plan.ts';
import type { PreflightInput } from './preflight.ts';
import { collect, problem } from './preflight-config.ts';
import { startNeeds } from './start-needs.ts';

/** RELOAD_DISK_SPACE_MIN of systemd (src/core/dbus-manager.c): with less on /run it refuses a daemon-reload. */
const SYSTEMD_RESERVE_KB = 16_384;
/** The first systemd that was seen to reload with less; 257 refuses. */
const NEEDS_NO_RESERVE = 262;

/** Whether the change has to know what the running daemon says: that it has taken in its configuration. */
function asksDaemon({ daemon, containers }: HostPlan): boolean {
  return daemon.action === 'reload' || containers.how === 'temporary' || containers.how === 'switched-on';
}

export function checkRestart(input: PreflightInput, view: DaemonView): DockerTlsError[] {
  const { host, login, facts, plan } = input;
  const { found, add } = collect(host);
  const restarts = plan === undefined || plan.daemon.action === 'restart';
  if (restarts) found.push(...checkUnitRestarts(input));
  for (const need of restarts ? startNeeds(facts, view).filter(({ path }) => path === undefined) : [])
    add(
      'E_UNIT_NEEDS',
      `dockerd does not start without ${need.name}, and this host has none in dockerd's PATH: once stopped, it would not start again`,
      [installHint(login, facts.distribution, [need.package])],
    );
  if (plan !== undefined && asksDaemon(plan) && facts.docker.silent) found.push(silentProblem(input, view));
  const reserved = facts.systemd === undefined || facts.systemd < NEEDS_NO_RESERVE;
  if (reserved && facts.runFreeKb !== undefined && facts.runFreeKb < SYSTEMD_RESERVE_KB)
    add(
      'E_DISK_FULL',
      `only ${facts.runFreeKb} kB are free on /run: systemd reads no unit files with less than ${SYSTEMD_RESERVE_KB} kB`,
      [
        `see what fills it: ${sudoCommand(login, 'du', '-xhd', '2', '-t', '1M', '/run')}`,
        `or let it hold more until the next boot: ${sudoCommand(login, 'mount', '-o', 'remount,size=64M', '/run')}`,
      ],
    );
  return found;
}

/** What systemd itself has against a restart of docker.service. */
function checkUnitRestarts({ host, login, facts }: PreflightInput): DockerTlsError[] {
  const { canStart, canStop, unmet, active } = facts.docker.unit;
  const reasons = [
    ...(canStop || active !== 'active' ? [] : ['docker.service cannot be stopped: its unit has RefuseManualStop=yes']),
    ...(canStart ? [] : ['docker.service cannot be started: its unit has RefuseManualStart=yes']),
    ...unmet.map(
      (condition) => `docker.service has ${condition}, which is not met now: once stopped, it would not start again`,
    ),
  ];
  return reasons.map((reason) =>
    problem(host, 'E_UNIT_NEEDS', reason, [
      `see where that is set: ${sshCommand(login, 'systemctl', 'cat', 'docker.service')}`,
    ]),
  );
}

function silentProblem({ host, login, facts, plan }: PreflightInput, view: DaemonView): DockerTlsError {
  const { apiSocket, socket } = facts.docker;
  const listens = view.listeners.some(({ kind }) => kind === 'unix' || kind === 'fd');
  const without =
    plan?.daemon.action === 'restart' ? ['or go on without, and let containers stop: --containers may-stop'] : [];
  if (view.listeners.length > 0 && !listens) {
    const inJson = view.listeners.some(({ from }) => from === 'json') && fileText(facts, view.configFile) !== undefined;
    return problem(
      host,
      'E_DOCKER_SILENT',
      'dockerd listens on no unix socket, so it cannot be asked whether its containers outlive a restart',
      [
        `add unix:///var/run/docker.sock to ${inJson ? `"hosts" in ${view.configFile}` : 'its -H flags'}, then: ${sudoCommand(login, 'systemctl', 'restart', 'docker.service')}`,
        ...without,
      ],
    );
  }
  return problem(
    host,
    'E_DOCKER_SILENT',
    apiSocket === ''
      ? 'dockerd runs, but the file of its socket is gone: no program on the host can reach it'
      : `dockerd runs, but does not answer on ${apiSocket}`,
    [...restartCommands(login, apiSocket === '' && socket.active === 'active'), ...without],
  );
}

/** A socket that systemd holds comes back only by its unit, which does not start while the daemon runs. */
function restartCommands(login: Login, socketUnit: boolean): string[] {
  const systemctl = (...words: string[]): string => sudoCommand(login, 'systemctl', ...words);
  const stop = '(containers stop for that unless live-restore is on)';
  return socketUnit
    ? [
        `make it anew ${stop}: ${systemctl('stop', 'docker.service')}`,
        systemctl('restart', 'docker.socket'),
        systemctl('start', 'docker.service'),
      ]
    : [`restart it ${stop}: ${systemctl('restart', 'docker.service')}`];
}
