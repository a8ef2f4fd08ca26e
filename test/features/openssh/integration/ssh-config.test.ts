/** Login as a configuration of ssh says, by each transport: names, jump hosts, keys, agents, and what ssh2 leaves to the system's ssh. */

import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { connect } from '../../../../src/core/adapters/ssh/connect.ts';
import {
  agentHolding,
  directory,
  failure,
  key,
  keyFile,
  logIn,
  optionsFor,
  questions,
  transports,
  whoami,
  withKey,
  withServer,
} from '../../../support/ssh-login.ts';
import { makeKey } from '../../../support/ssh-server.ts';

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.each(transports)('%s', (transport) => {
  it('a missing ssh config', async () => {
    const error = await failure(connect(optionsFor({ port: 1 }, { transport, configFile: '/nonexistent/config' })));
    expect([error.code, error.exit]).toEqual(['E_SSH_CONFIG', 2]);
  });

  it('a name that ssh finds in none of its CanonicalDomains has no address, and the configuration is right', async () => {
    const configFile = join(directory, `canonical-${transport}`);
    writeFileSync(configFile, 'CanonicalizeHostname yes\nCanonicalDomains invalid\nCanonicalizeFallbackLocal no\n');
    const options = optionsFor({ port: 1 }, { transport, configFile, destination: 'nowhere' });
    const error = await failure(connect(options));
    expect([error.code, error.message]).toEqual(['E_SSH_NAME', expect.stringContaining('CanonicalDomains')]);
  });

  it.each([
    ['PubkeyAuthentication', withKey],
    ['PasswordAuthentication', { password: 'right' }],
    ['KbdInteractiveAuthentication', { interactive: [{ prompt: 'Password: ', echo: false, answer: 'right' }] }],
  ])('does not use what %s switches off', async (keyword, host) => {
    const config = join(directory, `off-${keyword}-${transport}`);
    writeFileSync(config, `IdentityAgent none\nIdentityFile none\n${keyword} no\n`);
    const requested: string[] = [];
    await withServer(host, async (server) => {
      const ask = questions({ password: 'right' }, requested);
      const error = await failure(connect(optionsFor(server, { transport, configFile: config, ask })));
      expect([error.code, requested]).toEqual(['E_SSH_AUTH', []]);
    });
  });

  it("refuses hosts that are each other's jump host before anything is dialled", async () => {
    const config = join(directory, `circle-${transport}`);
    writeFileSync(config, 'Host one\n ProxyJump two\nHost two\n ProxyJump one\n');
    const options = { ...optionsFor({ port: 22 }, { transport, configFile: config }), destination: 'one' };
    const error = await failure(connect({ ...options, port: undefined }));
    expect([error.code, error.exit, error.where]).toEqual(['E_SSH_CONFIG', 2, 'build-1']);
  });

  it('is led astray by nothing in the ssh config that is meant for people', async () => {
    await withServer({ ...withKey, password: 'x' }, async (server) => {
      const config = join(directory, `people-${transport}`);
      const lines = ['IdentityAgent none', 'IdentityFile none', 'LogLevel QUIET', 'RequestTTY force', 'StdinNull yes'];
      writeFileSync(config, `${lines.join('\n')}\nRemoteCommand sleep 1\nForkAfterAuthentication yes\n`);
      expect(await logIn(optionsFor(server, { transport, configFile: config }))).toBe('in\n');
      const other = join(directory, `people-other-${transport}`);
      writeFileSync(other, makeKey().privateKey, { mode: 0o600 });
      const error = await failure(connect(optionsFor(server, { transport, configFile: config, identities: [other] })));
      expect(error.code).toBe('E_SSH_AUTH');
    });
  });

  it('hands no agent on, and runs no command of this computer, whatever the ssh config says', async () => {
    const socket = join(directory, `agent-on-${transport}`);
    const ran = join(directory, `local-command-${transport}`);
    const config = join(directory, `handing-on-${transport}`);
    const lines = ['IdentityFile none', `IdentityAgent ${socket}`, 'ForwardAgent yes', 'ForwardX11 yes'];
    writeFileSync(config, `${lines.join('\n')}\nPermitLocalCommand yes\nLocalCommand touch ${ran}\n`);
    const list = agentHolding(makeKey().publicKey);
    const agent = createServer((client) => client.on('error', () => {}).on('data', () => client.write(list)));
    await new Promise<void>((resolve) => agent.listen(socket, resolve));
    try {
      await withServer(withKey, async (server) => {
        expect(await logIn(optionsFor(server, { transport, configFile: config }))).toBe('in\n');
        expect([server.seen.forwards, existsSync(ran)]).toEqual([[], false]);
      });
    } finally {
      agent.close();
    }
  });

  it('takes host name, port, user and jump from the ssh config', async () => {
    await withServer({ ...withKey, forwards: true }, async (jump) => {
      await withServer({ ...withKey, user: 'ops', hostKeys: [makeKey().privateKey] }, async (server) => {
        const config = join(directory, `alias-${transport}`);
        writeFileSync(
          config,
          [
            `Host gate\n HostName 127.0.0.1\n Port ${jump.port}\n User tester`,
            `Match host build.example\n HostName 127.0.0.1\n Port ${server.port}\n User ops\n ProxyJump gate`,
            `Host *\n IdentityFile ${keyFile}\n IdentityAgent none\n`,
          ].join('\n'),
        );
        const options = optionsFor(server, {
          transport,
          configFile: config,
          destination: 'build.example',
          user: undefined,
          port: undefined,
          identities: [],
        });
        const session = await connect(options);
        expect([session.user, session.dialled]).toEqual(['ops', '127.0.0.1']);
        expect(await whoami(session)).toBe('in\n');
        await session.close();
        expect(jump.seen.connections).toBe(1);
      });
    });
  });
});

