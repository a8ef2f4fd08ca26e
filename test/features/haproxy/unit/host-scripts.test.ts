/** Modules of the listener's scripts: each lists its needs in its header. */

import { expect, test } from 'vitest';
import { LISTENER_PARTS } from '../../../../src/features/haproxy/engine/change-parts.ts';
import {
  CUT_SCRIPT,
  INSTALL_SCRIPT,
  LISTENER_FACTS_SCRIPT,
  LISTENER_STATE_SCRIPT,
  PACKAGE_RESULTS,
  PURGE_SCRIPT,
} from '../../../../src/features/haproxy/host/scripts.ts';
import { checkModules } from '../../../support/module-checks.ts';
import { checkParts, partScripts } from '../../../support/part-checks.ts';
import { wrongResults } from '../../../support/shell-modules.ts';

const modules = checkModules('features/haproxy/host', [
  ['facts', LISTENER_FACTS_SCRIPT],
  ['state', LISTENER_STATE_SCRIPT],
  ['cut', CUT_SCRIPT],
  ['install', INSTALL_SCRIPT],
  ['purge', PURGE_SCRIPT],
  ...partScripts(LISTENER_PARTS),
]);

test('results of the package scripts have all their fields', () => {
  const packages = [...modules].flatMap(([file, module]) => (/^(install|purge)/.test(file) ? [module] : []));
  expect(wrongResults(packages, PACKAGE_RESULTS)).toEqual([]);
});

checkParts(LISTENER_PARTS);
