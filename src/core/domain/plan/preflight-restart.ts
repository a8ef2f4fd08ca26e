/** Requirements of a restart of dockerd, and of its rollback: programs, and an answering API. */

import { installHint } from '../dockerd/install-hints.ts';
import { type Login, sudoCommand } from '../quote.ts';
import type { DaemonView } from './daemon-view.ts';
import { fileText, type HostFacts } from './facts.ts';
import { kindOf } from './host-kind.ts';
import type { HostPlan } from './plan-host.ts';
import type { Preflight } from './preflight-config.ts';
import { serviceChecks } from './preflight-service.ts';
import { startNeeds } from './start-needs.ts';

/** Whether the change needs an answer from the running daemon: that it has loaded its configuration. */
function asksDaemon({ daemon, containers }: HostPlan): boolean {
  return daemon.action === 'reload' || containers.how === 'temporary' || containers.how === 'switched-on';
}

export function checkRestart(input: Preflight, view: DaemonView): void {
  const { login, facts, plan, add } = input;
  const restarts = plan === undefined || plan.daemon.action === 'restart';
  serviceChecks(facts).restart(input, restarts);
  for (const need of restarts ? startNeeds(facts, view).filter(({ path }) => path === undefined) : [])
    add(
      'E_UNIT_NEEDS',
      `dockerd does not start without ${need.name}, and dockerd's PATH has none on this host: once stopped, it would not start again`,
      [installHint(login, facts.distribution, [need.package])],
    );
  if (plan !== undefined && (asksDaemon(plan) || (restarts && kindOf(facts).asks)) && facts.docker.silent)
    addSilent(input, view);
}

function addSilent({ login, facts, plan, add }: Preflight, view: DaemonView): void {
  const { apiSocket, socket } = facts.docker;
  const listens = view.listeners.some(({ kind }) => kind === 'unix' || kind === 'fd');
  const without =
    plan?.daemon.action === 'restart' ? ['or continue without it, and let containers stop: --containers may-stop'] : [];
  if (view.listeners.length > 0 && !listens) {
    const inJson = view.listeners.some(({ from }) => from === 'json') && fileText(facts, view.configFile) !== undefined;
    add(
      'E_DOCKER_SILENT',
      'dockerd listens on no unix socket, so docker-tls cannot find out whether its containers survive a restart',
      [
        `add unix://${facts.places.localSocket} to ${inJson ? `"hosts" in ${view.configFile}` : 'its -H flags'}, then: ${sudoCommand(login, ...kindOf(facts).commands.restart)}`,
        ...without,
      ],
    );
    return;
  }
  add(
    'E_DOCKER_SILENT',
    apiSocket === ''
      ? 'dockerd runs, but its socket file is missing: no program on the host can reach it'
      : `dockerd runs, but does not answer on ${apiSocket}`,
    [...restartCommands(login, facts, apiSocket === '' && socket.active === 'active'), ...without],
  );
}

/** Only its unit restores a socket that systemd held, and the unit does not start while the daemon runs. */
function restartCommands(login: Login, facts: HostFacts, socketUnit: boolean): string[] {
  const { commands, systemctl, sockets } = kindOf(facts);
  const { start, stop: end, restart } = commands;
  const stop = '(containers stop for that unless live-restore is on)';
  return socketUnit
    ? [
        `make it anew ${stop}: ${sudoCommand(login, ...end)}`,
        sudoCommand(login, ...systemctl, 'restart', sockets.local),
        sudoCommand(login, ...start),
      ]
    : [`restart it ${stop}: ${sudoCommand(login, ...restart)}`];
}
