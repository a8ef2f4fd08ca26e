/** Sockets for programs on a host: what a change does to those that nobody listens on, and whom that stops. */

import { describe, expect, test } from 'vitest';
import { LISTENER_SERVICE } from '../../../src/core/domain/dockerd/paths.ts';
import type { DesiredHost } from '../../../src/core/domain/plan/desired.ts';
import type { DesiredListener } from '../../../src/core/domain/plan/listener.ts';
import { planHost } from '../../../src/core/domain/plan/plan-host.ts';
import { planRestore } from '../../../src/core/domain/plan/plan-restore.ts';
import { deadSockets, inactiveWarnings, inactivityOf } from '../../../src/core/domain/plan/program-sockets.ts';
import { renderTransaction } from '../../../src/core/domain/plan/transaction.ts';
import { completeHost } from '../../../src/core/domain/settings.ts';
import { keptOf, writeKept } from '../../../src/core/domain/settings-stored.ts';
import { certificateIds } from '../../../src/core/domain/trust/ca-id.ts';
import { desired, factsOf, sent } from '../../support/host-facts.ts';

const STATE = '/var/lib/docker-tls';
const CERT = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n';
const LISTS = '/etc/docker/tls/lists';
const LOGIN = { destination: 'h1', user: 'root' };
const SOCKETS = ['ab read', 'ci read'];

const SPEC = completeHost({ name: 'h1', ssh: { destination: 'h1' }, sockets: SOCKETS });

const listener = (text = 'clients\n', names: readonly string[] = ['ab', 'ci']): DesiredListener => ({
  title: 'Front',
  unit: `[Service]\n# ${names.join(' ')}\n`,
  files: new Map([[LISTS, text]]),
  local: { names },
  active: true,
  packages: [],
  check: () => 'check',
  cut: () => 'cut',
});

const [id = ''] = certificateIds(CERT);
const same = { trust: [id], certificate: { keep: [id] }, key: 'keep' } as const;
const wanted: DesiredHost = { ...desired, credentials: same, sockets: SOCKETS, listener: listener() };

/** One block of systemctl for each socket; `words`: its state. */
const states = (sockets: Readonly<Record<string, string>>) =>
  Object.entries(sockets)
    .map(([name, words]) => `Id=docker-tls-role@${name}.socket\n${words.replaceAll(' ', '\n')}`)
    .join('\n\n');

const ACTIVE = 'LoadState=loaded ActiveState=active UnitFileState=enabled';
const MASKED = 'LoadState=masked ActiveState=inactive UnitFileState=masked';
const STOPPED = 'LoadState=loaded ActiveState=inactive UnitFileState=enabled';

/** Facts of a host that has the two sockets. `ci`: the state of the second one's unit. */
function hostWith(ci: string, at = '') {
  const first = planHost(factsOf(), wanted);
  const files = first.files.map(({ kind, path, after, to, mode }) => [
    `file:${path}`,
    kind === 'link' ? `link 777 0:0\n${to}` : `file ${mode.slice(1)} 0:0\n${after}`,
  ]);
  const settings = writeKept(keptOf(SPEC));
  const generations = [{ number: 1, at: '2026-06-01T12:00:00Z', by: 'me', reason: 'test', settings }];
  const state = { schema: 1, name: 'h1', generation: 1, generations, managed: first.managed };
  const credentials = ['ca.pem', 'server-cert.pem'].flatMap((name) =>
    ['1', 'current'].map((directory) => [`file:/etc/docker/tls/${directory}/${name}`, `file 444 0:0\n${CERT}`]),
  );
  return factsOf({
    ...Object.fromEntries([...files, ...credentials]),
    'tls-socket': 'LoadState=loaded\nActiveState=active',
    modes: 'f 400 0:0\0/etc/docker/tls/current/server-key.pem\0d 700 0:0\0/etc/docker/tls/1\0',
    'program-sockets': states({ ab: ACTIVE, ci }),
    'program-paths': `ab socket\n${at}`,
    [`file:${STATE}/state.json`]: `file 600 0:0\n${JSON.stringify(state)}`,
    [`file:${STATE}/generations/1/manifest`]: `file 600 0:0\n1\tfile\t644\t0:0\t/etc/systemd/system/${LISTENER_SERVICE}\n2\tfile\t644\t0:0\t${LISTS}\n`,
    [`file:${STATE}/generations/1/1`]: `file 644 0:0\n${listener().unit}`,
    [`file:${STATE}/generations/1/2`]: 'file 644 0:0\nearlier\n',
    [`file:${STATE}/origin/manifest`]: `file 600 0:0\n${first.managed.map(({ path }, at) => `${at + 1}\tabsent\t-\t-\t${path}\n`).join('')}`,
  });
}

const masked = hostWith(MASKED);
const plan = (more: Partial<DesiredHost>, facts = masked) => planHost(facts, { ...wanted, ...more }).listener;

test('a host whose sockets listen is left alone', () => {
  const facts = hostWith(ACTIVE, 'ci socket');
  expect(plan({ startSockets: true }, facts)).toMatchObject({ action: 'none', inactive: [] });
});

