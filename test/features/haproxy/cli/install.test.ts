/** `--install` and sockets, by whole commands against hosts that answer with recorded facts and outcomes. */

import { afterAll, expect, test } from 'vitest';
import type { Changed } from '../../../../src/core/actions/results.ts';
import type { StoredHost } from '../../../../src/core/adapters/store/records.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { completeHost } from '../../../../src/core/domain/settings.ts';
import { useCommands } from '../../../../src/core/render/next.ts';
import type { Probe } from '../../../../src/core/runtime.ts';
import { madeSocket } from '../../../../src/features/haproxy/commands/socket-add.ts';
import { documentPlace } from '../../../support/golden-documents.ts';
import { printSections } from '../../../support/sections.ts';
import { removeHomes } from '../../../support/store.ts';
import { listenerFacts } from '../support/listener-facts.ts';

afterAll(removeHomes);

const base64 = (text: string): string => Buffer.from(text).toString('base64') || '-';
const missing = { program: '', version: '', account: '' };
const offered = { 'listener facts': listenerFacts({ ...missing, manager: 'apt', offer: 'haproxy 3.0.11-1' }) };
const installed = `installed ${base64('HAProxy version 3.0.11')}`;
const refused = `failed ${base64('validate')} ${base64('[ALERT] no')}`;

async function setup(answers: Readonly<Record<string, string | readonly string[]>>) {
  const place = await documentPlace();
  const phases: string[] = [];
  const facts = { os: 'ID=debian' };
  const setting = { outputs: offered, answers, facts, onChange: (phase: string) => phases.push(phase) };
  const run = await place.run(['setup', 'root@h9', '--listener', 'haproxy', '--install', '--yes'], {}, setting);
  const [error] = run.json.result?.hosts?.map(({ error }: { error: unknown }) => error) ?? [];
  return { ...run, phases, error: error ?? run.json.error };
}

test('an installation holds the lock of the host, a failed change frees it, and says what became of the packages', async () => {
  const { error, phases } = await setup({
    ...{ hold: 'held', packages: [installed, `purged - ${base64('haproxy')}`], apply: refused },
  });
  expect(phases).toEqual(['hold', 'packages', 'apply', 'undo', 'packages']);
  expect(error.message).toSay('listener-refuses-configuration');
  expect(error.details).toEqual(
    expect.arrayContaining([
      expect.toSay('packages-could-not-removed'),
      expect.toSay('remove-them-dpkg-haproxy', '--purge'),
      expect.toSay('then-their-list-rm', '/var/lib/docker-tls/listener-packages'),
    ]),
  );
  const locked = await setup({ hold: `locked ${base64('who=eve\nexpires=1150\n')} ${base64('1120')}` });
  expect([locked.phases, locked.error.code]).toEqual([['hold', 'undo'], 'E_HOST_LOCKED']);
});

test.each([
  ['', 'purged - -', expect.toSay('was-removed', 'HAProxy')],
  ['that others need', `purged ${base64('haproxy')} -`, expect.toSay('stay-for-others', 'haproxy')],
  ['in use', `used ${base64('haproxy.service runs')}`, expect.toSay('stays-in-use', 'haproxy.service runs')],
])('after a failed change: packages %s', async (_, answer, words) => {
  const { error } = await setup({ hold: 'held', packages: [installed, answer], apply: refused });
  expect(error.details.at(-1)).toEqual(words);
});

test('an installation that failed is taken away again only where the host says so', async () => {
  const failed = async (left: string) =>
    (await setup({ hold: 'held', packages: `uninstalled ${base64('no space')} ${base64(left)}` })).error;
  expect(await failed('')).toMatchObject({
    message: expect.toSay('taken-away-again'),
    details: ['no space'],
  });
  const left = await failed('haproxy\nlua; reboot');
  expect(left.message).toSay('packages-may-still-haproxy');
  expect(left.hints).toEqual(expect.arrayContaining([expect.toSay('remove-them-dpkg-haproxy', '--purge')]));
  const silent = await setup({ hold: 'held', packages: 'nothing' });
  expect(silent.error.message).toSay('may-still-haproxy');
});

