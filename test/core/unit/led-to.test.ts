/** The host that the environment leads to, and the environment of a command in a tunnel. */

import { expect, test } from 'vitest';
import type { StoreState } from '../../../src/core/adapters/store/records.ts';
import { throughTunnel } from '../../../src/core/domain/shell-environment.ts';
import { hostAt } from '../../../src/core/domain/trust/reachable-hosts.ts';
import { sampleHost } from '../../support/store.ts';

test('the host that DOCKER_HOST leads to', () => {
  const state = { hosts: new Map([['web', sampleHost('web', 1)]]), clients: new Map() } as unknown as StoreState;
  for (const dialled of ['tcp://web.example:2376', 'tcp://web.example:2376//'])
    expect(hostAt(state, dialled)).toBe('web');
  for (const dialled of [undefined, '', 'tcp://web.example:2377', 'unix:///x'])
    expect(hostAt(state, dialled)).toBeUndefined();
});

test('a command in a tunnel goes to it and nowhere else, and learns no passphrase', () => {
  const env = { PATH: '/bin', DOCKER_HOST: 'x', DOCKER_CONTEXT: 'x', DOCKER_TLS: '1', DOCKER_TLS_CA_PASSPHRASE: 'x' };
  const led = { ...env, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/x' };
  expect(throughTunnel(led, 'unix:///s', '/c')).toEqual({ PATH: '/bin', DOCKER_HOST: 'unix:///s' });
  const tls = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/c' };
  expect(throughTunnel(led, 'tcp://127.0.0.1:1', '/c')).toEqual({
    PATH: '/bin',
    ...tls,
    DOCKER_HOST: 'tcp://127.0.0.1:1',
  });
});
