/** Sockets for programs on a host: what a change does to those that nobody listens on, and whom that stops. */

import { describe, expect, onTestFinished, test } from 'vitest';
import type { StoreState } from '../../../../src/core/adapters/store/records.ts';
import { LISTENER_SERVICE, SYSTEM_PLACES } from '../../../../src/core/domain/dockerd/paths.ts';
import { PARTS } from '../../../../src/core/domain/plan/change-parts.ts';
import type { DesiredHost } from '../../../../src/core/domain/plan/desired.ts';
import { textFile } from '../../../../src/core/domain/plan/file-change.ts';
import { renderTransaction } from '../../../../src/core/domain/plan/transaction.ts';
import { CA_DEFAULTS, CLIENT_DEFAULTS, completeHost } from '../../../../src/core/domain/settings.ts';
import { keptOf, writeKept } from '../../../../src/core/domain/settings-stored.ts';
import { certificateIds } from '../../../../src/core/domain/trust/ca-id.ts';
import { type ApplyRequest, hostsIntent } from '../../../../src/core/domain/trust/wanted-hosts.ts';
import type { HaproxyListener } from '../../../../src/features/haproxy/domain/plan-listener.ts';
import {
  inactivityOf,
  mountedRoleSockets,
  unstartableSockets,
} from '../../../../src/features/haproxy/domain/program-sockets.ts';
import { LISTENER_PARTS } from '../../../../src/features/haproxy/engine/change-parts.ts';
import { desired, factsOf, sent } from '../../../support/host-facts.ts';
import { runIn } from '../../../support/module-shell.ts';
import { LOGIN, planWith, restoreWith } from '../support/opened-listener.ts';

const STATE = '/var/lib/docker-tls';
const CERT = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n';
const LISTS = '/etc/docker/tls/lists';
const SOCKETS = ['ab read', 'ci read'];

const NO_STORE: StoreState = { hosts: new Map(), clients: new Map(), issuers: new Map(), oldCas: [] };
const SPEC = completeHost({ name: 'h1', ssh: { destination: 'h1' }, sockets: SOCKETS });

