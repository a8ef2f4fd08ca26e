/** Settings that the running daemon has not read yet: reported ones, and harmless ones. */

import { describe, expect, test } from 'vitest';
import { planHost } from '../../../src/core/domain/plan/plan-host.ts';
import { unreadProblem, unreadSettings } from '../../../src/core/domain/plan/unread-settings.ts';
import { desired, factsOf, UNIT } from '../../support/host-facts.ts';

const JSON_FILE = '/etc/docker/daemon.json';
const INFO = {
  ...{ ID: 'x', ServerVersion: '26.1.5', Driver: 'overlay2', DockerRootDir: '/srv/docker/1000.1000' },
  ...{ LoggingDriver: 'json-file', DefaultRuntime: 'runc', Plugins: { Log: ['json-file'], Authorization: ['opa'] } },
  SecurityOptions: ['name=apparmor', 'name=seccomp,profile=/etc/docker/own.json'],
};

function edited(json: object, more: Readonly<Record<string, string>> = {}) {
  return factsOf({
    [`file:${JSON_FILE}`]: `file 644 0:0\n${JSON.stringify(json)}`,
    edited: JSON_FILE,
    info: JSON.stringify(INFO),
    ...more,
  });
}

describe('of daemon.json, edited after the start of the daemon', () => {
  test.each([
    { 'seccomp-profile': '/missing.json' },
    { 'storage-driver': 'btrfs' },
    { 'data-root': '/elsewhere' },
    { 'authorization-plugins': ['missing'] },
    { bip: '10.0.0.1/24' },
  ])('%j is named', (json) => {
    const [key] = Object.keys(json);
    expect(unreadSettings(edited(json))).toEqual([`"${key}" in ${JSON_FILE}`]);
    // Without information about edits, the file counts as unchanged since the daemon's start.
    expect(unreadSettings(edited(json, { edited: '' }))).toEqual([]);
    expect(unreadSettings(edited(json, { unit: 'LoadState=loaded\nActiveState=inactive' }))).toEqual([]);
  });

  test('what the daemon itself says that it runs with is no alarm, nor is what cannot keep it from starting', () => {
    const same = {
      ...{ 'seccomp-profile': '/etc/docker/own.json', 'storage-driver': 'overlay2', 'data-root': '/srv/docker/' },
      ...{ 'authorization-plugins': ['opa'], 'default-runtime': 'runc', 'log-driver': 'json-file' },
      ...{ 'live-restore': true, labels: ['a=b'], debug: true },
    };
    expect(unreadSettings(edited(same))).toEqual([]);
  });

  test('one that has read it anew since is believed, but for what it says otherwise', () => {
    const reload = { 'api 200 /events?since=1&until=2': '{"Type":"daemon","Action":"reload"}' };
    expect(unreadSettings(edited({ bip: '10.0.0.1/24', labels: ['a=b'] }, reload))).toEqual([]);
    expect(unreadSettings(edited({ 'data-root': '/elsewhere' }, reload))).toEqual([`"data-root" in ${JSON_FILE}`]);
  });

  test('what the last change has put there was read', () => {
    const state = '/var/lib/docker-tls';
    const ours = {
      [`file:${state}/state.json`]: `file 600 0:0\n${JSON.stringify({ schema: 1, name: 'h1', generation: 2, generations: [], managed: [{ kind: 'file', path: JSON_FILE }] })}`,
      [`file:${state}/generations/2/manifest`]: `file 600 0:0\n1\tfile\t644\t0:0\t${JSON_FILE}\n`,
      [`file:${state}/generations/2/1`]: 'file 644 0:0\n{"icc": false, "userland-proxy": false}',
    };
    expect(unreadSettings(edited({ icc: false, 'userland-proxy': false }, ours))).toEqual([]);
    expect(unreadSettings(edited({ icc: false, 'userland-proxy': true }, ours))).toEqual([
      `"userland-proxy" in ${JSON_FILE}`,
    ]);
  });
});

describe('of the command line', () => {
  const runs = (...flags: readonly string[]) => ({ cmdline: ['/usr/sbin/dockerd', ...flags].join('\n') });
  const options = (text: string) => ({ 'file:/etc/default/docker': `file 644 0:0\nDOCKER_OPTS=${text}\n` });

  test('flags that the running daemon does not have are named', () => {
    const facts = factsOf({ ...runs('-H', 'fd://', '--bip=1.2.3.4/8'), ...options('"--seccomp-profile=/x -s btrfs"') });
    expect(unreadSettings(facts)).toEqual(['--seccomp-profile', '--storage-driver']);
  });

  test('also in another spelling those that it has are no alarm, nor are TLS, listeners and what systemd fills in', () => {
    const facts = factsOf({
      ...runs('-H', 'fd://', '-sbtrfs', '--log-opt', 'a=b', '--data-root', '/srv/h1', '--tlsverify'),
      ...options('"-H tcp://:1 --tlscert /x --storage-driver btrfs --log-opt=a=b -l debug"'),
      [`file:${UNIT}`]:
        'file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd -H fd:// --data-root=/srv/%H $DOCKER_OPTS\n',
    });
    expect(unreadSettings(facts)).toEqual([]);
  });

  test('no restart reads a line that our drop-in has replaced', () => {
    const more = { ...runs('-H', 'fd://'), ...options('--bip=1.2.3.4/8') };
    const unit = { [`file:${UNIT}`]: 'file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd --mtu 9 $DOCKER_OPTS\n' };
    const ours = { 'drop-ins': '/etc/systemd/system/docker.service.d/zz-docker-tls.conf' };
    expect(unreadSettings(factsOf({ ...more, ...unit }))).toEqual(['--mtu', '--bip']);
    expect(unreadSettings(factsOf({ ...more, ...unit, ...ours }))).toEqual(['--bip']);
  });
});

test('a change that restarts the daemon is refused, with the two ways out', () => {
  const facts = edited({ 'seccomp-profile': '/missing.json' });
  const plan = planHost(facts, desired);
  const problem = (more = plan) => unreadProblem('h1', { destination: 'h1', terminal: true } as never, facts, more);
  expect(problem()).toMatchObject([
    {
      code: 'E_SETTINGS_UNREAD',
      message: expect.stringContaining(`"seccomp-profile" in ${JSON_FILE}`),
      hints: [
        expect.stringContaining('--validate --config-file /etc/docker/daemon.json'),
        expect.stringContaining('systemctl restart docker.service'),
        expect.stringContaining('--allow-unread-settings'),
      ],
    },
  ]);
  expect(problem({ ...plan, daemon: { action: 'none', reason: '' } })).toEqual([]);
});
