/** SSH settings of hosts from a colleague's record: what a computer follows only with its user's consent, and what it never follows. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import type { SshOptions } from '../../../../src/core/runtime.ts';
import { FLEET_FILES } from '../../../../src/core/seams/fleet-files.ts';
import { TRANSPORTS } from '../../../../src/core/seams/transports.ts';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import { runCli } from '../../../support/cli.ts';
import { removeHomes, sampleCa, sampleClient, sampleHost } from '../../../support/store.ts';
import { enrol, type Member, newTeam } from '../support/team.ts';

afterAll(removeHomes);

/** A run of a member, and the options of its connections, none of which is answered. */
async function run({ env, home, name }: Member, url: string, ...argv: string[]) {
  const dialled: SshOptions[] = [];
  const { HOME = '/' } = env;
  const made = await runCli([...argv, '--store', url, '--home', home, '--json'], {
    ...{ env: { HOME }, cwd: HOME, operator: `${name}@laptop` },
    connect: async (options) => {
      dialled.push(options);
      if (!logsIn) throw new DockerTlsError('E_SSH_TIMEOUT', 'no answer');
      const lost = async () => {
        throw new DockerTlsError('E_SSH_LOST', 'cut');
      };
      const close = async () => {};
      const login = { destination: options.destination };
      return { host: options.host, login, user: 'x', dialled: 'x', run: lost, close, [Symbol.asyncDispose]: close };
    },
  });
  return { error: made.json.error, dialled, jumps: dialled.map(({ jump }) => jump) };
}

/** Whether connections of `run` are logged in, and cut after that. */
let logsIn = false;
afterEach(() => {
  logsIn = false;
});

/** A store whose record of `web` holds these SSH settings, by another program than ours. */
async function teamWith(ssh: object, client: object = {}) {
  const team = newTeam();
  const [ada, bob] = [team.member('ada'), team.member('bob')];
  await enrol(ada, bob);
  const { record, ...host } = sampleHost('web', 1);
  const store = teamStore(ada.session());
  const write = (more: object) =>
    store.withLock('test', () =>
      store.write({ hosts: { web: { ...host, record: { ...record, ssh: { destination: 'web.example', ...more } } } } }),
    );
  await store.withLock('test', () => store.write({ ca: sampleCa(0), clients: { anna: sampleClient('anna', 0) } }));
  await write({});
  const session = ada.session();
  const base = await session.read();
  const contents = new Map(base.contents);
  const change = (path: string, edit: (record: Record<string, unknown>) => object) => {
    const file = contents.get(path);
    if (file === undefined) throw new Error(path);
    contents.set(path, { ...file, bytes: JSON.stringify(edit(JSON.parse(String(file.bytes)))) });
  };
  change('hosts/web/host.json', (one) => ({ ...one, ssh: { ...(one.ssh as object), ...ssh } }));
  change('clients/anna/client.json', (one) => ({ ...one, ...client }));
  await session.commit(base, { contents }, { subject: 'x', lines: [] });
  return { url: team.url, ada, bob, write };
}

test.each(['apply', 'plan', 'status', 'verify'])(
  'jump hosts of a colleague: %s logs in to none without consent',
  async (command) => {
    const { url, bob } = await teamWith({ jump: ['gate.example', 'eve@\u200binner'] });
    const more = command === 'status' ? ['--ssh'] : [];
    const reach =
      command === 'verify' ? ['verify', 'web'] : [command, ...(command === 'status' ? [] : ['web']), ...more];
    const { dialled, error } = await run(bob, url, ...reach, ...(command === 'apply' ? ['--yes'] : []));
    expect(dialled).toEqual([]);
    if (command === 'apply' || command === 'plan')
      expect(error).toMatchObject({
        code: 'E_STORE_SETTINGS',
        message: expect.toSay('way', 'web'),
        details: ['logs in through gate.example, eve@\\u{200b}inner'],
        hints: [expect.any(String), expect.stringMatching(/--trust-store-settings [0-9a-f]{32}$/)],
      });
  },
);