/** One keyword each that ssh2 does not support. */
const BEYOND: Readonly<Record<string, string>> = {
  BindAddress: '127.0.0.1',
  BindInterface: 'lo',
  CertificateFile: '/etc/hostname',
  ControlPath: '/tmp/none-%C',
  HostbasedAuthentication: 'yes',
  KnownHostsCommand: '/bin/true',
  PKCS11Provider: '/usr/lib/none.so',
  PreferredAuthentications: 'publickey',
  ProxyCommand: 'nc %h %p',
  RevokedHostKeys: '/dev/null',
  VerifyHostKeyDNS: 'yes',
};

describe('ssh2 alone', () => {
  it.each(Object.entries(BEYOND))('leaves %s before it dials, and ignores none', async (key, value) => {
    const configFile = join(directory, `config-${key}`);
    writeFileSync(configFile, `IdentityAgent none\nIdentityFile none\n${key} ${value}\n`);
    await withServer(withKey, async (server) => {
      const error = await failure(connect(optionsFor(server, { configFile, transport: 'ssh2' })));
      expect([error.code, error.exit, error.hints]).toEqual(['E_SSH_TRANSPORT', 2, ['--transport openssh']]);
      expect(error.message).toContain(`the ssh config has ${key}`);
      expect(server.seen.connections).toBe(0);
      const jump = { ...optionsFor({ port: 22 }, { transport: 'ssh2' }), jump: [`tester@127.0.0.1:${server.port}`] };
      expect((await failure(connect({ ...jump, configFile }))).code).toBe('E_SSH_TRANSPORT');
    });
  });

  it('offers named keys that the agent holds, then its others, then files', async () => {
    const files = [1, 2].map((index) => {
      const pair = makeKey();
      const file = join(directory, `order-${index}`);
      writeFileSync(file, pair.privateKey, { mode: 0o600 });
      return { file, ...pair };
    });
    const config = join(directory, 'config-order');
    const socket = join(directory, 'agent-order');
    const identities = files.map(({ file }) => `IdentityFile ${file}\n`).join('');
    writeFileSync(config, `IdentityAgent ${socket}\n${identities}`);
    const tried = async (publicKey: string): Promise<string | undefined> => {
      const list = agentHolding(publicKey);
      const agent = createServer((client) => client.on('error', () => {}).on('data', () => client.write(list)));
      await new Promise<void>((resolve) => agent.listen(socket, resolve));
      try {
        return await withServer({ authorizedKeys: [] }, async (server) => {
          const error = await failure(connect(optionsFor(server, { configFile: config, identities: [] })));
          return error.details[0];
        });
      } finally {
        agent.close();
      }
    };
    const [first, second] = files.map(({ file }) => `publickey ${file}`);
    const held = 'publickey agent key held';
    expect(await tried(files[1]?.publicKey ?? '')).toBe(`tried: ${held}, ${first}`);
    expect(await tried(makeKey().publicKey)).toBe(`tried: ${held}, ${first}, ${second}`);
  });

  it('offers no other key of the agent with IdentitiesOnly', async () => {
    const other = join(directory, 'other-only');
    const config = join(directory, 'config-agent-only');
    const socket = join(directory, 'agent-only');
    writeFileSync(other, makeKey().privateKey, { mode: 0o600 });
    writeFileSync(config, `IdentityAgent ${socket}\nIdentityFile ${other}\nIdentitiesOnly yes\n`);
    const list = agentHolding(key.publicKey);
    const agent = createServer((client) => client.on('error', () => {}).on('data', () => client.write(list)));
    await new Promise<void>((resolve) => agent.listen(socket, resolve));
    await withServer(withKey, async (server) => {
      const error = await failure(connect(optionsFor(server, { configFile: config, identities: [] })));
      expect([error.code, error.details[0]]).toEqual(['E_SSH_AUTH', `tried: publickey ${other}`]);
    });
    agent.close();
  });
});
