/** Preflight of a rootless daemon. */

import { SYSTEM_PLACES } from '../../../core/domain/dockerd/paths.ts';
import { readStart } from '../../../core/domain/plan/daemon-start.ts';
import type { DaemonView } from '../../../core/domain/plan/daemon-view.ts';
import { fileText, hasDocker } from '../../../core/domain/plan/facts.ts';
import { kindOf } from '../../../core/domain/plan/host-kind.ts';
import { editAt, type Preflight, type PreflightInput } from '../../../core/domain/plan/preflight-config.ts';
import { checkSystemd, checkUnit } from '../../../core/domain/plan/preflight-unit.ts';
import { sshCommand, sudoCommand } from '../../../core/domain/quote.ts';
import { MOST_SOCKETS } from './listen-script.ts';

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

/** Hints for a rootless daemon whose port RootlessKit forwards, as in Docker's documentation: docker-tls does not need that. */
export function forwardedHints({ login, facts, port }: PreflightInput): string[] {
  const flags = readStart(facts).variable('DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS');
  if (flags === undefined || !flags.value.includes(`:${port}/tcp`)) return [];
  const restart = kindOf(facts).systemctl.join(' ');
  return [
    `or take "-p" for that port out of DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS (${flags.path}:${flags.line}); docker-tls opens the port without it:`,
    ...editAt(login, flags.path, facts),
    sshCommand(login, 'sh', '-c', `${restart} daemon-reload && ${restart} restart docker`),
  ];
}

/** True: nothing else can be said of the host. */
export function checkOwnLogin({ login, facts, add }: Preflight): boolean {
  if (!login.rootless) return false;
  if (facts.uid === 0) {
    add('E_ROOTLESS_USER', "root logs in, and a rootless Docker is another user's: nothing of root's is changed", [
      `docker-tls setup USER@${login.destination.replace(/^.*@/, '')} --rootless`,
      "or, for root's own Docker, without --rootless",
    ]);
    return true;
  }
  if (facts.kind === undefined)
    add('E_NO_SYSTEMD', `no systemd of ${login.user ?? 'the user'} runs on this host`, [
      sshCommand(login, 'loginctl', 'enable-linger'),
      `where that is not there or does not help, as root on the host: ${
        facts.distribution?.manager === 'apt'
          ? 'apt-get install libpam-systemd dbus-user-session'
          : "install systemd's PAM module (pam_systemd.so)"
      }`,
    ]);
  return false;
}
