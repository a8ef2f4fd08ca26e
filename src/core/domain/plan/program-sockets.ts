/** Sockets for programs on a host: which of them are active, and why the others are not. */

import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { programUnit } from '../dockerd/paths.ts';
import { type Login, shellQuote, sudoCommand } from '../quote.ts';
import type { HostFacts } from './facts.ts';
import { kindOf } from './host-kind.ts';
import { settingsNow } from './host-state.ts';
import type { ListenerPlan } from './listener.ts';
import type { ProgramSocket } from './socket-facts.ts';

const UNKNOWN: ProgramSocket = { load: '', active: '', enabled: '', at: '' };

type Found = Pick<HostFacts, 'programSockets'>;

/** Names in the setting `sockets` (`NAME ROLE`). */
export function socketNames(sockets: readonly string[] = []): string[] {
  return sockets.map((one) => one.split(' ')[0] ?? '');
}

export function inactiveSockets({ programSockets }: Found, names: readonly string[]): string[] {
  return names.filter((name) => {
    const { active, at } = programSockets.get(name) ?? UNKNOWN;
    return active !== 'active' || at !== 'socket';
  });
}

/**
 * Those that the host has had with the same role. They fail no change that has another purpose: a socket that cannot become active must not
 * keep a client that is to go.
 */
export function leftInactive(facts: Found & Pick<HostFacts, 'state'>, sockets: readonly string[] = []): string[] {
  const before = settingsNow(facts.state)?.sockets ?? [];
  return inactiveSockets(facts, socketNames(sockets.filter((one) => before.includes(one))));
}

/** Why a socket is not active. `stays`: no start of its unit changes that. `commands`: what does. */
export function inactivityOf(
  facts: Found & Pick<HostFacts, 'kind' | 'places'>,
  name: string,
  login: Login,
): { readonly why: string; readonly stays: boolean; readonly commands: readonly string[] } {
  const { systemctl } = kindOf(facts);
  const { load, enabled, at } = facts.programSockets.get(name) ?? UNKNOWN;
  const unit = programUnit(name);
  const directory = `${facts.places.run}/docker-tls`;
  const path = `${directory}/${name}.sock`;
  const run = (...words: readonly string[]) => sudoCommand(login, ...words);
  if (load === 'masked') {
    const runtime = enabled === 'masked-runtime' ? ['--runtime'] : [];
    return { why: `${unit} is masked`, stays: true, commands: [run(...systemctl, 'unmask', ...runtime, unit)] };
  }
  if (at === 'linked')
    return {
      why: `${directory} is a symbolic link, and whoever may write where it leads could put another socket there`,
      stays: true,
      commands: [run('rm', directory)],
    };
  if (at === 'directory')
    return { why: `a directory with files is at ${path}`, stays: true, commands: [run('mv', path, `${path}.old`)] };
  if (!['', 'loaded', 'not-found'].includes(load))
    return {
      why: `systemd cannot load ${unit} (${printable(load)})`,
      stays: true,
      commands: [run(...systemctl, 'cat', unit)],
    };
  return { why: 'its unit was stopped, or its file is gone', stays: false, commands: [] };
}

/** Of sockets that a change leaves inactive, each with commands to paste. */
export function inactiveWarnings(
  { inactive }: Pick<ListenerPlan, 'inactive'>,
  facts: Parameters<typeof inactivityOf>[0],
  host: string,
  login: Login,
): string[] {
  return inactive.map((name) => {
    const { why, commands } = inactivityOf(facts, name, login);
    const mend = [...commands, `docker-tls apply ${shellQuote(host)}`].join(' && ');
    return `the socket ${name} was not active before this change: ${why}. To mend it: ${mend}`;
  });
}

/** Sockets that a change is to start, and cannot. */
export function deadSockets(
  { action, inactive }: Pick<ListenerPlan, 'action' | 'inactive'>,
  facts: Parameters<typeof inactivityOf>[0],
  { name: host, sockets }: { readonly name: string; readonly sockets?: readonly string[] | undefined },
  login: Login,
): DockerTlsError[] {
  if (action === 'none' || action === 'stop') return [];
  const due = inactiveSockets(facts, socketNames(sockets)).filter((name) => !inactive.includes(name));
  return due.flatMap((name) => {
    const { why, stays, commands } = inactivityOf(facts, name, login);
    if (!stays) return [];
    const hints = [...commands, `docker-tls apply ${shellQuote(host)}`];
    return [new DockerTlsError('E_APPLY', `the socket ${name} cannot become active: ${why}`, { where: host, hints })];
  });
}
