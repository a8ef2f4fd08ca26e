/** Owns what of docker.service prevents a change: units that systemd has not read or would not start, a command that is not dockerd. */

import type { DockerTlsError } from '../../errors/errors.ts';
import { sshCommand, sudoCommand } from '../quote.ts';
import { type DaemonView, isTlsFlag } from './daemon-view.ts';
import type { PreflightInput } from './preflight.ts';
import { collect, editAt } from './preflight-config.ts';

/** States of a unit that will be another one soon. */
const IN_BETWEEN = ['activating', 'deactivating', 'reloading', 'refreshing', 'maintenance'];

export function checkUnit({ host, login, facts }: PreflightInput, view: DaemonView): DockerTlsError[] {
  const { found, add } = collect(host);
  const systemctl = (...words: readonly string[]): string => sudoCommand(login, 'systemctl', ...words);
  const journal = (): string => sudoCommand(login, 'journalctl', '-u', 'docker.service', '-n', '30', '--no-pager');
  const { unread, active, fragment } = facts.docker.unit;
  if (unread.length > 0)
    add(
      'E_UNIT_UNREAD',
      `${unread.join(', ')}: systemd has not read ${unread.length === 1 ? 'it' : 'them'} yet, and would do so in the middle of the change`,
      [`let it: ${systemctl('daemon-reload')}`, 'run the same command again'],
    );
  for (const { unit, load } of facts.docker.needs) {
    if (load !== 'masked' && load !== 'not-found') continue;
    // systemd has let go of what it held for a masked socket unit, which nobody notices until dockerd asks for it.
    const sockets = [
      'then give it its sockets back, which systemd took away (containers stop for that unless live-restore is on):',
      systemctl('stop', 'docker.service'),
      systemctl('restart', unit),
      systemctl('start', 'docker.service'),
    ];
    add(
      'E_UNIT_NEEDS',
      `docker.service needs ${unit}, which is ${load === 'masked' ? 'masked' : 'not there'}: once stopped, it would not start again`,
      load === 'masked'
        ? [systemctl('unmask', unit), ...(unit.endsWith('.socket') ? sockets : [])]
        : [`see what asks for it: ${sshCommand(login, 'systemctl', 'cat', 'docker.service')}`],
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
      `docker.service is ${active}, and has been for as long as we waited: it neither runs nor rests`,
      [`see why: ${journal()}`, 'run the same command again once it runs'],
    );
  // On a host that docker-tls manages, what is amiss may be ours: the credentials deleted by hand, a dockerd that moved with an upgrade.
  // Every change puts that right, or shows why the daemon does not start and rolls back.
  if (active === 'failed' && facts.state === undefined)
    add('E_DOCKER_DOWN', 'docker.service has failed already, before any change', [
      journal(),
      systemctl('reset-failed', 'docker.service'),
      systemctl('start', 'docker.service'),
    ]);
  return found;
}
