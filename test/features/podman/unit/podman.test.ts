/** Hosts where Podman serves the API: our socket and service, refusals, and features of dockerd alone. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { kindOf } from '../../../../src/core/domain/plan/host-kind.ts';
import { planHost } from '../../../../src/core/domain/plan/plan-host.ts';
import { planRestore } from '../../../../src/core/domain/plan/plan-restore.ts';
import { preflight, repairHints } from '../../../../src/core/domain/plan/preflight.ts';
import { renderTransaction } from '../../../../src/core/domain/plan/transaction.ts';
import { completeHost, type HostSpec } from '../../../../src/core/domain/settings.ts';
import { keptOf } from '../../../../src/core/domain/settings-stored.ts';
import { problemsOf } from '../../../../src/core/engine/steps/check-host.ts';
import { renderPodmanService, servesTls } from '../../../../src/features/podman/domain/podman-units.ts';
import { desired, FACTS_TIME_MS, factsOf, sent } from '../../../support/host-facts.ts';

const SERVICE = '/etc/systemd/system/docker-tls-podman.service';
const SOCKET = '/etc/systemd/system/docker-tls-podman.socket';

/** A host with Podman and without Docker, before the first change. */
function host(more: Record<string, string | undefined> = {}) {
  return factsOf({
    kind: 'podman',
    unit: 'LoadState=not-found\nActiveState=inactive\nCanStart=no\nCanStop=no',
    'docker-socket': 'LoadState=loaded\nActiveState=active',
    dockerd: '/usr/bin/podman',
    'dockerd-version': 'podman version 5.8.6',
    'environment-files': undefined,
    'api-socket': '',
    info: undefined,
    ...more,
  });
}

function problems(facts = host(), wanted = desired): string[] {
  return preflight({
    host: 'h1',
    login: { destination: 'root@h1' },
    facts,
    skewMs: 0,
    nowMs: FACTS_TIME_MS,
    port: 2376,
    plan: planHost(facts, wanted),
  }).map(({ code, message }) => `${code} ${message}`);
}

describe('the plan', () => {
  test("warns of a TCP port of Podman's own socket, which stays as it is", () => {
    const listens = (active: string) =>
      host({
        'docker-socket': `LoadState=loaded\nActiveState=${active}\nListen=/run/podman/podman.sock (Stream)\nListen=0.0.0.0:2375 (Stream)`,
      });
    expect(planHost(listens('active'), desired).warnings).toEqual([
      expect.toSay('podman-socket-listens-well', '0.0.0.0:2375'),
    ]);
    expect(planHost(listens('inactive'), desired).warnings).toEqual([]);
  });

  test('a socket of ours that systemd holds, and a service that asks clients for a certificate', () => {
    const plan = planHost(host(), desired);
    expect(problems()).toEqual([]);
    expect(plan).toMatchObject({ kind: 'podman', listening: 'systemd', containers: { how: 'untouched' } });
    expect(plan.files.map(({ path }) => path)).toEqual([
      '/etc/docker/tls/current',
      SOCKET,
      '/etc/systemd/system/sockets.target.wants/docker-tls-podman.socket',
      SERVICE,
      '/etc/systemd/system/multi-user.target.wants/docker-tls-podman.service',
    ]);
    const service = plan.files.find(({ path }) => path === SERVICE)?.after ?? '';
    expect(service).toContain(' --tls-client-ca=/etc/docker/tls/current/ca.pem\n');
    // With its own address it would ignore the socket from systemd.
    expect(service).not.toMatch(/tcp:|unix:/);
    expect(plan.files.find(({ path }) => path === SOCKET)?.after).toMatch(/^Service=docker-tls-podman\.service$/m);
  });

  test('nothing is left to do where it is there', () => {
    const text = (path: string) => planHost(host(), desired).files.find((change) => change.path === path)?.after;
    const facts = host({
      unit: `LoadState=loaded\nActiveState=active\nFragmentPath=${SERVICE}\nMainPID=9`,
      'tls-socket': 'LoadState=loaded\nActiveState=active',
      cmdline: '/usr/bin/podman\nsystem\nservice\n--tls-client-ca=/etc/docker/tls/current/ca.pem',
      [`file:${SERVICE}`]: `file 644 0:0\n${text(SERVICE)}`,
      [`file:${SOCKET}`]: `file 644 0:0\n${text(SOCKET)}`,
    });
    const files = planHost(facts, desired).files.map(({ path }) => path);
    expect(files).not.toContain(SERVICE);
    expect(files).not.toContain(SOCKET);
  });

  test('what is dockerd alone has is left out, and that is said; daemon.json is not looked at', () => {
    const facts = host({ 'file:/etc/docker/daemon.json': 'file 644 0:0\nnot JSON' });
    const plan = planHost(facts, { ...desired, liveRestore: true, daemonSettings: { icc: false } });
    expect(plan.warnings.join()).toSay('dockerd-does-not-serve');
    expect(plan.files.map(({ path }) => path)).not.toContain('/etc/docker/daemon.json');
    expect(problems(facts)).toEqual([]);
  });

  test('what to do after a rollback that failed says nothing of daemon.json', () => {
    const hints = repairHints({ destination: 'h1' }, kindOf({ kind: 'podman' })).join();
    expect(hints).toContain('docker-tls-podman.service');
    expect(hints).not.toContain('daemon.json');
  });

  test('remove stops the service, whoever runs a container there and whatever the records say of before', () => {
    const facts = host({
      unit: `LoadState=loaded\nActiveState=active\nFragmentPath=${SERVICE}`,
      'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify({ schema: 1, name: 'h1', generation: 1, generations: [], managed: [{ kind: 'file', path: SERVICE }] })}`,
      'file:/var/lib/docker-tls/origin/manifest': `file 600 0:0\n0\tunit\tactive\t-\tdocker.service\n1\tabsent\t-\t-\t${SERVICE}\n`,
      [`file:${SERVICE}`]: `file 644 0:0\n${renderPodmanService('/usr/bin/podman')}`,
    });
    const plan = planRestore(facts, 'none', { name: 'h1', port: 2376, containers: 'keep' });
    expect(plan).toMatchObject({ daemon: { action: 'stop' }, containers: { how: 'untouched' } });
    expect(plan.files).toMatchObject([{ kind: 'absent', path: SERVICE }]);
  });

  test("the host's scripts get the names of our units, and no socket of Podman's own to touch", () => {
    const options = { id: 'a1', who: 'me', now: new Date(0), confirmWithin: 90, keep: 3, reason: 'test' };
    const facts = host();
    const { script, input } = renderTransaction(planHost(facts, desired), facts, sent, {
      ...options,
      settings: keptOf({ ...desired, sans: [] } as never),
    });
    const text = `${script}\n${Buffer.concat(input.map((part) => Buffer.from(part instanceof Uint8Array ? part : part.reveal()))).toString()}`;
    expect(text).toMatch(/^SERVICE='?docker-tls-podman\.service'?$/m);
    expect(text).toMatch(/^LOCAL_SOCKET=''$/m);
    expect(text).toMatch(/^VALIDATE=''$/m);
  });
});

