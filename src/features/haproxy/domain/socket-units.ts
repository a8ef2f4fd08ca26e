/** Units of the sockets for programs on a host. */

import type { Places } from '../../../core/domain/dockerd/paths.ts';

/** Without a name: the template of all. */
export function programUnit(name: string): string {
  return `docker-tls-role@${name}.socket`;
}

/** Path of the template. */
export function programTemplate({ units }: Pick<Places, 'units'>): string {
  return `${units}/${programUnit('')}`;
}

/** Directory of the sockets. `run`: the directory in memory of the daemon's user. */
export function socketDirectory({ run }: Pick<Places, 'run'>): string {
  return `${run}/docker-tls`;
}

/** Without a group they belong to the user whose systemd holds them. */
export type LocalSockets = { readonly names: readonly string[]; readonly group?: string | undefined };

/**
 * Template of the units that hold those sockets in `directory`, one for each: a socket stays the same file while others come and go, so a
 * container that has mounted it keeps it. The service knows each by its name.
 */
export function renderProgramSocket({
  service,
  condition,
  directory,
  group,
}: {
  readonly service: string;
  readonly condition: string;
  readonly directory: string;
  readonly group?: string | undefined;
}): string {
  return [
    '# Written by docker-tls.',
    '[Unit]',
    'Description=Docker API with a role, %i (docker-tls)',
    `ConditionPathExists=${condition}`,
    // Whoever may write where a link leads could put another socket there.
    `ConditionPathIsSymbolicLink=!${directory}`,
    '',
    '[Socket]',
    `ListenStream=${directory}/%i.sock`,
    'FileDescriptorName=%i',
    'DirectoryMode=0755',
    'SocketMode=0660',
    ...(group === undefined ? [] : [`SocketGroup=${group}`]),
    'RemoveOnStop=true',
    `Service=${service}`,
    '',
    '[Install]',
    'WantedBy=sockets.target',
    '',
  ].join('\n');
}
