/** Modules of the audit's scripts: each lists its needs in its header. */

import { describe, expect, test } from 'vitest';
import { PACKAGE_RESULTS, PACKAGE_VARIABLES } from '../../../../src/features/audit/host/audit-protocol.ts';
import {
  AUDIT_SCRIPT,
  INSTALL_PACKAGES_SCRIPT,
  LYNIS_SCRIPT,
  PURGE_PACKAGES_SCRIPT,
} from '../../../../src/features/audit/host/audit-scripts.ts';
import {
  definedIn,
  missingFunctions,
  realNeeds,
  saidNeeds,
  shellModules,
  wrongResults,
} from '../../../support/shell-modules.ts';

const modules = shellModules('features/audit/host');
const defined = definedIn([...modules.values(), ...shellModules('core/host').values()]);
const packages = [...modules].flatMap(([file, module]) => (file.startsWith('packages/') ? [module] : []));

describe.each([...modules])('%s', (_, module) => {
  test('says which functions, variables and programs it needs, and no others', () => {
    expect(saidNeeds(module)).toEqual(realNeeds(module, defined));
  });

  test('is short, and a shell of any kind reads it', () => {
    expect(module.text.split('\n').length).toBeLessThan(150);
  });
});

test.each([
  ['audit', AUDIT_SCRIPT],
  ['install', INSTALL_PACKAGES_SCRIPT],
  ['purge', PURGE_PACKAGES_SCRIPT],
  ['lynis', LYNIS_SCRIPT],
])('the script of %s has every function that its modules need', (_, script) => {
  expect(missingFunctions(script, defined)).toEqual([]);
});

test('packages: every variable that is given is read, and results have all their fields', () => {
  const reads = new Set(packages.flatMap(({ parts }) => [...parts.reads]));
  expect(PACKAGE_VARIABLES.filter((name) => !reads.has(name))).toEqual([]);
  expect(wrongResults(packages, PACKAGE_RESULTS)).toEqual([]);
});