describe('a inactive socket', () => {
  test('does not turn another change into a restart, and need not listen after it', () => {
    const renewed = {
      trust: [id],
      certificate: { issue: { names: [], keyType: 'p256', days: 1, reason: 'x' } },
    } as const;
    const rotation = { credentials: { ...renewed, key: 'send' } } as const;
    expect(plan(rotation)).toMatchObject({ action: 'reload', inactive: ['ci'] });
    // Also if the whole host is to be brought in line.
    expect(plan({ ...rotation, startSockets: true })).toMatchObject({ action: 'reload', inactive: ['ci'] });
    expect(plan({ listener: listener('fewer\n') })).toMatchObject({ action: 'reload', inactive: ['ci'], cut: 'cut' });
    expect(plan({ port: 99 })).toMatchObject({ action: 'restart', inactive: ['ci'] });
    expect(plan({ listener: { ...listener(), active: false } })).toMatchObject({ action: 'start', inactive: ['ci'] });
  });

  test('is started by a change that has nothing else to do, and is for the whole host', () => {
    expect(plan({ startSockets: true })).toMatchObject({
      ...{ action: 'restart', reason: expect.toSay('not-active', 'ci'), inactive: [] },
    });
    expect(plan({})).toMatchObject({ action: 'none', inactive: ['ci'] });
    const extras = [{ kind: 'file', path: '/etc/x', mode: '644', content: 'x', reason: 'x' }] as const;
    expect(plan({ startSockets: true, extras })).toMatchObject({ action: 'none', inactive: ['ci'] });
  });

  test('has to listen after a change that adds it, or gives it another role', () => {
    expect(plan({ sockets: ['ab read', 'ci monitor'], listener: listener('others\n') })).toMatchObject({
      ...{ action: 'restart', inactive: [] },
    });
    const more = { sockets: [...SOCKETS, 'new read'], listener: listener('more\n', ['ab', 'ci', 'new']) };
    expect(plan(more)).toMatchObject({ action: 'restart', inactive: ['ci'] });
  });

  test('is no obstacle to a rollback, unless that gives it another role', () => {
    const restored = (sockets: readonly string[]) => planRestore(masked, 1, { ...wanted, sockets }).listener;
    expect(restored(SOCKETS)).toMatchObject({ action: 'restart', inactive: ['ci'] });
    expect(restored(['ci monitor']).inactive).toEqual([]);
    expect(planRestore(masked, 'none', wanted).listener).toMatchObject({ action: 'stop', inactive: [] });
  });

  test('is named to the host by its unit', () => {
    const change = planHost(masked, { ...wanted, listener: listener('fewer\n') });
    const options = {
      id: 'a1',
      who: 'me',
      now: new Date(0),
      confirmWithin: 90,
      keep: 5,
      reason: 'test',
      settings: keptOf(SPEC),
    };
    const { script } = renderTransaction(change, masked, sent, options);
    expect(script).toContain('INACTIVE_SOCKETS=docker-tls-role@ci.socket');
    expect(script).toContain(LISTENER_SERVICE);
  });
});

describe('what keeps a socket from listening is named, with a command', () => {
  test.each([
    ['a mask', MASKED, '', 'ssh root@h1 systemctl unmask docker-tls-role@ci.socket'],
    ['a mask until the next boot', `${MASKED}-runtime`, '', 'unmask --runtime docker-tls-role@ci.socket'],
    ['a directory with files', STOPPED, 'ci directory', 'mv /run/docker-tls/ci.sock /run/docker-tls/ci.sock.old'],
    ['a link in place of the directory', ACTIVE, 'ci linked', 'rm /run/docker-tls'],
    [
      'a unit that systemd cannot read',
      'LoadState=bad-setting ActiveState=inactive',
      '',
      'cat docker-tls-role@ci.socket',
    ],
  ])('%s', (_, state, at, command) => {
    const facts = hostWith(state, at);
    const { inactive } = plan({}, facts);
    expect(inactive).toEqual(['ci']);
    const [warning = '', ...more] = inactiveWarnings({ inactive }, facts, 'h1', LOGIN);
    expect([warning, more]).toEqual([expect.toSay('not-active-before', 'ci', command), []]);
    expect(warning).toMatch(/ && docker-tls apply h1$/);
    // A restart would end streams, and change nothing.
    const [problem, ...others] = deadSockets(plan({ startSockets: true }, facts), facts, SPEC, LOGIN);
    expect([problem?.code, problem?.exit, others]).toEqual(['E_APPLY', 4, []]);
    expect(problem?.hints).toEqual([expect.stringContaining(command), 'docker-tls apply h1']);
    expect(deadSockets({ action: 'reload', inactive }, facts, SPEC, LOGIN)).toEqual([]);
  });

  test('a stopped unit and a deleted file may come back by a start', () => {
    for (const [state, at] of [
      [STOPPED, ''],
      [ACTIVE, ''],
    ] as const) {
      const facts = hostWith(state, at);
      expect(inactivityOf(facts, 'ci', LOGIN)).toMatchObject({ stays: false, commands: [] });
      expect(deadSockets(plan({ startSockets: true }, facts), facts, SPEC, LOGIN)).toEqual([]);
    }
  });

  test('a new socket that something stands in the way of is refused', () => {
    const facts = factsOf({ 'program-sockets': states({ ci: STOPPED }), 'program-paths': 'ci directory' });
    const next = planHost(facts, { ...wanted, sockets: ['ci read'], listener: listener('x', ['ci']) });
    const spec = { name: 'h1', sockets: ['ci read'] };
    expect(deadSockets(next.listener, facts, spec, LOGIN).map(({ code }) => code)).toEqual(['E_APPLY']);
  });
});
