/** What a fleet file may say of fixes: names, and what is to hold for them. */

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
