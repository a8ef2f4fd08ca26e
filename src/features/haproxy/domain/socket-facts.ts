/** Facts about the sockets for programs on a host. */

import { parseProperties } from '../../../core/domain/dockerd/unit.ts';
import type { HostFacts } from '../../../core/domain/plan/facts.ts';

/** Its unit in systemd's words, and what is at its path: `socket`, `directory` (with files), `linked` (its directory is a link) or nothing. */
export type ProgramSocket = {
  readonly load: string;
  readonly active: string;
  readonly enabled: string;
  readonly at: string;
};

/**
 * By name: those that docker-tls has set up, and others that are in the way of one. The sections are blocks of `systemctl show`, and lines with
 * name and kind.
 */
export function programSockets({ texts }: Pick<HostFacts, 'texts'>): ReadonlyMap<string, ProgramSocket> {
  const paths = texts.get('program-paths') ?? '';
  const kinds = new Map(paths.split('\n').map((line) => line.split(' ') as [string, string]));
  return new Map(
    (texts.get('program-sockets') ?? '').split('\n\n').flatMap((block) => {
      const { Id = '', LoadState = '', ActiveState = '', UnitFileState = '' } = parseProperties(block);
      const [, name] = /^docker-tls-role@(.+)\.socket$/.exec(Id) ?? [];
      if (name === undefined) return [];
      const unit = { load: LoadState, active: ActiveState, enabled: UnitFileState };
      return [[name, { ...unit, at: kinds.get(name) ?? '' }] as const];
    }),
  );
}
