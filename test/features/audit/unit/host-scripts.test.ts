/** Modules of the audit's scripts: each lists its needs in its header. */

import { expect, test } from 'vitest';
import { AUDIT_PARTS } from '../../../../src/features/audit/engine/change-parts.ts';
import { PACKAGE_RESULTS, PACKAGE_VARIABLES } from '../../../../src/features/audit/host/audit-protocol.ts';
import {
  AUDIT_SCRIPT,
  INSTALL_PACKAGES_SCRIPT,
  LYNIS_SCRIPT,
  PURGE_PACKAGES_SCRIPT,
} from '../../../../src/features/audit/host/audit-scripts.ts';
import { checkModules } from '../../../support/module-checks.ts';
import { checkParts, partScripts } from '../../../support/part-checks.ts';
import { wrongResults } from '../../../support/shell-modules.ts';

const modules = checkModules('features/audit/host', [
  ['audit', AUDIT_SCRIPT],
  ['install', INSTALL_PACKAGES_SCRIPT],
  ['purge', PURGE_PACKAGES_SCRIPT],
  ['lynis', LYNIS_SCRIPT],
  ...partScripts(AUDIT_PARTS),
]);
const packages = [...modules].flatMap(([file, module]) => (file.startsWith('packages/') ? [module] : []));

test('packages: every variable that is given is read, and results have all their fields', () => {
  const reads = new Set(packages.flatMap(({ parts }) => [...parts.reads]));
  expect(PACKAGE_VARIABLES.filter((name) => !reads.has(name))).toEqual([]);
  expect(wrongResults(packages, PACKAGE_RESULTS)).toEqual([]);
});

checkParts(AUDIT_PARTS);
