/** Preflight checks by kind of service manager. */

import type { KindName } from '../../host/scripts.ts';
import { LISTENERS } from '../../seams/listeners.ts';
import { offeredLines } from '../../seams/seam.ts';
import { installDockerHints } from '../dockerd/install-hints.ts';
import { servesTls } from '../dockerd/podman-units.ts';
import { FLAGS_VARIABLE, scriptAssignment, withOursBlank } from '../dockerd/settings-script.ts';
import { shellQuote, sudoCommand } from '../quote.ts';
import { listsClients } from '../trust/trust.ts';
import { listWords } from '../words.ts';
import type { DaemonView } from './daemon-view.ts';
import { fileText, type HostFacts } from './facts.ts';
import { kindOf } from './host-kind.ts';
import { hasListener, usesListener } from './plan-listener.ts';
import { editAt, type Preflight } from './preflight-config.ts';
import { checkOwnSystemd, checkOwnUnit } from './preflight-rootless.ts';
import { checkSystemd, checkUnit, checkUnitRestart, checkUnread } from './preflight-unit.ts';

type ServiceChecks = {
  /** Obstacles that prevent all other checks. */
  readonly manager: (input: Preflight) => void;
  /** Checks of the daemon's start. */
  readonly service: (input: Preflight, view: DaemonView) => void;
  /** Obstacles of the service manager to a restart, and requirements of a change without one. */
  readonly restart: (input: Preflight, restarts: boolean) => void;
};

const INIT_SCRIPT: ServiceChecks = { manager: () => {}, service: checkScript, restart: () => {} };

const CHECKS: Readonly<Record<KindName, ServiceChecks>> = {
  systemd: { manager: checkSystemd, service: checkUnit, restart: checkUnitRestart },
  sysvinit: INIT_SCRIPT,
  openrc: INIT_SCRIPT,
  podman: { manager: checkPodmanVersion, service: checkPodman, restart: checkUnitRestart },
  rootless: { manager: checkOwnSystemd, service: checkOwnUnit, restart: checkUnitRestart },
};

export function serviceChecks(facts: HostFacts): ServiceChecks {
  return CHECKS[kindOf(facts).name];
}

/** Rejects an init script that starts dockerd in another way, and settings that only a shell can evaluate. */
function checkScript({ login, facts, add }: Preflight, view: DaemonView): void {
  const { fragment, environmentFiles } = facts.docker.unit;
  const [settings = ''] = environmentFiles;
  const script = fileText(facts, fragment) ?? '';
  if (view.commandLine === undefined)
    add('E_UNIT_COMMAND', `${fragment} does not give the words of $${FLAGS_VARIABLE} to dockerd`, [
      `see how it starts dockerd: ${sudoCommand(login, 'grep', '-n', 'dockerd', fragment)}`,
    ]);
  const flag = script
    .split('\n')
    .findIndex((line) => /^[^#]*\s(?:(?:-[Dhv]*H|--host|--tls\w*)[\s=]|-[Dhv]*H[a-z]+:\/\/)/.test(line));
  if (flag >= 0)
    add('E_UNIT_COMMAND', `${fragment}:${flag + 1}: the script itself sets listening or TLS flags`, [
      `move them to ${FLAGS_VARIABLE} in ${settings}:`,
      ...editAt(login, fragment, facts),
    ]);
  const assignment = scriptAssignment(withOursBlank(fileText(facts, settings) ?? ''));
  if (assignment === undefined || assignment.plain) return;
  const { line, earlier } = assignment;
  const [why, remedy] =
    earlier.length === 0
      ? ['put together by the shell', 'write all flags there']
      : [
          `set again, after ${listWords(earlier.map((one) => `line ${one}`))}`,
          'delete that line, with all flags in one',
        ];
  add(
    'E_UNIT_VARIABLE',
    `${settings}:${line}: ${FLAGS_VARIABLE} is ${why}, so docker-tls cannot tell which flags dockerd gets`,
    [`${remedy}, as plain text like ${FLAGS_VARIABLE}="--debug --mtu=1400":`, ...editAt(login, settings, facts)],
  );
}

/** Requires a version that serves TLS, if no listener does. */
function checkPodmanVersion(input: Preflight): void {
  checkSystemd(input);
  const { host, login, facts, add } = input;
  const { version } = facts.docker;
  if (!servesTls(version) && !hasOther(input))
    add('E_PODMAN_OLD', `Podman ${version} cannot ask clients for a certificate; 5.7 is the first that can`, [
      ...offeredLines(LISTENERS, `docker-tls setup ${shellQuote(host)} --listener haproxy --install`),
      'or install a newer Podman there, or Docker:',
      ...installDockerHints(login, facts.distribution),
      `or go through ssh: docker context create ${shellQuote(host)} --docker host=ssh://${login.destination}`,
    ]);
}

/** Whether another service accepts clients: after the change, or now if it restores something or there is none. */
function hasOther({ facts, plan, listener }: Preflight): boolean {
  if (plan === undefined && listener !== undefined) return listsClients({ listener });
  return plan?.purpose === 'apply' ? usesListener(plan) : hasListener(facts);
}

/** Requires our unedited service, and a single listen address. */
function checkPodman(input: Preflight): void {
  checkUnread(input);
  const { login, facts, plan, add } = input;
  const path = facts.places.socket;
  const socket = plan?.files.find((change) => change.path === path)?.after ?? fileText(facts, path) ?? '';
  if (!hasOther(input) && (socket.match(/^ListenStream=/gm) ?? []).length > 1)
    add('E_PODMAN_LISTEN', 'Podman can listen on one address only', [
      'name one with --listen, or none for all of the host',
      `see those that it has: ${sudoCommand(login, 'ip', '-brief', 'address')}`,
    ]);
}
