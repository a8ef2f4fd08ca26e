/** Modules of the listener's scripts: each lists its needs in its header. */

import { describe, expect, test } from 'vitest';
import {
  CUT_SCRIPT,
  INSTALL_SCRIPT,
  LISTENER_FACTS_SCRIPT,
  LISTENER_STATE_SCRIPT,
  PACKAGE_RESULTS,
  PURGE_SCRIPT,
} from '../../../../src/features/haproxy/host/scripts.ts';
import {
  definedIn,
  missingFunctions,
  realNeeds,
  saidNeeds,
  shellModules,
  wrongResults,
} from '../../../support/shell-modules.ts';

const modules = shellModules('features/haproxy/host');
const defined = definedIn([...modules.values(), ...shellModules('core/host').values()]);

describe.each([...modules])('%s', (_, module) => {
  test('says which functions, variables and programs it needs, and no others', () => {
    expect(saidNeeds(module)).toEqual(realNeeds(module, defined));
  });

  test('is short, and a shell of any kind reads it', () => {
    expect(module.text.split('\n').length).toBeLessThan(150);
  });
});

test.each([
  ['facts', LISTENER_FACTS_SCRIPT],
  ['state', LISTENER_STATE_SCRIPT],
  ['cut', CUT_SCRIPT],
  ['install', INSTALL_SCRIPT],
  ['purge', PURGE_SCRIPT],
])('the script of %s has every function that its modules need', (_, script) => {
  expect(missingFunctions(script, defined)).toEqual([]);
});

test('results of the package scripts have all their fields', () => {
  const packages = [...modules].flatMap(([file, module]) => (/^(install|purge)/.test(file) ? [module] : []));
  expect(wrongResults(packages, PACKAGE_RESULTS)).toEqual([]);
});
