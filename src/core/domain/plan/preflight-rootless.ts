/** Preflight of a rootless daemon. */

import { MOST_SOCKETS } from '../dockerd/listen-script.ts';
import { SYSTEM_PLACES } from '../dockerd/paths.ts';
import { sudoCommand } from '../quote.ts';
import type { DaemonView } from './daemon-view.ts';
import { fileText, hasDocker } from './facts.ts';
import { kindOf } from './host-kind.ts';
import { editAt, type Preflight } from './preflight-config.ts';
import { checkSystemd, checkUnit } from './preflight-unit.ts';

/** Without lingering, the daemon and its rollback end with the last login session. */
export function checkOwnSystemd(input: Preflight): void {
  checkSystemd(input);
  const { login, facts, add } = input;
  if (facts.places === SYSTEM_PLACES)
    add(
      'E_HOME_NAME',
      `the home directory of ${login.user ?? 'the user'} has no name, or one with more than letters, digits and "._@+-"`,
      [`move it, as root on the host: usermod --move-home --home /home/NAME ${login.user ?? 'USER'}`],
    );
  if (hasDocker(facts) && facts.linger?.state === 'no')
    add(
      'E_LINGER',
      `${login.user ?? 'the user'} does not linger, and may not change that: their Docker ends with their last login, and so would the rollback`,
      [`as root on the host: loginctl enable-linger ${login.user ?? 'USER'}`],
    );
}

export function checkOwnUnit(input: Preflight, view: DaemonView): void {
  checkUnit(input, view);
  const { login, facts, add } = input;
  // Their descriptors mix with ours, and the script cannot tell them apart.
  for (const { unit } of facts.docker.otherSockets)
    add('E_UNIT_NEEDS', `${unit} hands sockets to the daemon: a rootless one can get those of docker-tls alone`, [
      sudoCommand(login, ...kindOf(facts).systemctl, 'disable', '--now', unit),
      'remove -H fd:// from its unit: it then opens the socket itself',
    ]);
  // Our script starts dockerd-rootless.sh and recognizes it by its name.
  const [start, ...more] = view.commandLine?.head ?? [];
  if (start !== undefined && (more.length > 0 || !/^[/%][^\s"']*\/dockerd-rootless\.sh$/.test(start.raw))) {
    const path = view.execStart?.path ?? facts.docker.unit.fragment;
    add('E_UNIT_COMMAND', `${path}: ExecStart does not start dockerd-rootless.sh by its path`, [
      'begin ExecStart there with the path of dockerd-rootless.sh, without env and prefixes:',
      ...editAt(login, path, facts),
    ]);
  }
  const program = view.commandLine?.program ?? '';
  const script = fileText(facts, program);
  if (script !== undefined && !script.includes('DOCKERD:-'))
    add('E_UNIT_COMMAND', `${program} does not let a unit choose dockerd: it is too old for docker-tls`, [
      'install a newer Docker: its dockerd-rootless.sh knows the variable DOCKERD',
    ]);
  if (view.listeners.some(({ from }) => from === 'json'))
    add('E_CONFLICT', `"hosts" in ${view.configFile} keeps the daemon from getting its port as a flag`, [
      `take "hosts" out of ${view.configFile}, and give the daemon -H flags in its unit`,
    ]);
  const streams =
    fileText(facts, facts.places.socket) ?? input.plan?.files.find(({ path }) => path === facts.places.socket)?.after;
  const addresses = streams?.match(/^ListenStream=/gm)?.length ?? 1;
  if (addresses > MOST_SOCKETS)
    add('E_UNIT_NEEDS', `a rootless daemon can listen on ${MOST_SOCKETS} addresses, and not on ${addresses}`, [
      'give fewer --listen addresses, or none for all',
    ]);
}
