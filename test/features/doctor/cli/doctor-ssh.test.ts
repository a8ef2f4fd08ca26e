/** Output of `doctor` when docker works: the SSH login, the selected host, and commands with its client. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { HostRecord } from '../../../../src/core/adapters/store/records.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { FEATURE_SETTINGS } from '../../../../src/core/seams/feature-settings.ts';
import { FLEET_FILES } from '../../../../src/core/seams/fleet-files.ts';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import { writeContext } from '../../../../src/features/contexts/adapters/contexts.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { type CliSetting, runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { key, keyFile } from '../../../support/ssh-login.ts';
import { makeKey, type SshServer, startSshServer } from '../../../support/ssh-server.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import { type Listening, startTlsDaemon } from '../../../support/tls-daemon.ts';

const factory = new CertificateFactory();
let sshd: SshServer;
let daemon: Listening;
let home: string;
let docker: string;

beforeAll(async () => {
  sshd = await startSshServer({ authorizedKeys: [key.publicKey], user: 'root' });
});
afterAll(async () => {
  await sshd.close();
  factory.remove();
  removeHomes();
});

beforeEach(async () => {
  home = newHome();
  docker = join(home, 'docker');
  mkdirSync(docker, { recursive: true });
  await issueStore(home, { hosts: { web: {}, db: {} }, clients: { ann: undefined, bob: undefined } });
  const store = openStore(home);
  await store.withLock('test', async () => {
    const { hosts } = await store.read();
    const web = hosts.get('web');
    const db = hosts.get('db');
    if (web?.serverKey === undefined || db === undefined) throw new Error('just issued');
    const file = (name: string, text: string) => {
      writeFileSync(join(home, name), text);
      return join(home, name);
    };
    const issued = (name: string, cert: string, key: string) => {
      return { cert, key, certFile: file(`${name}.pem`, cert), keyFile: file(`${name}-key.pem`, key) };
    };
    const server = issued('server', web.serverCert, web.serverKey.reveal().toString());
    daemon = await startTlsDaemon(factory, { server, trust: issued('trust', web.ca, '') });
    await store.write({ hosts: { web: { ...web, record: recordOf(web.record, sshd.hostKeys[0]) } } });
  });
  return () => daemon.stop();
});

function recordOf(record: HostRecord, hostKey: string | undefined): HostRecord {
  const ssh = { destination: '127.0.0.1', user: 'root', port: sshd.port, identities: [keyFile], hostKey };
  return { ...record, address: '127.0.0.1', port: daemon.port, ssh };
}

/** Changes the login that the store has of web. */
async function changeSsh(more: Partial<HostRecord['ssh']>): Promise<void> {
  const store = openStore(home);
  await store.withLock('test', async () => {
    const web = (await store.read()).hosts.get('web');
    if (web === undefined) throw new Error('just issued');
    const record = { ...web.record, ssh: { ...web.record.ssh, ...more } };
    await store.write({ hosts: { web: { ...web, record } } });
  });
}

const run = (argv: readonly string[], more: CliSetting = {}) =>
  runCli([...argv, '--home', home, '--json'], {
    ...more,
    env: { HOME: home, DOCKER_CONFIG: docker, PATH: '/usr/bin:/bin', ...more.env },
  });

async function context(name: string, host: string, use: boolean): Promise<void> {
  const { clients } = await openStore(home).read();
  const bob = clients.get('bob');
  if (bob?.key === undefined) throw new Error('just issued');
  await writeContext({ name, dockerConfig: docker, host, ca: bob.ca, cert: bob.cert, key: bob.key, use });
}

test('both ways are open: all is well', async () => {
  const before = sshd.seen.connections;
  const { exit, json } = await run(['doctor', 'web']);
  expect([exit, json.result.cause]).toEqual([0, 'none']);
  expect(sshd.seen.connections).toBe(before + 1);
});

test('docker gets in and SSH shows another key: that is the cause, with the hint of the error of SSH', async () => {
  const old = makeKey().publicKey.split(' ').slice(0, 2).join(' ');
  await changeSsh({ hostKey: old });
  const { exit, json } = await run(['doctor', 'web']);
  expect([exit, json.result.cause]).toEqual([7, 'ssh']);
  expect(json.result.message).toSay('docker-tls-does-not-key', 'E_SSH_HOST_KEY_PIN');
  expect(json.result.hints).toEqual(expect.arrayContaining([expect.stringContaining('--host-key')]));
  const shown = await runCli(['doctor', 'web', '--home', home], { env: { HOME: home, DOCKER_CONFIG: docker } });
  expect(shown.out.match(/E_SSH_HOST_KEY_PIN/g)).toHaveLength(1);
  const without = await run(['doctor', 'web', '--no-ssh']);
  expect([without.exit, without.json.result.cause]).toEqual([0, 'none']);
});

