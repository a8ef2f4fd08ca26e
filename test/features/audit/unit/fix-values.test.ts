/** Fixes in a fleet file: names, and their values. */

import { expect, test } from 'vitest';
import { fix } from '../../../../src/core/domain/values.ts';

test.each(['sshd', 'docker-group', 'docker-group:ci', 'docker-group:jörg', 'sshd:max-auth-tries=2'])(
  '%s is taken',
  (value) => {
    expect(fix.safeParse(value).success).toBe(true);
  },
);

test.each([
  'ssh',
  'docker-group:',
  'docker-group:a b',
  'icc:x',
  'sshd:max-auth-tries=0',
  'sshd:max-auth-tries=many',
  'sshd:max-auth-tries=2\nPermitRootLogin yes',
  'sshd:banner=x',
])('%j is not', (value) => {
  expect(fix.safeParse(value).success).toBe(false);
});
