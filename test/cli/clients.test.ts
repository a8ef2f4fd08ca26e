import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { inspectCertificate } from '../../src/core/domain/pki/inspect.ts';
import { type CliSetting, runCli } from '../support/cli.ts';
import { changeClient, issueStore, TWO_HOSTS } from '../support/issued-store.ts';
import { importFrom } from '../support/outside-clients.ts';
import { newHome, removeHomes } from '../support/store.ts';

let home: string;
let directory: string;

beforeEach(() => {
  home = newHome();
  directory = dirname(home);
});
afterAll(removeHomes);

const at = (place: string, argv: readonly string[], setting: CliSetting = {}) =>
  runCli(argv, {
    cwd: directory,
    ...setting,
    env: {
      HOME: dirname(place),
      DOCKER_CONFIG: join(dirname(place), 'docker'),
      DOCKER_TLS_HOME: place,
      SHELL: '/bin/sh',
      ...setting.env,
    },
  });
const here = (...argv: string[]) => at(home, argv);

const three = () => issueStore(home, TWO_HOSTS);

describe('client list', () => {
  test('an empty store says how to begin', async () => {
    const { exit, out } = await here('client', 'list');
    expect([exit, out]).toEqual([0, expect.toSay('no-client-yet', 'docker-tls client add NAME')]);
  });

  test('shows which hosts really let a client in', async () => {
    await three();
    const { json } = await here('client', 'list', '--json');
    expect(json.result.clients).toMatchObject([
      { name: 'ci', hosts: ['build-2'], everywhere: false, toAdd: [], toDrop: [], key: 'here', state: 'ok' },
      { name: 'laptop', hosts: ['build-1', 'build-2'], everywhere: true, toAdd: [], toDrop: [], imported: false },
    ]);
    const { out } = await here('client', 'list');
    expect(out).toMatch(/^CLIENT +EXPIRES +DAYS +STATE +HOSTS +KEY +CONTEXTS/);
    expect(out).toMatch(/^laptop .* all 2 /m);
  });

  test('roles, if a client has another than the default', async () => {
    await three();
    const roles = async () =>
      (await here('client', 'list', '--json')).json.result.clients.map(({ role }: { role: string }) => role);
    expect(await roles()).toEqual(['full', 'full']);
    await changeClient(home, 'ci', { role: 'read' });
    expect(await roles()).toEqual(['read', 'full']);
    const { out } = await here('client', 'list');
    expect(out).toMatch(/^CLIENT +EXPIRES +DAYS +STATE +ROLE +HOSTS/);
    expect(out).toMatch(/^ci .* read +build-2 /m);
    expect(out).toMatch(/^laptop .* full +all 2 /m);
  });

  test('records that are ahead of the hosts are told, with the command', async () => {
    await three();
    await changeClient(home, 'ci', { hosts: ['build-1'] });
    const { out } = await here('client', 'list');
    expect(out).toSay('not-accepted-yet-still', 'ci', 'build-1', 'build-2', 'docker-tls apply build-1 build-2');
    const { exit, json } = await here('status', '--offline', '--check', '--json');
    expect(exit).toBe(3);
    expect(json.result.rows.filter(({ kind }: { kind: string }) => kind === 'host')).toMatchObject([
      { name: 'build-1', drift: [expect.toSay('does-not-accept-client', 'ci')], attention: true },
      { name: 'build-2', drift: [expect.toSay('records-do-not-allow', 'ci')] },
    ]);
  });

  test('a revocation that did not reach a host: status does not call it in sync', async () => {
    await three();
    await changeClient(home, 'ci', { revokedAt: '2026-01-01T00:00:00.000Z' });
    const { exit, out } = await here('status', '--offline', '--check');
    expect(exit).toBe(3);
    expect(out).toSay('revoked-client-not-applied', 'build-2', 'ci');
    expect(out).not.toContain('All is well');
  });

  test('65 and 67 percent of a lifetime are on either side of due; 101 is over', async () => {
    await three();
    const { notBefore, notAfter } = inspectCertificate(
      (await openStore(home).read()).clients.get('laptop')?.cert ?? '',
    );
    const stateAt = async (share: number) => {
      const now = new Date(notBefore.getTime() + (notAfter.getTime() - notBefore.getTime()) * share);
      const { json } = await at(home, ['client', 'list', '--json'], { now: () => now });
      return json.result.clients.find((one: { name: string }) => one.name === 'laptop').state;
    };
    expect(await Promise.all([0.01, 0.65, 0.67, 0.99, 1.01].map(stateAt))).toEqual([
      'ok',
      'ok',
      'due',
      'due',
      'expired',
    ]);
  });
});

test('a client of another store: its hosts are known, and what changes them or renews it refuses', async () => {
  const there = newHome();
  await three();
  await issueStore(there, { clients: { ci: undefined } });
  await importFrom(home, there, 'laptop');
  const other = async (...argv: string[]) => (await at(there, [...argv, '--json'])).json;
  expect((await other('client', 'list')).result.clients).toMatchObject([
    { name: 'ci', imported: false },
    { name: 'laptop', imported: true, hosts: ['build-1', 'build-2'] },
  ]);
  expect((await other('apply', 'build-1', '--yes')).error?.code).toBe('E_HOST_EXTERNAL');
  expect((await other('status', 'build-1', '--offline')).result.reached).toEqual([
    { host: 'build-1', address: expect.stringMatching(/:2376$/), client: 'laptop', access: 'not asked' },
  ]);
  expect((await other('rotate', 'client', 'laptop', '--yes')).error?.code).toBe('E_CLIENT_EXTERNAL');
});