test.runIf(FEATURE_SETTINGS.all.includes('configFile'))(
  'SSH shows another key than known_hosts has: that is the cause, with the command that drops the old one',
  async () => {
    const known = join(home, 'known_hosts');
    writeFileSync(known, `[127.0.0.1]:${sshd.port} ${makeKey().publicKey}\n`);
    const configFile = join(home, 'ssh_config');
    const files = `UserKnownHostsFile ${known}\nGlobalKnownHostsFile none\n`;
    writeFileSync(configFile, `IdentityAgent none\nIdentityFile none\n${files}`);
    await changeSsh({ configFile, hostKey: undefined });
    const { exit, json } = await run(['doctor', 'web']);
    expect([exit, json.result.cause]).toEqual([7, 'ssh']);
    expect(json.result.message).toSay('docker-tls-does-not-changed', 'E_SSH_HOST_KEY_CHANGED');
    expect(json.result.hints).toEqual([expect.stringContaining(`ssh-keygen -f ${known} -R`)]);
    const shown = await runCli(['doctor', 'web', '--home', home], { env: { HOME: home, DOCKER_CONFIG: docker } });
    expect(shown.out.match(/key has changed/g)).toHaveLength(1);
  },
);

test.each([
  ['E_SSH_AUTH', ['-i KEYFILE'], 'docker-tls setup web -i KEYFILE'],
  ['E_SUDO_PASSWORD', ['--ask-sudo-password'], 'docker-tls doctor web --json --ask-sudo-password'],
  ['E_SSH_REFUSED', ['ssh -v web'], 'ssh -v web'],
] as const)('%s: the hint is a command', async (code, hints, shown) => {
  const connect = async () => {
    throw new DockerTlsError(code, 'no', { hints });
  };
  const { exit, json } = await run(['doctor', 'web'], { connect });
  expect([exit, json.result.cause, json.result.hints]).toEqual([7, 'ssh', [shown]]);
});

test('both fail: the cause is what docker meets, and SSH is said beside it', async () => {
  await daemon.stop();
  const connect = async () => {
    throw new DockerTlsError('E_SSH_REFUSED', 'nothing listens');
  };
  const { json } = await run(['doctor', 'web'], { connect });
  expect(json.result).toMatchObject({ cause: 'connection-refused', sshProblem: { code: 'E_SSH_REFUSED' } });
});

test("without HOST: docker's context, unless a variable beats it", async () => {
  const web = `tcp://127.0.0.1:${daemon.port}`;
  await context('there', web, true);
  expect((await run(['doctor', '--no-ssh'])).json.result).toMatchObject({ host: 'web', cause: 'none' });
  await context('other', 'tcp://127.0.0.1:2376', true);
  expect((await run(['doctor', '--no-ssh'])).json.result.host).toBe('db');
  const env = (more: Record<string, string>) => run(['doctor', '--no-ssh'], { env: more });
  expect((await env({ DOCKER_CONTEXT: 'there' })).json.result.host).toBe('web');
  expect((await env({ DOCKER_CONTEXT: 'other', DOCKER_HOST: web })).json.result.host).toBe('web');
  expect((await env({ DOCKER_CONTEXT: 'gone' })).json.error?.code).toBe('E_HOST_AMBIGUOUS');
});

test('no client is "own": the one whose context docker uses, and its commands name it', async () => {
  await run(['context', 'web', '--client', 'bob', '--use']);
  const found = (await run(['doctor'])).json.result;
  expect(found).toMatchObject({ host: 'web', client: 'bob', cause: 'none' });
  const { json } = await run(['doctor', 'web', '--no-ssh'], { env: { DOCKER_HOST: 'tcp://10.9.9.9:2376' } });
  expect([json.result.cause, json.result.client]).toEqual(['host-overridden', 'bob']);
  const env = json.result.hints.find((hint: string) => hint.includes('docker-tls env'));
  expect(env).toContain('--client bob');
});

test.runIf(FLEET_FILES.all.length > 0)(
  'a fleet file says how SSH gets there, and status repeats it for doctor',
  async () => {
    const file = join(home, 'fleet.yaml');
    writeFileSync(file, 'version: 1\nhosts: { web: ops@moved }\n');
    const dialled: string[] = [];
    const connect: CliSetting['connect'] = async ({ destination, user }) => {
      dialled.push(`${user}@${destination}`);
      throw new DockerTlsError('E_SSH_TIMEOUT', 'no answer');
    };
    await run(['doctor', 'web', '-f', file], { connect });
    expect(dialled).toEqual(['ops@moved']);
    const env = { HOME: home, DOCKER_CONFIG: docker };
    const { out } = await runCli(['status', '-f', file, '--home', home], { connect, env });
    expect(out).toContain(`doctor web -f ${file}\n`);
  },
);
