/** Preflight of the host around dockerd: an occupied port, the clock, full disks, the firewall. */

import { orIn } from '../../seams/setting-places.ts';
import { LEAF_BACKDATE_MS } from '../pki/profiles.ts';
import { clockCommand, rootCommand, sshCommand, sudoCommand } from '../quote.ts';
import { judgeFirewall } from './firewall.ts';
import { kindOf } from './host-kind.ts';
import type { Preflight, PreflightInput } from './preflight-config.ts';
import { serviceChecks } from './preflight-service.ts';

/**
 * Certificates are backdated (src/core/domain/pki/profiles.ts); a clock further behind rejects them. One minute is reserved for transit.
 */
const BEHIND_LIMIT_MS = LEAF_BACKDATE_MS - 60_000;
/** The shortest certificate is valid for a day; a clock further ahead may see it as expired. */
const AHEAD_LIMIT_MS = 23 * 3_600_000;
/** Space for a change: copies of a few small files. */
const FREE_KB = 2048;
const FREE_INODES = 64;

export function checkHost(input: Preflight): void {
  const { login, facts, skewMs, port, plan, add } = input;
  const taken = port === 0 ? undefined : portTaken(input);
  if (taken !== undefined) add('E_PORT_TAKEN', ...taken);
  if (skewMs < -BEHIND_LIMIT_MS || skewMs > AHEAD_LIMIT_MS)
    add(
      'E_CLOCK',
      `its clock is ${Math.round(Math.abs(skewMs) / 60_000)} minutes ${skewMs < 0 ? 'behind' : 'ahead of'} this computer's: certificates would not be valid there`,
      [
        `set it by this computer's, if that is right: ${clockCommand(login)}`,
        `and keep it right, where a time service is installed: ${rootCommand(login, 'timedatectl', 'set-ntp', 'true')}`,
      ],
    );
  const state = facts.directories.get(`${facts.places.state}/.`);
  if (state !== undefined && !/^\d*[0145]{2} 0:/.test(state)) {
    add(
      'E_STATE_DIRECTORY',
      `other accounts can write ${facts.places.state}, and could replace the rollback (${state})`,
      [
        ...(kindOf(facts).own ? [] : [sudoCommand(login, 'chown', 'root', facts.places.state)]),
        sudoCommand(login, 'chmod', 'go-w', facts.places.state),
      ],
    );
  }
  // Several of the checked directories may be on one disk.
  for (const [mount, freeKb] of new Map(facts.disk.map((disk) => [disk.mount, disk.freeKb])))
    if (freeKb < FREE_KB)
      add('E_DISK_FULL', `only ${freeKb} kB are free on ${mount}`, [
        `see what fills it: ${sudoCommand(login, 'du', '-xhd', '2', '-t', '100M', mount)}`,
      ]);
  for (const [mount, free] of new Map(facts.inodes.map((one) => [one.mount, one.free])))
    if (free < FREE_INODES)
      add('E_DISK_FULL', `only ${free} more files fit on ${mount}: its inodes are used up, whatever room it has`, [
        `see the inodes: ${sshCommand(login, 'df', '-i', mount)}`,
        `see where the files are: ${sudoCommand(login, 'du', '--inodes', '-xd', '2', mount)}`,
      ]);
  const { wall } = judgeFirewall(facts, port);
  if (port !== 0 && wall && (plan === undefined || plan.daemon.action === 'restart'))
    add(
      'E_FIREWALL',
      wall.words,
      wall.hints.map((hint) => sudoCommand(login, ...hint.split(' '))),
    );
}

/** The port's current holder, and hints. */
function portTaken(input: PreflightInput): [message: string, hints: string[]] | undefined {
  const { login, facts, port } = input;
  const next = port === 2376 ? 2377 : 2376;
  const other = `choose another: --port ${next}${orIn(`port: ${next}`)}`;
  const listeners = facts.listeners.filter((line) => line.trim().split(/\s+/)[3]?.endsWith(`:${port}`));
  const foreign = listeners.find((line) => !/users:\(\(.*"(dockerd|systemd)"/.test(line));
  const { tlsSocket, tlsSocketListens } = facts.docker;
  if (!['inactive', 'failed'].includes(tlsSocket.active) && tlsSocketListens.some((at) => at.endsWith(`:${port}`)))
    return undefined;
  if (foreign !== undefined) {
    const program = /"([^"]+)",pid=(\d+)/.exec(foreign);
    return [
      `port ${port} is taken by ${program ? `${program[1]} (pid ${program[2]})` : 'another program'}`,
      [
        other,
        ...(serviceChecks(input.facts).heldPort?.(input) ?? []),
        `or see what it is: ${sudoCommand(login, 'ss', '-ltnp', `sport = :${port}`)}`,
      ],
    ];
  }
  if (!listeners.some((line) => /"systemd",pid=1\b/.test(line))) return undefined;
  const holder = facts.docker.otherSockets.find(({ listens }) => listens.some((at) => at.endsWith(`:${port}`)));
  return [
    `port ${port} is held by ${holder?.unit ?? 'another socket unit'}, not by ${kindOf(facts).sockets.tls}`,
    [`see it: ${sshCommand(login, 'systemctl', ...(holder ? ['cat', holder.unit] : ['list-sockets']))}`, `or ${other}`],
  ];
}
