/** Sockets for containers on a host, in the form of the setting `sockets` (`NAME ROLE`). */

import { SYSTEM_PLACES } from '../../../core/domain/dockerd/paths.ts';
import type { RoleSocket } from './haproxy-config.ts';
import { socketDirectory } from './socket-units.ts';

export function parseSockets(sockets: readonly string[] = []): RoleSocket[] {
  return sockets.map((one) => {
    const [name = '', role = ''] = one.split(' ');
    return { name, role };
  });
}

/** `run`: the directory in memory of the daemon's user. */
export function socketPath(name: string, run: string = SYSTEM_PLACES.run): string {
  return `${socketDirectory({ run })}/${name}.sock`;
}

/** The setting with one socket more, or with another role for it. */
export function withSocket(sockets: readonly string[] = [], { name, role }: RoleSocket): string[] {
  return [...withoutSocket(sockets, name), `${name} ${role}`].sort();
}

export function withoutSocket(sockets: readonly string[] = [], name: string): string[] {
  return sockets.filter((one) => !one.startsWith(`${name} `));
}