const listener = (text = 'clients\n', names: readonly string[] = ['ab', 'ci']): HaproxyListener => ({
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
const wanted: DesiredHost = { ...desired, credentials: same };

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
  const first = planWith(factsOf(), wanted, listener(), { sockets: SOCKETS });
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
type Wanted = Partial<Omit<DesiredHost, 'listener'>> & {
  readonly sockets?: readonly string[];
  readonly startSockets?: boolean;
  readonly listener?: HaproxyListener;
};
const plan = ({ sockets = SOCKETS, startSockets, listener: front = listener(), ...more }: Wanted, facts = masked) =>
  planWith(facts, { ...wanted, ...more }, front, { sockets, startSockets }).listener;

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
    expect(plan(rotation)).toMatchObject({ action: 'reload', inactive: [{ name: 'ci' }] });
    // Also if the whole host is to be brought in line.
    expect(plan({ ...rotation, startSockets: true })).toMatchObject({ action: 'reload', inactive: [{ name: 'ci' }] });
    expect(plan({ listener: listener('fewer\n') })).toMatchObject({
      action: 'reload',
      inactive: [{ name: 'ci' }],
      cut: 'cut',
    });
    expect(plan({ port: 99 })).toMatchObject({ action: 'restart', inactive: [{ name: 'ci' }] });
    expect(plan({ listener: { ...listener(), active: false } })).toMatchObject({
      action: 'start',
      inactive: [{ name: 'ci' }],
    });
  });

  test('is started by a change that has nothing else to do, and is for the whole host', () => {
    const stopped = hostWith(STOPPED);
    const planned = (reason: ApplyRequest['reason'], more: Wanted = {}) => {
      const client = { spec: { ...CLIENT_DEFAULTS, name: 'me' }, named: false };
      const { target } = hostsIntent({ reason, hosts: [SPEC], ca: CA_DEFAULTS, client }).want(NO_STORE, new Date());
      if (target.kind !== 'desired') throw new Error(target.kind);
      return plan({ ...more, startSockets: target.startSockets }, stopped);
    };
    expect(planned('apply')).toMatchObject({
      ...{ action: 'restart', reason: expect.toSay('not-active', 'ci'), inactive: [] },
    });
    expect(planned('harden')).toMatchObject({ action: 'none', inactive: [{ name: 'ci' }] });
    expect(plan({}, stopped)).toMatchObject({ action: 'none', inactive: [{ name: 'ci' }] });
    const extras = [textFile('/etc/x', 'x')];
    expect(planned('apply', { extras })).toMatchObject({ action: 'none', inactive: [{ name: 'ci' }] });
  });

  test('is only one that systemd has told of: without its facts, a socket has to listen', async () => {
    expect(plan({}, hostWith(''))).toMatchObject({ action: 'restart', inactive: [] });
    const silent = { ...masked, texts: new Map() };
    expect(plan({}, silent)).toMatchObject({ action: 'restart', inactive: [] });
    expect((await restoreWith(silent, 1, wanted, SOCKETS)).plan.listener.inactive).toEqual([]);
  });

  test('has to listen after a change that adds it, or gives it another role', () => {
    expect(plan({ sockets: ['ab read', 'ci monitor'], listener: listener('others\n') })).toMatchObject({
      ...{ action: 'restart', inactive: [] },
    });
    const more = { sockets: [...SOCKETS, 'new read'], listener: listener('more\n', ['ab', 'ci', 'new']) };
    expect(plan(more)).toMatchObject({ action: 'restart', inactive: [{ name: 'ci' }] });
  });

  test('is no obstacle to a rollback, unless that gives it another role', async () => {
    const restored = async (sockets: readonly string[]) => {
      const { plan, problems } = await restoreWith(masked, 1, wanted, sockets);
      return { ...plan.listener, codes: problems.map(({ code }) => code), warnings: plan.warnings };
    };
    const same = await restored(SOCKETS);
    expect(same).toMatchObject({ action: 'restart', inactive: [{ name: 'ci', who: 'socket ci' }], codes: [] });
    expect(same.warnings).toEqual(same.inactive.map(({ warning }) => warning));
    expect(await restored(['ci monitor'])).toMatchObject({ inactive: [], codes: ['E_APPLY'] });
    const { plan } = await restoreWith(masked, 'none', wanted, SOCKETS);
    expect(plan.listener).toMatchObject({ action: 'stop', inactive: [] });
  });

  test('is named to the host by its unit, beside the unit of the listener and what cuts off clients', () => {
    PARTS.push(...LISTENER_PARTS);
    onTestFinished(() => void PARTS.splice(-LISTENER_PARTS.length));
    const front = { ...listener('fewer\n'), cut: () => "cut 'them'" };
    const change = planWith(masked, wanted, front, { sockets: SOCKETS });
    const about = { id: 'a1', who: 'me', now: new Date(0), confirmWithin: 90, keep: 5, reason: 'test' };
    const { script } = renderTransaction(change, masked, sent, { ...about, settings: keptOf(SPEC) });
    const settings = script.slice(script.indexOf('\nSETTINGS='), script.indexOf('\nMANIFEST='));
    const shown = 'eval "$SETTINGS"; printf "%s\\n" "$LISTENER" "$LISTENER_CUT" "$INACTIVE_SOCKETS"';
    expect(runIn('dash', `${settings}\n${shown}`).trimEnd().split('\n')).toEqual([
      ...[LISTENER_SERVICE, "cut 'them'", 'docker-tls-role@ci.socket'],
    ]);
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
    expect([action, inactive]).toEqual(['none', [{ name: 'ci', who: 'socket ci', warning: said(command) }]]);
    expect(unstartableSockets({ action, inactive }, facts, SPEC, LOGIN)).toEqual([]);
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
    expect(next).toMatchObject({
      action: 'restart',
      inactive: [{ name: 'ci' }],
      reason: expect.toSay('not-active', 'ab'),
    });
    expect(unstartableSockets(next, facts, SPEC, LOGIN)).toEqual([]);
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
    const sockets = ['ci read'];
    const next = plan({ sockets, listener: listener('x', ['ci']) }, facts);
    const spec = { name: 'h1', sockets };
    expect(unstartableSockets(next, facts, spec, LOGIN).map(({ code }) => code)).toEqual(['E_APPLY']);
  });
});

test('a container that has one of our sockets mounted is named when that goes away, or when the unit of all changes', () => {
  const containers = (source: string) =>
    JSON.stringify([{ Id: 'abc', Names: ['/ci'], Mounts: [{ Type: 'bind', Source: source }] }]);
  const { units } = SYSTEM_PLACES;
  const at = `${units}/docker-tls-role@.socket`;
  const there = { [`file:${at}`]: 'file 644 0:0\nx' };
  const words = (source: string, file: { path: string; kind: 'file' | 'absent' }, more = {}) =>
    mountedRoleSockets(factsOf({ containers: containers(source), ...more }), [file]).join();
  const template = { path: at, kind: 'file' } as const;
  const said = expect.toSay('sockets-made-anew', '/run/docker-tls', 'ci');
  expect(words('/run/docker-tls/a.sock', template, there)).toEqual(said);
  expect(words('/var/run/docker-tls/a.sock', template, there)).toEqual(said);
  expect(words('/run/docker-tls', template, there), 'a mounted directory shows the new ones').toBe('');
  expect(words('/run/docker-tls/a.sock', template), 'no socket was there').toBe('');
  const gone = (name: string) =>
    ({ path: `${units}/sockets.target.wants/docker-tls-role@${name}.socket`, kind: 'absent' }) as const;
  expect(words('/run/docker-tls/a.sock', gone('a'), there)).toSay('socket-goes-away', '/run/docker-tls/a.sock', 'ci');
  expect(words('/run/docker-tls/a.sock', gone('b'), there), 'another stays').toBe('');
});
