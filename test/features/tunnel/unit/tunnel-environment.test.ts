/** The environment of a command in a tunnel. */

import { expect, test } from 'vitest';
import { throughTunnel } from '../../../../src/features/tunnel/domain/tunnel-environment.ts';

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
