/** Settings of a record that reach a connection. */

import { expect, test } from 'vitest';
import { sshSettings } from '../../../src/core/engine/steps/open-host.ts';

const KEYS = ['destination', 'user'];

test('a key that is no setting does not become an option of the connection', () => {
  const ssh = { destination: 'x', user: 'ops', sudoPassword: 'x' };
  expect(sshSettings({ name: 'h1', ssh }, KEYS)).toEqual({ destination: 'x', user: 'ops' });
});

test("a build without the setting does not log in for a user's own daemon: it would change that of root", () => {
  const spec = { name: 'own-1', ssh: { destination: 'x', user: 'ops', rootless: true as const } };
  expect(sshSettings(spec, [...KEYS, 'rootless'])).toEqual(spec.ssh);
  expect(() => sshSettings(spec, KEYS)).toThrow(
    expect.objectContaining({ code: 'E_HOST_KIND', exit: 4, where: 'own-1' }),
  );
});

test.each([{ configFile: '/home/ann/ssh-config' }, { configFile: 'ssh2' }, { transport: 'openssh' as const }])(
  'a build without %o does not log in without it: an alias might lead to another machine',
  (setting) => {
    const spec = { name: 'web', ssh: { destination: 'x', user: 'ops', ...setting } };
    expect(sshSettings(spec, [...KEYS, ...Object.keys(setting)])).toEqual(spec.ssh);
    expect(() => sshSettings(spec, KEYS)).toThrow(
      expect.objectContaining({ code: 'E_NO_FEATURE', exit: 4, where: 'web' }),
    );
  },
);

test('the transport that every build has needs no feature', () => {
  const ssh = { destination: 'x', transport: 'ssh2' as const };
  expect(sshSettings({ name: 'web', ssh }, KEYS)).toEqual({ destination: 'x' });
});
