/** Locations of a user's files: an empty variable counts as unset, so that no key is written to the working directory. */

import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dockerConfigDirectory, homeDirectory, storeDirectory } from '../../../src/core/user.ts';

test.each([{}, { HOME: '' }, { HOME: '', DOCKER_CONFIG: '', DOCKER_TLS_HOME: '' }])('%j', (env) => {
  const { homedir } = userInfo();
  const before = process.env.HOME;
  process.env.HOME = '';
  try {
    expect(homeDirectory(env)).toBe(homedir);
    expect(dockerConfigDirectory({ env, cwd: '/work' })).toBe(join(homedir, '.docker'));
    expect(storeDirectory('', { env, cwd: '/work' })).toBe(join(homedir, '.docker', 'tls'));
  } finally {
    process.env.HOME = before;
  }
});

test('what is set is taken, relative to the working directory', () => {
  const env = { HOME: '/home/ann', DOCKER_CONFIG: 'config' };
  expect(storeDirectory(undefined, { env: { HOME: '/home/ann' }, cwd: '/work' })).toBe('/home/ann/.docker/tls');
  expect(storeDirectory(undefined, { env, cwd: '/work' })).toBe('/work/config/tls');
  expect(storeDirectory('x', { env: { ...env, DOCKER_TLS_HOME: 'y' }, cwd: '/work' })).toBe('/work/x');
});
