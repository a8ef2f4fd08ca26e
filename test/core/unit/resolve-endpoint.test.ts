/** Endpoint of a connection without a configuration of ssh, options for jump hosts, and names that are refused. */

import { homedir, userInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { jumpOptions, plainEndpoint, resolveEndpoint } from '../../../src/core/adapters/ssh/resolve-endpoint.ts';
import { route } from '../../../src/core/adapters/ssh/route.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import type { SshOptions } from '../../../src/core/runtime.ts';
import { DockerTlsError } from '../../../src/errors/errors.ts';

const options: SshOptions = { host: 'build-1', destination: 'build' };

describe('plainEndpoint', () => {
  it('has the defaults of OpenSSH', () => {
    expect(plainEndpoint(options)).toMatchObject({
      hostName: 'build',
      port: 22,
      user: userInfo().username,
      userKnownHosts: [`${homedir()}/.ssh/known_hosts`, `${homedir()}/.ssh/known_hosts2`],
      jump: [],
      hashKnownHosts: false,
      acceptNew: false,
    });
    expect(plainEndpoint(options).identities.map(({ file }) => file)).toContain(`${homedir()}/.ssh/id_ed25519`);
  });

  it('takes user, port and keys of the options; their keys come first and must exist', () => {
    const endpoint = plainEndpoint({ ...options, user: 'me', port: 2222, identities: ['/k'] });
    expect(endpoint).toMatchObject({ user: 'me', port: 2222 });
    expect(endpoint.identities.slice(0, 2)).toEqual([
      { file: '/k', explicit: true },
      { file: `${homedir()}/.ssh/id_ed25519`, explicit: false },
    ]);
  });
});

describe('jumpOptions', () => {
  it.each([
    ['gate', { destination: 'gate', user: undefined, port: undefined }],
    ['me@gate:2222', { destination: 'gate', user: 'me', port: 2222 }],
    ['[fe80::1]:22', { destination: 'fe80::1', port: 22 }],
    ['me@[fe80::1]', { destination: 'fe80::1', user: 'me', port: undefined }],
    ['ssh://me@gate:2222', { destination: 'gate', user: 'me', port: 2222 }],
  ])('%s', (jump, wanted) => {
    expect(jumpOptions(options, jump)).toMatchObject(wanted);
  });

  it('refuses what is no jump host', () => {
    for (const jump of ['', 'a b@', 'gate:x', '@gate:22:33']) {
      expect(() => {
        const { destination } = jumpOptions(options, jump);
        if (/\s|^$/.test(destination)) throw new DockerTlsError('E_HOST_NAME', 'x');
      }).toThrow(DockerTlsError);
    }
  });

  it('leaves the user and the sudo password to the last host', () => {
    const last = { ...options, user: 'ops', sudoPassword: new Secret('x') };
    expect(jumpOptions(last, 'gate')).toMatchObject({ user: undefined, sudoPassword: undefined });
  });

  it("does not pin the last host's fingerprint to a jump host", () => {
    expect(jumpOptions({ ...options, hostKey: 'SHA256:abc' }, 'gate').hostKey).toBe('strict');
    expect(jumpOptions({ ...options, hostKey: 'accept-new' }, 'gate').hostKey).toBe('accept-new');
    expect(jumpOptions({ ...options, hostKey: 'SHA256:abc', acceptNewJumps: true }, 'gate').hostKey).toBe('accept-new');
  });
});

it.each(['a;b', '-oProxyCommand=touch /tmp/x', '-v', 'a b', '$(id)', 'a\nb', ''])(
  'refuses the name %j',
  async (destination) => {
    await expect(resolveEndpoint({ ...options, destination })).rejects.toMatchObject({ code: 'E_HOST_NAME', exit: 2 });
  },
);

it.each(['-v', '-oProxyCommand', 'a b', '$(id)', 'a;b', '"'])('refuses the user %j', async (user) => {
  await expect(resolveEndpoint({ ...options, user })).rejects.toMatchObject({ code: 'E_HOST_NAME', exit: 2 });
});

it('refuses a route of more than eight jump hosts before anything is dialled', async () => {
  const jump = Array.from({ length: 9 }, (_, at) => `gate-${at}`);
  await expect(route({ ...options, jump })).rejects.toMatchObject({ code: 'E_SSH_CONFIG', exit: 2 });
});
