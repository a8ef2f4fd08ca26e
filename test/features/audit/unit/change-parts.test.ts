/** The order of what fixes change. */

import { expect, test } from 'vitest';
import { AUDIT_PARTS } from '../../../../src/features/audit/engine/change-parts.ts';

test('sshd takes its files before audit rules are loaded, and kernel settings come last', () => {
  expect(AUDIT_PARTS.map(({ name }) => name)).toEqual(['sshd', 'audit_rules', 'remap_user', 'attributes', 'kernel']);
});