test('consent is for these jump hosts, on this computer or in this call; others are asked about again', async () => {
  const { url, ada, bob, write } = await teamWith({ jump: ['gate.example'] });
  const idOf = async () => {
    const { error, dialled } = await run(bob, url, 'apply', 'web', '--yes');
    expect([error?.code, dialled]).toEqual(['E_STORE_SETTINGS', []]);
    return / (\w{32})$/.exec(error?.hints.at(-1) ?? '')?.[1] as string;
  };
  const id = await idOf();
  const trusting = await run(bob, url, 'apply', 'web', '--yes', '--trust-store-settings', id);
  expect([trusting.error?.code, trusting.jumps]).toEqual(['E_SSH_TIMEOUT', [['gate.example']]]);
  expect((await run(bob, url, 'plan', 'web', '--trust-store-settings', id)).dialled).toHaveLength(1);
  expect(await idOf()).toBe(id);
  // What a terminal's yes stores.
  await teamStore(bob.session()).accept(id);
  expect((await run(bob, url, 'apply', 'web', '--yes')).jumps).toEqual([['gate.example']]);
  // Ada names another one herself: she is not asked, bob is.
  await write({ jump: ['other.example'] });
  expect((await run(ada, url, 'apply', 'web', '--yes')).jumps).toEqual([['other.example']]);
  expect(await idOf()).not.toBe(id);
  // One that bob names himself, by a flag or in a file.
  const own = await run(bob, url, 'apply', 'web', '--yes', '--jump', 'mine.example');
  expect([own.error?.code, own.jumps]).toEqual(['E_SSH_TIMEOUT', [['mine.example']]]);
  if (FLEET_FILES.all.length === 0) return;
  const file = join(bob.env.HOME ?? '/', 'fleet.yaml');
  writeFileSync(file, 'version: 1\nhosts: { web: { ssh: { destination: web.example, jump: [other.example] } } }\n');
  expect((await run(bob, url, 'apply', '-f', file, '--yes')).jumps).toEqual([['other.example']]);
});

test('files, commands and other options of a connection come from this computer alone, whatever a record says', async () => {
  const { url, bob } = await teamWith(
    {
      ...{
        identities: ['/root/.ssh/other'],
        configFile: '/tmp/config',
        knownHostsFile: '/tmp/known',
        jumpFromStore: false,
      },
      ...{
        proxyCommand: 'touch /tmp/x',
        firstKey: { fingerprint: 'SHA256:x' },
        hostKeyFlag: false,
        connectTimeoutMs: 1,
      },
    },
    { own: true, copies: [{ dockerConfig: '/root/.docker', contexts: ['web'], directory: true }] },
  );
  const [dialled] = (await run(bob, url, 'apply', 'web', '--yes')).dialled;
  expect(dialled).toMatchObject({ host: 'web', destination: 'web.example' });
  for (const key of ['identities', 'configFile', 'knownHostsFile', 'proxyCommand', 'hostKeyFlag', 'connectTimeoutMs'])
    expect(dialled).not.toHaveProperty(key);
  expect(dialled?.firstKey).toBeUndefined();
  const anna = (await teamStore(bob.session()).read()).clients.get('anna')?.record;
  expect(anna).toMatchObject({ name: 'anna' });
  expect([anna?.own, anna?.copies]).toEqual([undefined, undefined]);
});

