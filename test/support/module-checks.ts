/** Tests of host scripts that the core and features share: each module lists its needs in its header, and each script has them. */

import { describe, expect, test } from 'vitest';
import { definedIn, missingFunctions, realNeeds, type ShellModule, saidNeeds, shellModules } from './shell-modules.ts';

/**
 * Checks the modules below `directory` of src, and the `scripts` (by their names) that are assembled from them and from modules of the core.
 * Returns the modules by their paths below `directory`.
 */
export function checkModules(
  directory: string,
  scripts: readonly (readonly [name: string, script: string])[],
): ReadonlyMap<string, ShellModule> {
  const modules = shellModules(directory);
  const defined = definedIn([...modules.values(), ...shellModules('core/host').values()]);

  describe.each([...modules])('%s', (_, module) => {
    test('says which functions, variables and programs it needs, and no others', () => {
      expect(saidNeeds(module)).toEqual(realNeeds(module, defined));
    });

    test('is short, and a shell of any kind reads it', () => {
      expect(module.text.split('\n').length).toBeLessThan(150);
    });
  });

  test.each(scripts)('the script of %s has every function that its modules need', (_, script) => {
    expect(missingFunctions(script, defined)).toEqual([]);
  });

  return modules;
}
