/** Preflight of the daemon's unit: stale unit files, units that would not start, a command that is not dockerd. */

import { sshCommand, sudoCommand } from '../quote.ts';
import { type DaemonView, isTlsFlag } from './daemon-view.ts';
import { hasDocker } from './facts.ts';
import { kindOf } from './host-kind.ts';
import { editAt, type Preflight } from './preflight-config.ts';
import { checkUnitSettings } from './preflight-unit-settings.ts';

/** First version with `systemd-run --collect`; the rollback is armed with it. */
const OLDEST_SYSTEMD = 236;
/** Transient unit states. */
const IN_BETWEEN = ['activating', 'deactivating', 'reloading', 'refreshing', 'maintenance'];

/** RELOAD_DISK_SPACE_MIN of systemd (src/core/dbus-manager.c): with less space on /run it refuses a daemon-reload. */
const SYSTEMD_RESERVE_KB = 16_384;
/** First systemd seen to reload with less space; 257 refuses. */
const NEEDS_NO_RESERVE = 262;

/** Obstacles that prevent all other checks. */
export function checkSystemd({ login, facts, add }: Preflight): void {
  if (facts.systemd !== undefined && facts.systemd < OLDEST_SYSTEMD)
    add('E_SYSTEMD_OLD', `systemd ${facts.systemd} is too old for the rollback: ${OLDEST_SYSTEMD} is needed`, [
      'use a host with a newer system',
    ]);
  const { service } = kindOf(facts);
  if (hasDocker(facts) && facts.docker.unit.load === 'masked')
    add('E_DOCKER_MASKED', `${service} is masked`, [sudoCommand(login, ...kindOf(facts).systemctl, 'unmask', service)]);
}

/** Reports unit files that changed since systemd loaded them. */
export function checkUnread({ login, facts, add }: Preflight): void {
  const { unread } = facts.docker.unit;
  if (unread.length > 0)
    add(
      'E_UNIT_UNREAD',
      `${unread.join(', ')}: systemd has not read ${unread.length === 1 ? 'it' : 'them'} yet, and would do so in the middle of the change`,
      [`let it: ${sudoCommand(login, ...kindOf(facts).systemctl, 'daemon-reload')}`, 'run the same command again'],
    );
}

export function checkUnit(input: Preflight, view: DaemonView): void {
  const { login, facts, add } = input;
  const { service, commands, systemctl: words } = kindOf(facts);
  const systemctl = (...more: readonly string[]): string => sudoCommand(login, ...words, ...more);
  const command = (of: readonly string[]): string => sudoCommand(login, ...of);
  const { active, fragment } = facts.docker.unit;
  checkUnread(input);
  checkUnitSettings(input);
  for (const { unit, load } of facts.docker.needs) {
    if (load !== 'masked' && load !== 'not-found') continue;
    // systemd closed the sockets of a masked socket unit; dockerd notices only when it asks for them.
    const sockets = [
      'then give it its sockets back, which systemd took away (containers stop for that unless live-restore is on):',
      command(commands.stop),
      systemctl('restart', unit),
      command(commands.start),
    ];
    add(
      'E_UNIT_NEEDS',
      `${service} needs ${unit}, which is ${load === 'masked' ? 'masked' : 'not there'}: once stopped, it would not start again`,
      load === 'masked'
        ? [systemctl('unmask', unit), ...(unit.endsWith('.socket') ? sockets : [])]
        : [`see what asks for it: ${sshCommand(login, ...words, 'cat', service)}`],
    );
  }
  const { execStart } = view;
  if (execStart === undefined || view.commandLine === undefined)
    add(
      'E_UNIT_COMMAND',
      execStart
        ? `${execStart.path}:${execStart.line}: ExecStart does not start dockerd itself: ${execStart.value}`
        : `${fragment}: ExecStart does not start dockerd itself`,
      ['make ExecStart there a plain dockerd command line:', ...editAt(login, execStart?.path ?? fragment, facts)],
    );
  for (const { flags, file, path, line, name } of view.variables)
    if (file === undefined && flags.some((flag) => isTlsFlag(flag) || flag.name === '--host'))
      add('E_UNIT_VARIABLE', `${path}:${line}: ${name} sets listening or TLS flags`, [
        'take -H and --tls flags out of it there:',
        ...editAt(login, path, facts),
      ]);
  if (IN_BETWEEN.includes(active))
    add(
      'E_DOCKER_BUSY',
      `${service} is ${active}, and stayed so while docker-tls waited: it neither runs nor is stopped`,
      [`see why: ${command(commands.log)}`, 'once it runs, run the same command again'],
    );
  // On a host that docker-tls manages, the fault may be in our files: credentials deleted by hand, a dockerd that moved in an upgrade.
  // Every change repairs that, or shows why the daemon does not start, and rolls back.
  if (active === 'failed' && facts.state === undefined)
    add('E_DOCKER_DOWN', `${service} has failed already, before any change`, [
      command(commands.log),
      systemctl('reset-failed', service),
      command(commands.start),
    ]);
}

/** systemd's obstacles to a restart of the daemon's service. */
export function checkUnitRestart({ login, facts, add }: Preflight, restarts: boolean): void {
  const { canStart, canStop, unmet, active } = facts.docker.unit;
  const { service } = kindOf(facts);
  const reasons = [
    ...(canStop || active !== 'active' ? [] : [`${service} cannot be stopped: its unit has RefuseManualStop=yes`]),
    ...(canStart ? [] : [`${service} cannot be started: its unit has RefuseManualStart=yes`]),
    ...unmet.map(
      (condition) => `${service} has ${condition}, which is not met now: once stopped, it would not start again`,
    ),
  ];
  for (const reason of restarts ? reasons : [])
    add('E_UNIT_NEEDS', reason, [
      `see where that is set: ${sshCommand(login, ...kindOf(facts).systemctl, 'cat', service)}`,
    ]);
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
}