describe('what is refused', () => {
  test.each([
    ['5.4.2', false],
    ['4.9', false],
    ['5.6.99', false],
    ['5.7.0', true],
    ['5.8.6', true],
    ['6.0.0-rc1', true],
    ['', true],
  ])('TLS by Podman %s: %s', (version, yes) => {
    expect(servesTls(version)).toBe(yes);
    if (version !== '')
      expect(problems(host({ 'dockerd-version': `podman version ${version}` })).join()).toMatch(
        yes ? /^$/ : /^E_PODMAN_OLD/,
      );
  });

  test('an old Podman, before there is a plan, only where no other listener is wanted', () => {
    const early = (listener?: HostSpec['listener']) =>
      problemsOf(
        {
          session: { login: { destination: 'root@h1' } },
          facts: host({ 'dockerd-version': 'podman version 5.4.2' }),
          skewMs: 0,
        } as never,
        { ...completeHost({ name: 'h1', ssh: { destination: 'root@h1' } }), listener },
        new Date(FACTS_TIME_MS),
      ).map(({ code }) => code);
    expect([early(), early('dockerd')]).toEqual([['E_PODMAN_OLD'], ['E_PODMAN_OLD']]);
    expect(early('haproxy')).toEqual([]);
  });

  test('more than one address, since Podman takes one socket', () => {
    expect(problems(host(), { ...desired, listen: ['10.0.0.1', '10.0.0.2'] })).toEqual([
      expect.stringMatching(/^E_PODMAN_LISTEN /),
    ]);
    expect(problems(host(), { ...desired, listen: ['10.0.0.1'] })).toEqual([]);
  });

  test('a service of ours that is masked, or that systemd has not read', () => {
    expect(problems(host({ unit: 'LoadState=masked\nActiveState=inactive' })).join()).toMatch(
      /^E_DOCKER_MASKED docker-tls-podman\.service/,
    );
    expect(problems(host({ unread: `${SERVICE}.d/x.conf` })).join()).toMatch(/^E_UNIT_UNREAD /);
  });
});

test('a Podman that does not answer is not waited for', () => {
  const module = readFileSync(new URL('../../../../src/features/podman/host/facts.sh', import.meta.url), 'utf8');
  const ask = (status: number) =>
    spawnSync('sh', [], {
      input: `say() { :; }; podman() { echo x; }; timeout() { shift; "$@"; return ${status}; }; nonce=n
        ${module.replace('/run/libpod/alive', '/')}\npodman_facts`,
      encoding: 'utf8',
    }).stdout;
  expect(ask(0)).toBe('[x]\n--n api 200 /containers/json\n');
  expect(ask(124)).toBe('');
});