test('the hint is a whole command: as typed with --install, and apply --install for a host that has HAProxy as its listener', async () => {
  const place = await documentPlace();
  const outputs = { 'listener facts': listenerFacts(missing) };
  const hints = async (...argv: string[]) => {
    const { json } = await place.run([...argv, '--dry-run'], {}, { outputs });
    return JSON.stringify(json);
  };
  expect(await hints('socket', 'add', 'ci', 'root@h9', '--role', 'monitor')).toContain(
    '"docker-tls socket add ci root@h9 --role monitor --dry-run --json --install"',
  );
  expect(await hints('setup', 'root@h9', '--listener', 'haproxy')).toContain(
    '"docker-tls setup root@h9 --listener haproxy --dry-run --json --install"',
  );
  expect(await hints('setup', 'h1', '--listener', 'haproxy')).toContain(
    '"docker-tls setup h1 --listener haproxy --dry-run --json --install"',
  );
  // Not every command that changes a host has --install.
  const store = openStore(place.home);
  const h1 = (await store.read()).hosts.get('h1') as StoredHost;
  const record = { ...h1.record, listener: 'haproxy' } as const;
  await store.withLock('test', () => store.write({ hosts: { h1: { ...h1, record } } }));
  expect(await hints('rotate', 'server', 'h1')).toContain('"docker-tls apply h1 --install"');
});

test('--install concerns hosts with such a listener alone, and a host that socket add sets up', async () => {
  const place = await documentPlace();
  const run = (...argv: string[]) => place.run([...argv, '--install', '--dry-run'], {}, { outputs: offered, facts });
  const facts = { os: 'ID=debian' };
  const [dockerd] = (await run('apply', 'h1')).json.result.hosts;
  expect(dockerd.plan.warnings).toEqual([]);
  const [added] = (await run('socket', 'add', 'ci', 'root@h9')).json.result.hosts;
  expect(added.plan.listener.installs).toEqual(['haproxy']);
});

test('a socket is named by its path once it is there, also with a daemon of a user', () => {
  const changed = (more: object, ssh: object = {}) =>
    ({
      wanted: { hosts: [{ spec: { name: 'h9', ssh } }] },
      results: [{ kind: 'done' }],
      ...more,
    }) as unknown as Changed;
  expect(madeSocket(changed({}), 'ci')).toBe('/run/docker-tls/ci.sock');
  expect(madeSocket(changed({}, { rootless: true }), 'ci')).toBe('$XDG_RUNTIME_DIR/docker-tls/ci.sock');
  expect(madeSocket(changed({ planned: {} }), 'ci')).toBeUndefined();
  expect(madeSocket(changed({ results: [{ kind: 'failed' }] }), 'ci')).toBeUndefined();
});

test('setup without a port: no context, no client, no port that answers, and the default client of this computer stays', async () => {
  const place = await documentPlace();
  const own = async () => [...(await openStore(place.home).read()).clients.values()].filter(({ record }) => record.own);
  await place.run(['client', 'use', 'laptop']);
  expect((await own()).map(({ record }) => record.name)).toEqual(['laptop']);
  const answer = (name: string, content: string) => ({ name, content: Buffer.from(content) });
  const refused = '{"message":"docker-tls: socket ci has the role read, which does not allow it"}';
  const sockets = (status: number) =>
    printSections('listener', [
      answer(`api ${status} http://docker/_ping`, 'OK'),
      answer('api 403 http://docker/configs/docker-tls', refused),
      answer('ci', ''),
      answer('done', ''),
    ]);
  // Only whether the ports are closed is asked.
  const dialled = new Set<number>();
  const probe: Probe = async ({ port }) => {
    dialled.add(port);
    return { kind: 'refused', cause: 'connection-refused', reason: 'nothing listens', chain: '', elapsedMs: 1 };
  };
  const setup = ['setup', 'root@h9', '--listener', 'haproxy', '--listen', 'none', '--socket', 'ci read', '--yes'];
  const run = (status: number, ...more: string[]) => {
    const outputs = { 'listener facts': listenerFacts(), sockets: sockets(status) };
    return place.run([...setup, ...more], { probe }, { outputs });
  };
  // Nothing of the network explains a socket that does not answer.
  const silent = JSON.stringify((await run(503)).json);
  expect(silent).toContain('journalctl');
  expect(silent).not.toMatch(/--port|openssl/);
  const made = await run(200);
  expect([made.exit, made.json.result?.checks?.length], made.out).toEqual([0, 4]);
  expect([...dialled]).toEqual([2375, 2376]);
  expect(made.json.result).not.toHaveProperty('endpoint');
  expect(made.json.result).not.toHaveProperty('port');
  expect(made.json.result).not.toHaveProperty('client');
  expect(made.json.result).not.toHaveProperty('context');
  const next = useCommands(completeHost({ name: 'h9', ssh: { destination: 'h9' }, listen: ['none'] }), undefined, {
    docker: 'docker',
    env: {},
  });
  expect(next).toEqual(['docker-tls status']);
  expect((await own()).map(({ record }) => record.name)).toEqual(['laptop']);
});
