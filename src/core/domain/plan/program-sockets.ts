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
 * Those that the host has had with the same role, and of which systemd has said that they are inactive. They fail no change that has another
 * purpose: a socket that cannot become active must not keep a client that is to go.
 */
export function exemptSockets(facts: Found & Pick<HostFacts, 'state'>, sockets: readonly string[] = []): string[] {
  const before = settingsNow(facts.state)?.sockets ?? [];
  const same = socketNames(sockets.filter((one) => before.includes(one)));
  return inactiveSockets(facts, same).filter((name) => (facts.programSockets.get(name)?.active ?? '') !== '');
}

type Cause = {
  readonly why: string;
  /** No start of its unit makes it active. */
  readonly needsAdmin: boolean;
  /** Command that an administrator runs on the host, and whether it only shows the cause. */
  readonly command?: readonly string[];
  readonly onlyShows?: boolean;
};

/** Why a socket is not active. */
function causeOf(facts: Found & Pick<HostFacts, 'kind' | 'places'>, name: string): Cause {
  const { systemctl } = kindOf(facts);
  const { load, enabled, at } = facts.programSockets.get(name) ?? UNKNOWN;
  const unit = programUnit(name);
  const directory = `${facts.places.run}/docker-tls`;
  const path = `${directory}/${name}.sock`;
  if (load === 'masked') {
    const runtime = enabled === 'masked-runtime' ? ['--runtime'] : [];
    return { why: `${unit} is masked`, needsAdmin: true, command: [...systemctl, 'unmask', ...runtime, unit] };
  }
  if (at === 'linked')
    return {
      why: `${directory} is a link, and whoever may write where it leads could put another socket there`,
      needsAdmin: true,
      command: ['rm', directory],
    };
  if (at === 'directory')
    return {
      why: `a directory with files is at ${path}`,
      needsAdmin: true,
      command: ['mv', path, `${path}.old`],
    };
  if (!['', 'loaded', 'not-found'].includes(load))
    return {
      why: `systemd cannot load ${unit} (${printable(load)})`,
      needsAdmin: true,
      command: [...systemctl, 'cat', unit],
      onlyShows: true,
    };
  return { why: 'its unit was stopped, or its file is gone', needsAdmin: false };
}

/** Those that a start of their units can make active. */
export function startableSockets(facts: Parameters<typeof causeOf>[0], names: readonly string[]): string[] {
  return names.filter((name) => !causeOf(facts, name).needsAdmin);
}

/** Why a socket is not active, with commands to paste. */
export function inactivityOf(
  facts: Parameters<typeof causeOf>[0],
  name: string,
  login: Login,
): Omit<Cause, 'command'> & { readonly commands: readonly string[] } {
  const { command, ...cause } = causeOf(facts, name);
  return { ...cause, commands: command === undefined ? [] : [sudoCommand(login, ...command)] };
}

/** Who a check of a socket connects as. */
export function socketWho(name: string): string {
  return `socket ${name}`;
}

/** Of exempt sockets, each with commands to paste. `checks`: those after the change; a socket that has answered is active. */
export function inactiveWarnings(
  { inactive }: Pick<ListenerPlan, 'inactive'>,
  facts: Parameters<typeof inactivityOf>[0],
  host: string,
  login: Login,
  checks: readonly { readonly who: string }[] = [],
): string[] {
  const silent = inactive.filter((name) => !checks.some(({ who }) => who === socketWho(name)));
  return silent.map((name) => {
    const { why, commands, onlyShows = false } = inactivityOf(facts, name, login);
    const isLinked = facts.programSockets.get(name)?.at === 'linked';
    const found = isLinked ? 'is behind a symbolic link' : 'was not active before this change';
    const words = onlyShows
      ? `To see it: ${commands.join(' && ')}`
      : `To fix it: ${[...commands, `docker-tls apply ${shellQuote(host)}`].join(' && ')}`;
    return `the socket ${name} ${found}: ${why}. ${words}`;
  });
}

/** Sockets that a change is to start, and cannot. */
export function unstartableSockets(
  { action, inactive }: Pick<ListenerPlan, 'action' | 'inactive'>,
  facts: Parameters<typeof inactivityOf>[0],
  { name: host, sockets }: { readonly name: string; readonly sockets?: readonly string[] | undefined },
  login: Login,
): DockerTlsError[] {
  if (action === 'none' || action === 'stop') return [];
  const required = inactiveSockets(facts, socketNames(sockets)).filter((name) => !inactive.includes(name));
  return required.flatMap((name) => {
    const { why, needsAdmin, commands } = inactivityOf(facts, name, login);
    if (!needsAdmin) return [];
    const hints = [...commands, `docker-tls apply ${shellQuote(host)}`];
    return [new DockerTlsError('E_APPLY', `the socket ${name} cannot become active: ${why}`, { where: host, hints })];
  });
}