test('a place from a colleague: no login, and no sudo password, before the consent to it', async () => {
  const { url, ada, bob, write } = await teamWith({});
  logsIn = true;
  const password = join(bob.env.HOME ?? '/', 'password');
  writeFileSync(password, 'secret\n', { mode: 0o600 });
  const sudo = ['--sudo-password-file', password];
  const places = async (member: Member, ...more: string[]) => {
    const host = more[0]?.includes('@') ? [] : ['web'];
    const { error, dialled } = await run(member, url, 'apply', '--yes', ...host, ...more);
    return [error?.code, ...dialled.map(({ destination, user }) => `${user ?? ''}@${destination}`)];
  };
  const idOf = async (host: string, ...more: string[]) => {
    const { error, dialled } = await run(bob, url, 'apply', host, '--yes', ...more);
    expect([error?.code, dialled]).toEqual(['E_STORE_SETTINGS', []]);
    return { error, id: / (\w{32})$/.exec(error?.hints.at(-1) ?? '')?.[1] as string };
  };
  // The first login asks only if it sends a password. Ada named the place herself.
  const first = await idOf('web', ...sudo);
  expect(first.error?.details).toEqual(['logs in to web.example']);
  expect(await places(ada, ...sudo)).toEqual(['E_SSH_LOST', '@web.example']);
  expect(await places(bob)).toEqual(['E_SSH_LOST', '@web.example']);
  expect(await places(bob, ...sudo)).toEqual(['E_SSH_LOST', '@web.example']);
  // A user for one run does not count as a move.
  expect(await places(bob, 'ops@web', ...sudo)).toEqual(['E_SSH_LOST', 'ops@web.example']);
  expect(await places(bob, ...sudo)).toEqual(['E_SSH_LOST', '@web.example']);
  // Ada moves it.
  await write({ destination: 'eve.example', user: 'eve', hostKey: `SHA256:${'A'.repeat(43)}` });
  expect(await places(ada, ...sudo)).toEqual(['E_SSH_LOST', 'eve@eve.example']);
  const { error, id } = await idOf('web');
  expect(error).toMatchObject({
    message: expect.toSay('you-did-not-name', 'web'),
    details: ['logs in to eve@eve.example'],
  });
  expect((await idOf('ops@web')).id).toBe(id);
  expect(id).not.toBe(first.id);
  const log = await runCli(['log', '--store', url, '--home', bob.home], { env: { HOME: bob.env.HOME }, cwd: bob.home });
  expect(log.out).toSay('record-changed-now', 'eve@eve.example');
  // A place that bob types, or has in a file of his own, needs no consent.
  const typed = await run(bob, url, 'plan', 'ops@eve.example');
  expect(typed.dialled.map(({ destination }) => destination)).toEqual(['eve.example']);
  if (FLEET_FILES.all.length > 0) {
    const file = join(bob.env.HOME ?? '/', 'fleet.yaml');
    writeFileSync(file, 'version: 1\nhosts: { web: { ssh: { destination: eve.example, user: eve } } }\n');
    const own = await run(bob, url, 'plan', '-f', file);
    expect(own.dialled.map(({ destination }) => destination)).toEqual(['eve.example']);
  }
  await write({ destination: 'other.example' });
  const other = (await idOf('web')).id;
  expect(await places(bob, '--trust-store-settings', other)).toEqual(['E_SSH_LOST', '@other.example']);
  expect(await places(bob, ...sudo)).toEqual(['E_SSH_LOST', '@other.example']);
});

test('a copy takes the jump hosts of a colleague only with consent: in it they count as your own', async () => {
  const { url, bob } = await teamWith({ jump: ['gate.example'] });
  const to = join(bob.env.HOME ?? '/', 'copy');
  const { error } = await run(bob, url, 'store', 'copy', '--to', to, '--yes');
  expect(error).toMatchObject({ code: 'E_STORE_SETTINGS', details: ['logs in through gate.example'] });
  expect(existsSync(to)).toBe(false);
  const [, id = ''] = / (\w{32})$/.exec(error?.hints.at(-1) ?? '') ?? [];
  expect((await run(bob, url, 'store', 'copy', '--to', to, '--trust-store-settings', id)).error).toBeUndefined();
  expect(existsSync(to)).toBe(true);
});

test.runIf(TRANSPORTS.all.length > 0)(
  'ssh asks about the jump hosts of a colleague as well, and passes on the recorded key',
  async () => {
    const { url, bob } = await teamWith({ jump: ['gate.example'], hostKey: `SHA256:${'A'.repeat(43)}` });
    const { HOME = '/' } = bob.env;
    const [bin, log] = [join(HOME, 'bin'), join(HOME, 'called')];
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'ssh'),
      `#!/bin/sh\n[ "$1" = -V ] && { echo OpenSSH_9.2 >&2; exit 0; }\nprintf '%s\\n' "$@" >${log}\nexit 7\n`,
      { mode: 0o755 },
    );
    vi.stubEnv('PATH', `${bin}:${process.env.PATH}`);
    const ssh = (...more: string[]) =>
      runCli(['ssh', 'web', '--store', url, '--home', bob.home, ...more], { env: { HOME }, cwd: HOME });
    const before = await ssh();
    expect([before.exit, before.err]).toEqual([2, expect.stringContaining('logs in through gate.example')]);
    expect(() => readFileSync(log)).toThrow();
    const [, id = ''] = /--trust-store-settings (\w{32})/.exec(before.err) ?? [];
    expect((await ssh('--trust-store-settings', id)).exit).toBe(7);
    const words = readFileSync(log, 'utf8').split('\n');
    expect(words.slice(-4, -1)).toEqual(['-J', 'gate.example', 'web.example']);
    expect(words).toContain('StrictHostKeyChecking=yes');
    vi.unstubAllEnvs();
  },
);
