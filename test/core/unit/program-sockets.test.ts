/** Sockets for programs on a host: what a change does to those that nobody listens on, and whom that stops. */

import { describe, expect, test } from 'vitest';
import type { StoreState } from '../../../src/core/adapters/store/records.ts';
import { LISTENER_SERVICE } from '../../../src/core/domain/dockerd/paths.ts';
import type { DesiredHost } from '../../../src/core/domain/plan/desired.ts';
import { textFile } from '../../../src/core/domain/plan/file-change.ts';
import type { DesiredListener } from '../../../src/core/domain/plan/listener.ts';
import { planHost } from '../../../src/core/domain/plan/plan-host.ts';
import { planRestore } from '../../../src/core/domain/plan/plan-restore.ts';
import { inactiveWarnings, inactivityOf, unstartableSockets } from '../../../src/core/domain/plan/program-sockets.ts';
import { CA_DEFAULTS, CLIENT_DEFAULTS, completeHost } from '../../../src/core/domain/settings.ts';
import { keptOf, writeKept } from '../../../src/core/domain/settings-stored.ts';
import { certificateIds } from '../../../src/core/domain/trust/ca-id.ts';
import { type ApplyRequest, hostsIntent } from '../../../src/core/domain/trust/wanted-hosts.ts';
import { desired, factsOf } from '../../support/host-facts.ts';

const STATE = '/var/lib/docker-tls';
const CERT = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n';
const LISTS = '/etc/docker/tls/lists';
const LOGIN = { destination: 'h1', user: 'root' };
const SOCKETS = ['ab read', 'ci read'];

const NO_STORE: StoreState = { hosts: new Map(), clients: new Map(), issuers: new Map(), oldCas: [] };
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
const BROKEN = 'LoadState=bad-setting ActiveState=inactive';

/** Facts of a host that has the two sockets. `ci` and `ab`: the states of their units. */
function hostWith(ci: string, at = '', ab = ACTIVE) {
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
    'program-sockets': states({ ab, ci }),
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

describe('an inactive socket', () => {
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
    const stopped = hostWith(STOPPED);
    const planned = (reason: ApplyRequest['reason'], more: Partial<DesiredHost> = {}) => {
      const client = { spec: { ...CLIENT_DEFAULTS, name: 'me' }, named: false };
      const { target } = hostsIntent({ reason, hosts: [SPEC], ca: CA_DEFAULTS, client }).want(NO_STORE, new Date());
      if (target.kind !== 'desired') throw new Error(target.kind);
      return plan({ ...more, startSockets: target.startSockets }, stopped);
    };
    expect(planned('apply')).toMatchObject({
      ...{ action: 'restart', reason: expect.toSay('not-active', 'ci'), inactive: [] },
    });
    expect(planned('harden')).toMatchObject({ action: 'none', inactive: ['ci'] });
    expect(plan({}, stopped)).toMatchObject({ action: 'none', inactive: ['ci'] });
    const extras = [textFile('/etc/x', 'x')];
    expect(planned('apply', { extras })).toMatchObject({ action: 'none', inactive: ['ci'] });
  });

  test('is only one that systemd has told of: without its facts, a socket has to listen', () => {
    expect(plan({}, hostWith(''))).toMatchObject({ action: 'restart', inactive: [] });
    const silent = { ...masked, programSockets: new Map() };
    expect(plan({}, silent)).toMatchObject({ action: 'restart', inactive: [] });
    expect(planRestore(silent, 1, wanted).listener.inactive).toEqual([]);
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
    const refused = (sockets: readonly string[]) =>
      unstartableSockets(restored(sockets), masked, { name: 'h1', sockets }, LOGIN).map(({ code }) => code);
    expect(restored(SOCKETS)).toMatchObject({ action: 'restart', inactive: ['ci'] });
    expect(refused(SOCKETS)).toEqual([]);
    expect(restored(['ci monitor']).inactive).toEqual([]);
    expect(refused(['ci monitor'])).toEqual(['E_APPLY']);
    expect(planRestore(masked, 'none', wanted).listener).toMatchObject({ action: 'stop', inactive: [] });
  });
});

