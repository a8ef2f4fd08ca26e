/** Endpoint from the output of `ssh -G`: options win, and without ssh the endpoint stays as it is. */

import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { homedir, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeSync } from 'fs-extra/esm';
import { describe, expect, it, vi } from 'vitest';
import { plainEndpoint, resolveEndpoint } from '../../../../src/core/adapters/ssh/resolve-endpoint.ts';
import type { SshOptions } from '../../../../src/core/runtime.ts';
import { askConfig, type ConfigValues, parseSshG } from '../../../../src/features/openssh/adapters/config-answers.ts';
import { withConfig } from '../../../../src/features/openssh/adapters/ssh-config.ts';

const options: SshOptions = { host: 'build-1', destination: 'build' };
const endpointFrom = (given: SshOptions, config: ConfigValues) => withConfig(given, plainEndpoint(given), config);

describe('withConfig', () => {
  it('leaves the defaults where ssh says nothing', () => {
    const plain = plainEndpoint({ ...options, identities: ['/k'] });
    expect(withConfig({ ...options, identities: ['/k'] }, plain, new Map())).toMatchObject(plain);
  });

  it('puts in the tokens and variables that ssh -G leaves in the names of keys', () => {
    const config = parseSshG(
      [
        'hostname 10.0.0.5',
        'hostkeyalias farm',
        'identityfile ~/%k/%n/%i/%L-%l-%j/%%h',
        `identityfile ${'$'}{DT_KEYS}/%C`,
      ].join('\n'),
    );
    vi.stubEnv('DT_KEYS', '/keys');
    const files = endpointFrom({ ...options, user: 'ops' }, config).identities.map(({ file }) => file);
    vi.unstubAllEnvs();
    const here = hostname();
    const hash = createHash('sha1').update(`${here}10.0.0.522ops`).digest('hex');
    expect(files).toEqual([
      `${homedir()}/farm/build/${process.getuid?.()}/${here.split('.')[0]}-${here}-/%h`,
      `/keys/${hash}`,
    ]);
  });

  it('takes over what ssh -G prints', () => {
    const config = parseSshG(
      [
        'hostname 10.0.0.5',
        'port 2222',
        'user ops',
        'identityfile ~/.ssh/%h-%r',
        'identityfile /keys/two words',
        'identitiesonly yes',
        'identityagent ~/agent.sock',
        'userknownhostsfile /a/known "/b/with space"',
        'globalknownhostsfile /dev/null',
        'hostkeyalias Build-Alias',
        'hashknownhosts yes',
        'stricthostkeychecking accept-new',
        'proxyjump a@one:22,two',
        'addressfamily inet6',
        'revokedhostkeys /etc/revoked',
        'passwordauthentication no',
      ].join('\n'),
    );
    expect(endpointFrom(options, config)).toMatchObject({
      hostName: '10.0.0.5',
      port: 2222,
      user: 'ops',
      identities: [
        { file: `${homedir()}/.ssh/10.0.0.5-ops`, explicit: false },
        { file: '/keys/two words', explicit: false },
      ],
      identitiesOnly: true,
      agent: `${homedir()}/agent.sock`,
      userKnownHosts: ['/a/known', '/b/with space'],
      globalKnownHosts: ['/dev/null'],
      hostKeyAlias: 'Build-Alias',
      hashKnownHosts: true,
      acceptNew: true,
      jump: ['a@one:22', 'two'],
      family: 6,
      needsOpenSsh: ['RevokedHostKeys'],
      passwords: false,
      keyboardInteractive: true,
    });
  });

  it('lets options win and never takes over a StrictHostKeyChecking no', () => {
    const config = parseSshG('port 2222\nuser ops\nstricthostkeychecking false\nproxycommand none\nproxyjump none');
    const endpoint = endpointFrom({ ...options, user: 'me', port: 22, identities: ['~/k'] }, config);
    expect(endpoint).toMatchObject({ user: 'me', port: 22, acceptNew: false, jump: [] });
    expect(endpoint.needsOpenSsh).toEqual([]);
    expect(endpoint.identities[0]).toEqual({ file: `${homedir()}/k`, explicit: true });
  });
});

describe('askConfig', () => {
  it('asks ssh again after a while: status --watch goes on for days', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'docker-tls-ssh-config-'));
    const configFile = join(directory, 'config');
    const portNow = async (port: number) => {
      writeFileSync(configFile, `Host build\n  Port ${port}\n`);
      return (await askConfig({ ...options, configFile })).get('port');
    };
    let now = performance.now();
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    try {
      expect(await portNow(2222)).toEqual(['2222']);
      expect(await portNow(2223)).toEqual(['2222']);
      now += 61_000;
      expect(await portNow(2224)).toEqual(['2224']);
    } finally {
      clock.mockRestore();
      removeSync(directory);
    }
  });
});

describe('askConfig with options', () => {
  it('answers for the destination, user and port that it was asked about', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'docker-tls-ssh-config-'));
    const configFile = join(directory, 'config');
    writeFileSync(configFile, 'Host db-*\n  ProxyJump gate\nHost *\n  User ops\n  Port 2222\n  HostName %h.internal\n');
    const ask = (destination: string, more = {}) => askConfig({ ...options, destination, configFile, ...more });
    try {
      const [web, db, root] = await Promise.all([ask('web-1'), ask('db-1'), ask('web-1', { user: 'root', port: 22 })]);
      expect([web.get('hostname'), web.get('user'), web.get('port')]).toEqual([['web-1.internal'], ['ops'], ['2222']]);
      expect([db.get('hostname'), db.get('proxyjump')]).toEqual([['db-1.internal'], ['gate']]);
      expect([root.get('user'), root.get('port')]).toEqual([['root'], ['22']]);
    } finally {
      removeSync(directory);
    }
  });
});

describe('Ctrl-C while ssh reads its configuration', () => {
  async function withSsh(text: string, work: () => Promise<void>): Promise<void> {
    const directory = mkdtempSync(join(tmpdir(), 'docker-tls-ssh-'));
    writeFileSync(join(directory, 'ssh'), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${directory}:${process.env.PATH}`);
    await work().finally(() => {
      vi.unstubAllEnvs();
      removeSync(directory);
    });
  }
  const interruption = { code: 'E_INTERRUPTED', exit: 130 };

  it('ends ssh as well, and is no fault of the configuration', () =>
    withSsh('kill -INT $$', async () => {
      await expect(resolveEndpoint(options)).rejects.toMatchObject(interruption);
    }));

  it('does not wait for it', () =>
    withSsh('exec sleep 100', async () => {
      const signal = AbortSignal.timeout(50);
      await expect(resolveEndpoint({ ...options, signal })).rejects.toMatchObject(interruption);
    }));
});
