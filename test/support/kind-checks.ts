/** Tests of the host scripts of a kind of host that a feature brings. */

import { describe, expect, test } from 'vitest';
import { SYSTEM_PLACES } from '../../src/core/domain/dockerd/paths.ts';
import { CHANGE_VARIABLES, CONTAINERS_STOPPED, LATE_STEPS, SETTINGS, STEPS } from '../../src/core/host/protocol.ts';
import {
  applyScript,
  BY_SYSTEMD,
  factsScriptOf,
  type KindModules,
  rollbackScript,
} from '../../src/core/host/scripts.ts';
import type { HostKinds } from '../../src/core/seams/host-kinds.ts';
import { checkModules } from './module-checks.ts';
import { shellModules } from './shell-modules.ts';
import { shellParts } from './shell-tree.ts';

/** `directory`: of the feature's shell modules, below src. `steps`: of parts of a change whose functions a kind has anew. */
export function checkKinds(directory: string, { kinds, facts }: HostKinds, steps: readonly string[] = []): void {
  const all = kinds.map(({ name, about }): [string, KindModules] => [name, about(SYSTEM_PLACES).modules]);
  const factsScript = factsScriptOf(
    all.map(([name]) => name),
    facts,
  );
  const modules = checkModules(directory, [
    ...all.flatMap(([name, kind]): [string, string][] => [
      [`rollback by ${name}`, rollbackScript(kind)],
      // It includes the rollback once that has arrived.
      [`apply by ${name}`, `${applyScript(kind)}\n${rollbackScript(kind)}`],
    ]),
    ['facts', factsScript],
  ]);
  const changing = [...modules].filter(([file]) => !file.endsWith('facts.sh')).map(([, { parts }]) => parts);

  describe('the protocol', () => {
    test('every variable comes from the settings, from the change, or from a module', () => {
      const core = [...shellModules('core/host').values()].flatMap(({ parts }) => [...parts.sets]);
      const known = new Set<string>([
        ...SETTINGS,
        ...CHANGE_VARIABLES,
        ...core,
        ...changing.flatMap(({ sets }) => [...sets]),
      ]);
      expect(changing.flatMap(({ reads }) => [...reads]).filter((name) => !known.has(name) && name !== 'T')).toEqual(
        [],
      );
    });

    test.each(all)(
      '%s: steps that a result names are known, and stopped containers have the words by which they are',
      (_, kind) => {
        const script = applyScript(kind) + rollbackScript(kind);
        const known: readonly string[] = [...STEPS, ...LATE_STEPS, ...steps, ''];
        const named = [...script.matchAll(/\bSTEP=([a-z-]*)/g)].map(([, step = '']) => step);
        expect(named.filter((step) => !known.includes(step))).toEqual([]);
        expect(rollbackScript(kind)).toContain(`printf '${CONTAINERS_STOPPED}: `);
      },
    );

    test.each(all)('%s: each function that the core calls of a kind is there', (_, kind) => {
      const [own, systemd] = [kind, BY_SYSTEMD].map((one) => functionsIn([...one.rollback, ...one.apply]));
      const called = functionsCalled([
        rollbackScript({ rollback: [], apply: [] }),
        applyScript({ rollback: [], apply: [] }),
      ]);
      expect([...called].filter((name) => systemd?.has(name) && !own?.has(name))).toEqual([]);
    });

    test.each(all)('%s: the facts script recognizes it, and reads its service by functions that are there', (name) => {
      const there = functionsIn([factsScript]);
      const readers = [...facts.join('\n').matchAll(/\b(?:reader|teller|finder|asker)=(\w+)/g)].map(
        ([, one = '']) => one,
      );
      expect([`find_${name}`, ...readers].filter((one) => !there.has(one))).toEqual([]);
    });
  });
}

function functionsIn(texts: readonly string[]): ReadonlySet<string> {
  return shellParts(texts.join('\n')).functions;
}

function functionsCalled(texts: readonly string[]): ReadonlySet<string> {
  return shellParts(texts.join('\n')).calls;
}
