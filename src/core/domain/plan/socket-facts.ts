/** Facts about the sockets for programs on a host. */

import { parseProperties } from '../dockerd/unit.ts';

/** Its unit in systemd's words, and what is at its path: `socket`, `directory` (with files), `linked` (its directory is a link) or nothing. */
export type ProgramSocket = {
  readonly load: string;
  readonly active: string;
  readonly enabled: string;
  readonly at: string;
};

/** By name. `units`: blocks of `systemctl show`; `paths`: name and kind in each line. */
export function parseProgramSockets(units: string, paths: string): ReadonlyMap<string, ProgramSocket> {
  const kinds = new Map(paths.split('\n').map((line) => line.split(' ') as [string, string]));
  return new Map(
    units.split('\n\n').flatMap((block) => {
      const { Id = '', LoadState = '', ActiveState = '', UnitFileState = '' } = parseProperties(block);
      const [, name] = /^docker-tls-role@(.+)\.socket$/.exec(Id) ?? [];
      if (name === undefined) return [];
      const unit = { load: LoadState, active: ActiveState, enabled: UnitFileState };
      return [[name, { ...unit, at: kinds.get(name) ?? '' }] as const];
    }),
  );
}