describe('what keeps a socket from listening is named, with a command', () => {
  const fixed = (command: string) => expect.toSay('not-active-before', 'ci', `${command} && docker-tls apply h1`);
  test.each<[string, string, string, string, (command: string) => unknown]>([
    ['a mask', MASKED, '', 'ssh root@h1 systemctl unmask docker-tls-role@ci.socket', fixed],
    ['a mask until the next boot', `${MASKED}-runtime`, '', 'unmask --runtime docker-tls-role@ci.socket', fixed],
    [
      'a directory with files',
      STOPPED,
      'ci directory',
      'mv /run/docker-tls/ci.sock /run/docker-tls/ci.sock.old',
      fixed,
    ],
    [
      ...(['a link in place of the directory', ACTIVE, 'ci linked', 'rm /run/docker-tls'] as const),
      (command) => expect.toSay('behind-link', 'ci', `${command} && docker-tls apply h1`),
    ],
    [
      ...(['a unit that systemd cannot read', BROKEN, '', 'cat docker-tls-role@ci.socket'] as const),
      // A command that only looks changes nothing that apply could build on.
      (command) => expect.stringMatching(new RegExp(`: .*${command}$`)),
    ],
  ])('%s', (_, state, at, command, said) => {
    const facts = hostWith(state, at);
    // A restart would end streams, and change nothing: a host in sync stays so.
    const { action, inactive } = plan({ startSockets: true }, facts);
    expect([action, inactive]).toEqual(['none', ['ci']]);
    expect(unstartableSockets({ action, inactive }, facts, SPEC, LOGIN)).toEqual([]);
    expect(inactiveWarnings({ inactive }, facts, 'h1', LOGIN)).toEqual([said(command)]);
    // A change of this socket itself is refused.
    const role = { name: 'h1', sockets: ['ab read', 'ci monitor'] };
    const changed = plan({ ...role, listener: listener('others\n') }, facts);
    const [problem, ...others] = unstartableSockets(changed, facts, role, LOGIN);
    expect([problem?.code, problem?.exit, others]).toEqual(['E_APPLY', 4, []]);
    expect(problem?.hints).toEqual([expect.stringContaining(command), 'docker-tls apply h1']);
    expect(unstartableSockets({ action: 'reload', inactive }, facts, SPEC, LOGIN)).toEqual([]);
  });

  test('a restart that starts one socket is not about another one, which is masked', () => {
    const facts = hostWith(MASKED, '', STOPPED);
    const next = plan({ startSockets: true }, facts);
    expect(next).toMatchObject({ action: 'restart', inactive: ['ci'], reason: expect.toSay('not-active', 'ab') });
    expect(unstartableSockets(next, facts, SPEC, LOGIN)).toEqual([]);
  });

  test('after a change, a socket that has answered is not called inactive', () => {
    const warned = (...who: readonly string[]) =>
      inactiveWarnings(
        { inactive: ['ci'] },
        masked,
        'h1',
        LOGIN,
        who.map((one) => ({ who: one })),
      ).length;
    expect([warned(), warned('socket ab', 'socket ci2'), warned('socket ab', 'socket ci')]).toEqual([1, 1, 0]);
  });

  test('a stopped unit and a deleted file may come back by a start', () => {
    for (const [state, at] of [
      [STOPPED, ''],
      [ACTIVE, ''],
    ] as const) {
      const facts = hostWith(state, at);
      expect(inactivityOf(facts, 'ci', LOGIN)).toMatchObject({ needsAdmin: false, commands: [] });
      expect(unstartableSockets(plan({ startSockets: true }, facts), facts, SPEC, LOGIN)).toEqual([]);
    }
  });

  test('a new socket that something stands in the way of is refused', () => {
    const facts = factsOf({ 'program-sockets': states({ ci: STOPPED }), 'program-paths': 'ci directory' });
    const next = planHost(facts, { ...wanted, sockets: ['ci read'], listener: listener('x', ['ci']) });
    const spec = { name: 'h1', sockets: ['ci read'] };
    expect(unstartableSockets(next.listener, facts, spec, LOGIN).map(({ code }) => code)).toEqual(['E_APPLY']);
  });
});
