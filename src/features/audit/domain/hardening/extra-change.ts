/** Changes of a host by its fixes, in addition to TLS. */

import { type HostFacts, realPath } from '../../../../core/domain/plan/facts.ts';
import { type FileChange, stateChange, textFile } from '../../../../core/domain/plan/file-change.ts';
import { ROUTE_LOCALNET } from '../loopback.ts';

/** A file, attribute, membership or kernel setting. */
export type ExtraChange =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly mode: string;
      /** The file belongs to the administrator: symlinks are followed, mode and owner stay unchanged. */
      readonly edited?: boolean;
      readonly content: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'attributes';
      readonly path: string;
      readonly mode: string;
      readonly owner: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'member';
      readonly group: string;
      readonly user: string;
      readonly present: boolean;
      readonly reason: string;
    }
  | {
      /** A kernel setting to set immediately. */
      readonly kind: 'sysctl';
      readonly key: string;
      /** For a key with a `*`, values per interface: `default=0 NAME=1`; other interfaces get the default. */
      readonly value: string;
      readonly reason: string;
    }
  | {
      /** Drop packets for 127.0.0.0/8 that do not arrive on lo, immediately. */
      readonly kind: 'loopback';
      readonly reason: string;
    };

/** Attributes that already match are not pending. */
export function planFile(extra: ExtraChange, facts: HostFacts): FileChange {
  const { reason } = extra;
  switch (extra.kind) {
    case 'file': {
      const path = extra.edited ? realPath(facts, extra.path) : extra.path;
      const now = extra.edited ? facts.files.get(path) : undefined;
      const [mode, owner] = now?.kind === 'file' ? [now.mode.padStart(4, '0'), now.owner] : [extra.mode, '0:0'];
      return textFile(path, extra.content, mode, owner, reason);
    }
    case 'attributes': {
      // Mode and owner are those of a link's target.
      const path = realPath(facts, extra.path);
      const now = facts.files.get(path);
      const same = now?.kind === 'file' && now.mode === extra.mode.replace(/^0+/, '') && now.owner === extra.owner;
      return { ...stateChange('attributes', path, extra.mode, extra.owner, reason), pending: !same };
    }
    case 'member':
      return stateChange('member', `${extra.group}:${extra.user}`, extra.present ? 'present' : 'absent', '-', reason);
    case 'sysctl':
      return stateChange('sysctl', extra.key, extra.value, '-', reason);
    case 'loopback':
      return stateChange('loopback', ROUTE_LOCALNET, 'dropped', '-', reason);
  }
}
