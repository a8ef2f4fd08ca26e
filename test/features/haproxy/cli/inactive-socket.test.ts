/** A socket for containers that is not active: which changes it fails, and what they say of it. Whole commands against answering hosts. */

import { afterAll, expect, test } from 'vitest';
import { LISTENER_SERVICE } from '../../../../src/core/domain/dockerd/paths.ts';
import { completeHost } from '../../../../src/core/domain/settings.ts';
import { keptOf, writeKept } from '../../../../src/core/domain/settings-stored.ts';
import { printSections } from '../../../support/sections.ts';
import { removeHomes } from '../../../support/store.ts';
import { closedBut, noPortPlace, outputs } from '../support/no-port.ts';

afterAll(removeHomes);

const UNIT = 'docker-tls-role@ci.socket';
const UNIT_FILE = `/etc/systemd/system/${LISTENER_SERVICE}`;
const answers = (...sockets: readonly { readonly name: string; readonly status: string }[]) => ({
  ...outputs,
  sockets: printSections('listener', [
    ...sockets.flatMap(({ name, status }) => [
      { name: `api ${status} /_ping`, content: Buffer.from('OK') },
      { name, content: Buffer.from('') },
    ]),
    { name: 'done', content: Buffer.from('') },
  ]),
});

const around = { name: 'h1', ssh: { destination: 'h1' }, listener: 'haproxy', listen: ['none'] } as const;
const kept = (role: string) => writeKept(keptOf(completeHost({ ...around, sockets: [`ci ${role}`] })));

/** Facts of a host that has had the socket ci, with the role read, and whose unit is masked. `before`: its role in generation 1. */
function masked(before = 'read', files: readonly { kind: string; path: string }[] = []): Record<string, string> {
  const generation = { at: '2026-06-01T12:00:00Z', by: 'me', reason: 'test' };
  const managed = [{ kind: 'link', path: '/etc/docker/tls/current' }, ...files];
  const generations = [before, 'read'].map((role, at) => ({ ...generation, number: at + 1, settings: kept(role) }));
  const state = { schema: 1, name: 'h1', generation: 2, generations, managed };
  return {
    'program-sockets': `Id=${UNIT}\nLoadState=masked\nActiveState=inactive\nUnitFileState=masked`,
    'program-paths': '',
    'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify(state)}`,
  };
}

test('a rotation does not fail, claims no check of it, and names the cause with a command', async () => {
  const place = await noPortPlace();
  const hosts = { outputs: answers({ name: 'ci', status: '000' }), facts: masked() };
  const rotated = await place.run(['rotate', 'server', 'h1', '--yes'], { probe: closedBut() }, hosts);
  expect([rotated.exit, rotated.json.ok], rotated.out).toEqual([0, true]);
  const [host] = rotated.json.result.hosts;
  expect(host.checks.map(({ who }: { who: string }) => who)).not.toContain('socket ci');
  const warning = expect.toSay('masked-before', 'ci', UNIT, `systemctl unmask ${UNIT} && docker-tls apply h1`);
  expect(host.warnings).toEqual([warning]);
  const planned = await place.run(['rotate', 'server', 'h1', '--dry-run'], {}, hosts);
  expect(planned.json.result.hosts[0].plan.warnings).toEqual([warning]);
  // One that answers after the change is active by then.
  const answering = await place.run(['rotate', 'server', 'h1', '--yes'], { probe: closedBut() }, { ...hosts, outputs });
  expect([answering.exit, answering.json.result.hosts[0].warnings], answering.out).toEqual([0, []]);
  // One that was active before has to answer.
  const active = { ...hosts, facts: {} };
  const broken = await place.run(['rotate', 'server', 'h1', '--yes'], { probe: closedBut() }, active);
  expect([broken.exit, broken.json.error?.code], broken.out).toEqual([7, 'E_VERIFY']);
});

test('a change of its role is refused before anything changes, with the cause and a command', async () => {
  const place = await noPortPlace();
  const changes: string[] = [];
  const onChange = (phase: string) => changes.push(phase);
  const hosts = { outputs: answers({ name: 'ci', status: '000' }), facts: masked(), onChange };
  const add = ['socket', 'add', 'ci', 'h1', '--role', 'monitor', '--yes'];
  const refused = await place.run(add, { probe: closedBut() }, hosts);
  expect([refused.exit, refused.json.error?.code, changes], refused.out).toEqual([4, 'E_APPLY', []]);
  expect(refused.json.error?.hints[0]).toContain(`systemctl unmask ${UNIT}`);
});

test('so is a rollback to another role of it', async () => {
  const place = await noPortPlace();
  const changes: string[] = [];
  const unit = { [`file:${UNIT_FILE}`]: 'file 644 0:0\n[Service]\n' };
  const rollback = (before: string) => {
    const hosts = { outputs, facts: { ...masked(before), ...unit }, onChange: (phase: string) => changes.push(phase) };
    return place.run(['rollback', 'h1', '--yes'], { probe: closedBut() }, hosts);
  };
  const refused = await rollback('monitor');
  expect([refused.exit, refused.json.error?.code, changes], refused.out).toEqual([4, 'E_APPLY', []]);
  expect(refused.json.error?.hints[0]).toContain(`systemctl unmask ${UNIT}`);
  const same = await rollback('read');
  expect([same.exit, changes.length > 0], same.out).toEqual([0, true]);
});

test('a host in sync is restarted for a socket that a start can help, and left alone with one that is masked', async () => {
  const place = await noPortPlace();
  const modes = 'f 400 0:0\0/etc/docker/tls/current/server-key.pem\0d 700 0:0\0/etc/docker/tls/2\0';
  const planned = async (facts: Readonly<Record<string, string>>) =>
    (await place.run(['plan', 'h1'], {}, { outputs, facts: { modes, ...facts } })).json.result.hosts[0];
  const all: readonly Record<string, string>[] = (await planned({})).plan.files;
  const files = all.filter(({ path }) => path !== '/etc/docker/tls/current') as { kind: string; path: string }[];
  const written = Object.fromEntries(
    files.map(({ kind, path, after, target, mode, owner }: Record<string, string>) => [
      `file:${path}`,
      kind === 'link' ? `link 777 0:0\n${target}` : `file ${mode?.slice(1)} ${owner}\n${after}`,
    ]),
  );
  const inSync = { ...masked('read', files), ...written };
  const same = await planned(inSync);
  expect([same.changes, same.plan.warnings]).toEqual([false, [expect.stringContaining(`${UNIT} is masked`)]]);
  const stopped = `Id=${UNIT}\nLoadState=loaded\nActiveState=inactive`;
  const started = await planned({ ...inSync, 'program-sockets': stopped });
  expect([started.changes, started.plan.listener.action]).toEqual([true, 'restart']);
});
