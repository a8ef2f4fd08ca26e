/** Tests of the parts of a change that a feature brings. */

import { describe, expect, test } from 'vitest';
import { CHANGE_VARIABLES, SETTINGS } from '../../src/core/host/protocol.ts';
import { applyScript, BY_SYSTEMD, rollbackScript } from '../../src/core/host/scripts.ts';
import type { ChangePart } from '../../src/core/seams/change-parts.ts';
import { planOf } from './host-sandbox.ts';
import { shellModules } from './shell-modules.ts';
import { shellParts } from './shell-tree.ts';

/** The scripts of a change with each part alone. */
export function partScripts(parts: readonly ChangePart[]): [string, string][] {
  return parts.map(({ name, rollback, apply = [] }) => [
    `a change with ${name}`,
    `${applyScript(BY_SYSTEMD, apply)}\n${rollbackScript(BY_SYSTEMD, rollback)}`,
  ]);
}

export function checkParts(parts: readonly ChangePart[]): void {
  describe.each(parts.map((part) => [part.name, part] as const))('the part %s', (name, part) => {
    const { kinds = {}, settings, rollback, apply = [] } = part;
    const own = shellParts([...rollback, ...apply].join('\n'));

    test('has functions for each of its kinds, in the stored script as well', () => {
      const stored = shellParts(rollback.join('\n')).functions;
      const needed = Object.keys(kinds).flatMap((kind) => [`state_${kind}`, `set_${kind}`]);
      expect(needed.filter((one) => !stored.has(one))).toEqual([]);
    });

    test('has a name that functions can have, and reads what a change gives', () => {
      expect(name).toMatch(/^[a-z_]+$/);
      const core = [...shellModules('core/host').values()].flatMap(({ parts: { sets } }) => [...sets]);
      const known = new Set(['T', 'OPERATOR', ...SETTINGS, ...CHANGE_VARIABLES, ...core, ...own.sets]);
      const more = [...own.reads].filter((one) => !known.has(one));
      expect(more.sort()).toEqual(Object.keys(settings?.(planOf([])) ?? {}).sort());
    });
  });
}
