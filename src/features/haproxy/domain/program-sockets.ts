/** Sockets for programs on a host: which of them are active, and why the others are not. */

import { has, runPath } from '../../../core/domain/plan/container-effects.ts';
import type { HostFacts } from '../../../core/domain/plan/facts.ts';
import type { FileChange } from '../../../core/domain/plan/file-change.ts';
import { kindOf } from '../../../core/domain/plan/host-kind.ts';
import { settingsNow } from '../../../core/domain/plan/host-state.ts';
import type { ListenerPlan } from '../../../core/domain/plan/listener.ts';
import { type Login, shellQuote, sudoCommand } from '../../../core/domain/quote.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { parseSockets, socketPath } from './role-sockets.ts';
import { type ProgramSocket, programSockets } from './socket-facts.ts';
import { programTemplate, programUnit, socketDirectory } from './socket-units.ts';

const UNKNOWN: ProgramSocket = { load: '', active: '', enabled: '', at: '' };

type Found = Pick<HostFacts, 'texts'>;

/** Names in the setting `sockets`. */
export function socketNames(sockets: readonly string[] = []): string[] {
  return parseSockets(sockets).map(({ name }) => name);
}

export function inactiveSockets(facts: Found, names: readonly string[]): string[] {
  const found = programSockets(facts);
  return names.filter((name) => {
    const { active, at } = found.get(name) ?? UNKNOWN;
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
  const found = programSockets(facts);
  return inactiveSockets(facts, same).filter((name) => (found.get(name)?.active ?? '') !== '');
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
  const { load, enabled, at } = programSockets(facts).get(name) ?? UNKNOWN;
  const unit = programUnit(name);
  const directory = socketDirectory(facts.places);
  const path = socketPath(name, facts.places.run);
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

/** Exempt sockets in a plan, each with commands to paste. */
export function inactiveOf(
  names: readonly string[],
  facts: Parameters<typeof inactivityOf>[0],
  host: string,
  login: Login,
): ListenerPlan['inactive'] {
  return names.map((name) => {
    const { why, commands, onlyShows = false } = inactivityOf(facts, name, login);
    const isLinked = programSockets(facts).get(name)?.at === 'linked';
    const found = isLinked ? 'is behind a symbolic link' : 'was not active before this change';
    const words = onlyShows
      ? `To see it: ${commands.join(' && ')}`
      : `To fix it: ${[...commands, `docker-tls apply ${shellQuote(host)}`].join(' && ')}`;
    return { name, who: socketWho(name), warning: `the socket ${name} ${found}: ${why}. ${words}` };
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
  const exempt = inactive.map(({ name }) => name);
  const required = inactiveSockets(facts, socketNames(sockets)).filter((name) => !exempt.includes(name));
  return required.flatMap((name) => {
    const { why, needsAdmin, commands } = inactivityOf(facts, name, login);
    if (!needsAdmin) return [];
    const hints = [...commands, `docker-tls apply ${shellQuote(host)}`];
    return [new DockerTlsError('E_APPLY', `the socket ${name} cannot become active: ${why}`, { where: host, hints })];
  });
}

/** Warnings for containers whose socket goes away, or that a change of its unit makes anew. */
export function mountedRoleSockets(
  { docker, places, files: now }: Pick<HostFacts, 'docker' | 'places' | 'files'>,
  files: readonly Pick<FileChange, 'path' | 'kind'>[],
): string[] {
  const mounting = (matches: (path: string) => boolean) =>
    docker.containers.filter(({ mounts }) => mounts.some((mount) => matches(runPath(mount)))).map(({ name }) => name);
  const gone = files.flatMap(({ path, kind }) => {
    const [, name] = kind === 'absent' ? (/\/docker-tls-role@([^/]+)\.socket$/.exec(path) ?? []) : [];
    if (name === undefined) return [];
    const socket = socketPath(name, places.run);
    const names = mounting((mount) => mount === socket);
    return names.length === 0 ? [] : [`${socket} goes away; ${names.join(', ')} ${has(names)} it mounted`];
  });
  const template = programTemplate(places);
  const renewed = now.get(template)?.kind === 'file';
  if (!renewed || !files.some(({ path, kind }) => path === template && kind === 'file')) return gone;
  const directory = socketDirectory(places);
  const names = mounting((mount) => mount.startsWith(`${directory}/`));
  if (names.length === 0) return gone;
  return [
    `the sockets in ${directory} are made anew; ${names.join(', ')} ${has(names)} one of them mounted and can no longer reach the daemon until restarted there: docker restart ${names.map(shellQuote).join(' ')}`,
  ];
}
