/** Obstacles to a change, each from the facts alone, and all at once. */

import { describe, expect, test } from 'vitest';
import { hasChanges, planHost } from '../../../src/core/domain/plan/plan-host.ts';
import { planRestore } from '../../../src/core/domain/plan/plan-restore.ts';
import { preflight, stopProblem } from '../../../src/core/domain/plan/preflight.ts';
import type { DockerTlsError } from '../../../src/errors/errors.ts';
import { desired, factsOf, GOOD_FACTS as good, FACTS_TIME_MS as NOW, UNIT } from '../../support/host-facts.ts';

function problems(more: Readonly<Record<string, string | undefined>>, skewMs = 0): string[] {
  return errors(more, skewMs).map((error) => `${error.code} ${error.message}`);
}

function errors(more: Readonly<Record<string, string | undefined>>, skewMs: number): DockerTlsError[] {
  const facts = factsOf(more);
  const plan = planHost(facts, desired);
  return [
    ...preflight({
      host: 'h1',
      login: { destination: '10.0.0.1', user: 'ops', port: 2222 },
      facts,
      skewMs,
      nowMs: NOW,
      port: 2376,
      plan,
    }),
    ...stopProblem('h1', facts, 'keep', plan),
  ];
}

/** The packaged unit with one more setting. */
function setting(text: string): Record<string, string> {
  return { [`file:${UNIT}`]: `file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd -H fd://\n${text}\n` };
}

const one: Readonly<Record<string, readonly [Readonly<Record<string, string | undefined>>, unknown, number?]>> = {
  'nothing wrong': [{}, ''],
  'no service manager that is known': [{ systemd: '', kind: '' }, expect.stringMatching(/^E_NO_SYSTEMD/)],
  'no docker': [{ dockerd: '', unit: 'LoadState=not-found' }, expect.stringMatching(/^E_NO_DOCKER no dockerd/)],
  'no unit': [{ unit: 'LoadState=not-found' }, expect.toSay('dockerd-but-no-docker', 'E_NO_DOCKER')],
  snap: [
    { dockerd: '', unit: 'LoadState=not-found', snap: '/etc/systemd/system/snap.docker.dockerd.service' },
    expect.stringMatching(/^E_DOCKER_SNAP/),
  ],
  masked: [{ unit: 'LoadState=masked\nActiveState=inactive' }, expect.stringMatching(/^E_DOCKER_MASKED/)],
  'a socket that it needs is masked': [
    { needs: 'Id=docker.socket\nLoadState=masked\nActiveState=active\n\nId=data.mount\nLoadState=loaded' },
    expect.toSay('once-stopped-not-start', 'E_UNIT_NEEDS'),
  ],
  'a unit that it needs is not there': [
    { needs: '\n\nId=gone.service\nLoadState=not-found' },
    expect.toSay('needs-gone-service-not', 'E_UNIT_NEEDS'),
  ],
  'a unit that refuses to be stopped': [
    { unit: `${good.unit}\nCanStart=yes\nCanStop=no` },
    expect.toSay('docker-service-cannot-stopped', 'E_UNIT_NEEDS', 'RefuseManualStop=yes'),
  ],
  'a condition that is not met': [
    { unmet: 'docker.service: ConditionPathExists=/no/such failed.\nConditions failed.' },
    expect.toSay('docker-service-not-met', 'E_UNIT_NEEDS', 'ConditionPathExists=/no/such'),
  ],
  'a file system that cannot be written': [
    { mounts: '/ rw,relatime,rw\n/etc ro,relatime,rw' },
    expect.toSay('mounted-read-only-written', 'E_READ_ONLY', '/etc', '/etc/docker/tls/current'),
  ],
  "a vendor's system": [
    { systemd: '', kind: '', vendor: 'Unraid' },
    expect.toSay('unraid-configures-dockerd-tools', 'E_VENDOR_SYSTEM'),
  ],
  'an old systemd': [{ systemd: 'systemd 235' }, expect.toSay('systemd-too-old', 'E_SYSTEMD_OLD', '235')],
  'neither running nor stopped': [
    { unit: (good.unit as string).replace('=active', '=activating') },
    expect.stringMatching(/^E_DOCKER_BUSY docker\.service is activating/),
  ],
  'a drop-in that systemd has not read': [
    { unread: '/etc/systemd/system/docker.service.d/new.conf' },
    expect.toSay('systemd-not-read-yet', 'E_UNIT_UNREAD', '/etc/systemd/system/docker.service.d/new.conf'),
  ],
  'a setting in daemon.json and in a variable': [
    {
      'file:/etc/default/docker': 'file 644 0:0\n# mine\nDOCKER_OPTS="--debug \\\n --label a=b"\n',
      'file:/etc/docker/daemon.json': 'file 644 0:0\n{ "labels": [] }',
    },
    expect.toSay(
      'set',
      'E_CONFLICT',
      '"labels"',
      '/etc/docker/daemon.json:1',
      '--label',
      'DOCKER_OPTS',
      '/etc/default/docker:2',
    ),
  ],
  'our port, held by another socket unit': [
    {
      listeners: 'LISTEN 0 1 *:2376 *:* users:(("systemd",pid=1,fd=3))',
      sockets: 'Id=tcp.socket\nListen=[::]:2376 (Stream)\nActiveState=active',
    },
    expect.toSay('port-held-tcp-socket', 'E_PORT_TAKEN', '2376'),
  ],
  'failed before': [
    { unit: (good.unit as string).replace('=active', '=failed') },
    expect.stringMatching(/^E_DOCKER_DOWN/),
  ],
  'failed, on a host that docker-tls looks after': [
    {
      unit: (good.unit as string).replace('=active', '=failed'),
      'file:/var/lib/docker-tls/state.json':
        'file 600 0:0\n{ "schema": 1, "name": "h1", "generation": 1, "generations": [], "managed": [] }',
    },
    '',
  ],
  'no iptables, which the next start needs': [
    { programs: '/usr/sbin/runc\n/usr/sbin/docker-proxy' },
    expect.toSay('dockerd-does-not-start', 'E_UNIT_NEEDS'),
  ],
  'no iptables, which nothing needs': [
    {
      programs: '/usr/sbin/runc\n/usr/sbin/docker-proxy',
      'file:/etc/docker/daemon.json': 'file 644 0:0\n{ "iptables": false }',
    },
    '',
  ],
  'no nft, which the other backend of Docker 29 needs': [
    { 'file:/etc/docker/daemon.json': 'file 644 0:0\n{ "firewall-backend": "nftables" }' },
    expect.toSay('dockerd-does-not-start-without', 'E_UNIT_NEEDS'),
  ],
  'no iptables, with nftables in its place': [
    {
      programs: '/usr/sbin/nft\n/usr/sbin/runc\n/usr/sbin/docker-proxy',
      [`file:${UNIT}`]: 'file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd -H fd:// --firewall-backend=nftables\n',
    },
    '',
  ],
  'no runc': [
    { programs: '/usr/sbin/iptables\n/usr/sbin/docker-proxy' },
    expect.stringMatching(/^E_UNIT_NEEDS .* without runc,/),
  ],
  "buildkit's runc alone": [
    { programs: '/usr/sbin/iptables\n/usr/bin/buildkit-runc\n/usr/libexec/docker/docker-proxy' },
    '',
  ],
  'no docker-proxy': [
    { programs: '/usr/sbin/iptables\n/usr/sbin/runc' },
    expect.stringMatching(/^E_UNIT_NEEDS .* without docker-proxy,/),
  ],
  'no docker-proxy, where no version needs it': [
    { programs: '/usr/sbin/iptables\n/usr/sbin/runc', info: '{"ID":"x","ServerVersion":"20.10.24"}' },
    '',
  ],
  'no socket that the daemon has open': [{ 'api-socket': '' }, expect.toSay('socket-file-missing', 'E_DOCKER_SILENT')],
  'a socket on which no answer comes': [
    { info: undefined, 'api 000 /info': '' },
    expect.toSay('but-does-not-answer', 'E_DOCKER_SILENT', '/run/docker.sock'),
  ],
  'an answer that a plugin refuses': [{ info: undefined, 'api 403 /info': '{"message":"denied"}' }, ''],
  'no program to ask with': [{ info: undefined, containers: undefined }, ''],
  'no unix socket at all': [
    {
      'api-socket': '',
      [`file:${UNIT}`]: 'file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd\n',
      'file:/etc/docker/daemon.json': 'file 644 0:0\n{ "hosts": ["tcp://127.0.0.1:2375"] }',
    },
    expect.toSay('dockerd-listens-no-unix', 'E_DOCKER_SILENT'),
  ],
  'less on /run than systemd wants': [
    { 'run-space': 'x\ntmpfs 20000 3617 16383 1% /run' },
    expect.toSay('systemd-reads-no-unit', 'E_DISK_FULL', '16383', '/run'),
  ],
  'little on /run, and a systemd that needs no more': [
    { systemd: 'systemd 262 (262.1)', 'run-space': 'x\ntmpfs 20000 3617 16383 1% /run' },
    '',
  ],
  'as much on /run as systemd wants': [{ 'run-space': 'x\ntmpfs 20000 3616 16384 1% /run' }, ''],
  'a full disk': [{ disk: 'x\n/dev/vda 100000 99990 10 100% /' }, expect.toSay('only-kb-free', 'E_DISK_FULL', '10')],
  'no inodes': [
    { inodes: 'x\ntmpfs 130 130 0 100% /run\n/dev/vda 0 0 0 - /' },
    expect.toSay('only-more-files-fit', 'E_DISK_FULL', '0', '/run'),
  ],
  'a network of its own, where its socket is not seen either': [
    { 'api-socket': '', ...setting('PrivateNetwork=yes') },
    expect.stringMatching(
      /^E_UNIT_SETTING \/usr\/lib\/systemd\/system\/docker\.service:3: PrivateNetwork=yes: [^\n]*$/,
    ),
  ],
  'a network of its own that is taken back': [setting('PrivateNetwork=yes\nPrivateNetwork=no'), ''],
  'something mounted over the configuration': [
    setting('BindReadOnlyPaths=-/srv/x:/etc/docker/tls:rbind'),
    expect.toSay('dockerd-sees-another-host', 'E_UNIT_SETTING', 'BindReadOnlyPaths=', '/etc/docker'),
  ],
  'an empty directory above it': [
    setting('TemporaryFileSystem=/var /etc:ro'),
    expect.stringMatching(/^E_UNIT_SETTING /),
  ],
  'another root': [setting('RootDirectory=/srv/root'), expect.stringMatching(/^E_UNIT_SETTING /)],
  'certificates of registries from elsewhere, and a directory of no use': [
    setting('BindReadOnlyPaths=/srv/certs:/etc/docker/certs.d\nInaccessiblePaths=-/etc/docker/old'),
    '',
  ],
  'its directory bound onto itself, as with ProtectSystem=': [
    setting('ProtectSystem=strict\nBindPaths=/etc/docker /etc/docker/tls/:/etc/docker/tls:rbind'),
    '',
  ],
  'an empty /etc with its directory in it': [setting('TemporaryFileSystem=/etc:ro\nBindReadOnlyPaths=/etc/docker'), ''],
  'an empty directory over it': [
    setting('TemporaryFileSystem=/etc/docker/\nBindPaths=/etc'),
    expect.stringMatching(/^E_UNIT_SETTING /),
  ],
  'another daemon.json': [
    setting('BindPaths=/srv/daemon.json:/etc/docker/daemon.json'),
    expect.stringMatching(/^E_UNIT_SETTING /),
  ],
  'another certificate': [
    setting('InaccessiblePaths=/etc/docker/tls/current'),
    expect.stringMatching(/^E_UNIT_SETTING /),
  ],
  'mounts elsewhere': [setting('BindPaths=/etc/docker:/opt/x\nTemporaryFileSystem=/opt /etc/docker-x'), ''],
  'a conflict with our socket': [
    setting('[Unit]\nConflicts=x.service docker-tls.socket'),
    expect.toSay('systemd-closes-tls-port', 'E_UNIT_SETTING'),
  ],
  'a clock that is behind': [{}, expect.toSay('clock-minutes-behind', 'E_CLOCK', '120'), -7_200_000],
  'a clock that is ahead': [{}, expect.toSay('clock-minutes-ahead', 'E_CLOCK', '1500'), 25 * 3_600_000],
  // Certificates are backdated by more than an hour, the usual summer time error.
  'a clock that is an hour behind': [{}, '', -3_630_000],
  'a clock that is an hour ahead': [{}, '', 3_630_000],
  'a lock': [
    {
      'file:/run/docker-tls.lock': `file 600 0:0\nwho=eve@elsewhere\nsince=${NOW / 1000 - 5}\nexpires=${NOW / 1000 + 60}\n`,
    },
    expect.toSay('changing-host-since', 'E_HOST_LOCKED', 'eve@elsewhere', '2026-06-01T11:59:55'),
  ],
  'the lock of a change that nothing on the host ends': [
    {
      'file:/run/docker-tls.lock': `file 600 0:0\nwho=eve\nsince=1\nexpires=${NOW / 1000 + 60}\n`,
      transaction: 'a1',
      abandoned: 'yes',
    },
    '',
  ],
  'an expired lock': [
    { 'file:/run/docker-tls.lock': `file 600 0:0\nwho=eve\nsince=1\nexpires=${NOW / 1000 - 1}\n` },
    '',
  ],
  'swarm mode': [
    { info: '{"ID":"x","Swarm":{"LocalNodeState":"active"}}' },
    expect.toSay('host-swarm-mode-container', 'E_SWARM', '1'),
  ],
  'no log driver of that name': [
    { 'file:/etc/docker/daemon.json': 'file 644 0:0\n{\n"log-driver": "nope" }' },
    expect.toSay('daemon-no-log-driver', 'E_DAEMON_JSON', '/etc/docker/daemon.json:2', '"nope"'),
  ],
  'bytes that are not UTF-8': [
    { 'file:/etc/docker/daemon.json': 'file 644 0:0\n{\n"labels": ["a=caf\ufffd"] }' },
    expect.stringMatching(/^E_DAEMON_JSON \/etc\/docker\/daemon\.json:2: not UTF-8/),
  ],
  'live-restore that is neither on nor off': [
    { 'file:/etc/docker/daemon.json': 'file 644 0:0\n{\n"live-restore": "true" }' },
    expect.toSay('live-restore-not-true-false', 'E_DAEMON_JSON', '/etc/docker/daemon.json:2', '"true"'),
  ],
  'a log driver that is a plugin': [
    { 'file:/etc/docker/daemon.json': 'file 644 0:0\n{ "log-driver": "grafana/loki:3" }' },
    '',
  ],
  'a rootless daemon in the place of the real one': [
    { info: '{"ID":"x","SecurityOptions":["name=rootless"]}' },
    expect.toSay('rootless-docker-answers', 'E_ROOTLESS', '/var/run/docker.sock'),
  ],
  'runtimes in both places, which dockerd merges': [
    {
      'file:/etc/docker/daemon.json': 'file 644 0:0\n{ "runtimes": { "b": { "path": "/b" } } }',
      [`file:${UNIT}`]: 'file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd -H fd:// --add-runtime a=/a\n',
    },
    '',
  ],
  'live-restore off by flag': [
    { [`file:${UNIT}`]: 'file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd -H fd:// --live-restore=false\n' },
    expect.stringMatching(/^E_LIVE_RESTORE/),
  ],
};

describe('one at a time', () => {
  test.each(Object.entries(one))('%s', (_, [more, words, skewMs]) => {
    const found = problems(more, skewMs);
    expect(found.length).toBeLessThanOrEqual(1);
    expect(found.join('\n')).toEqual(words);
  });
});

// ssh does not know names of the store, and it needs the typed options again.
test('a lock: what gives it back is the rollback of a change that is under way, and its file where a run only waits', () => {
  const lock = `file 600 0:0\nwho=eve\nsince=1\nexpires=${NOW / 1000 + 60}\n`;
  const hint = (more: Readonly<Record<string, string>>) =>
    errors({ 'file:/run/docker-tls.lock': lock, ...more }, 0)[0]?.hints[1];
  expect(hint({ transaction: 'abc' })).toSay('run-dead-sh-undo', '/var/lib/docker-tls/txn/rollback.sh');
  expect(hint({})).toSay('run-dead', 'rm -f /run/docker-tls.lock');
});

test('commands to paste log in as this run did, with a terminal for sudo', () => {
  const commands = Object.values(one)
    .flatMap(([more, , skewMs]) => errors(more, skewMs ?? 0))
    .flatMap(({ hints }) => hints)
    .flatMap((hint) => String(hint).match(/\bssh .*/g) ?? []);
  expect(commands.length).toBeGreaterThan(10);
  for (const command of commands)
    expect(command).toMatch(/^ssh (-t -p 2222 ops@10\.0\.0\.1 '?sudo |-p 2222 ops@10\.0\.0\.1 )/);
  expect(commands.join('\n')).toContain('ssh -t -p 2222 ops@10.0.0.1 sudo systemctl edit --full docker.service');
});

test('another port than the one that our socket holds has to be free as well', () => {
  const socket = {
    // Its file may be missing or edited: systemd has read it.
    'tls-socket':
      'Id=docker-tls.socket\nLoadState=loaded\nActiveState=active\nListen=[::]:2376 (Stream)\nListen=[::1]:2377 (Stream)',
  };
  const nginx = 'LISTEN 0 1 *:9000 *:* users:(("nginx",pid=7,fd=3))';
  const systemd = 'LISTEN 0 1 *:9000 *:* users:(("systemd",pid=1,fd=3))';
  const at = (port: number, listeners: string) => {
    const facts = factsOf({ ...socket, listeners });
    return preflight({ host: 'h1', login: { destination: 'h1' }, facts, skewMs: 0, nowMs: NOW, port }).map(
      ({ code }) => code,
    );
  };
  expect(at(9000, nginx)).toEqual(['E_PORT_TAKEN']);
  expect(at(9000, systemd)).toEqual(['E_PORT_TAKEN']);
  expect(at(9000, '')).toEqual([]);
  expect(at(9001, nginx)).toEqual([]);
  for (const port of [2376, 2377]) expect(at(port, systemd.replace('9000', `${port}`))).toEqual([]);
});

test('everything at once, before anything changes', () => {
  const found = problems(
    {
      'file:/etc/docker/daemon.json': 'file 644 0:0\n{ "labels": ["a=b"] }',
      [`file:${UNIT}`]: 'file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd -H fd:// --label c=d\n',
      disk: 'x\n/dev/vda 100000 99990 10 100% /',
      listeners: 'LISTEN 0 1 *:2376 *:* users:(("nginx",pid=7,fd=3))',
    },
    -7_200_000,
  );
  expect(found.map((line) => line.split(' ')[0])).toEqual(['E_CONFLICT', 'E_PORT_TAKEN', 'E_CLOCK', 'E_DISK_FULL']);
  expect(found[0]).toContain(`/etc/docker/daemon.json:1 and as --label in ${UNIT}:2`);
});

test('$DOCKER_OPTS over several lines: its open port is closed, and what stays is one line', () => {
  const facts = factsOf({
    'file:/etc/default/docker': 'file 644 0:0\n# mine\nDOCKER_OPTS="--debug \\\n  -H tcp://0.0.0.0:2375"\nX=1\n',
  });
  const plan = planHost(facts, desired);
  expect(plan.warnings.join()).toContain('2375 is closed');
  expect(plan.files.find(({ path }) => path === '/etc/default/docker')?.after).toBe(
    '# mine\nDOCKER_OPTS="--debug"\nX=1\n',
  );
});

describe('a TCP port of another socket unit', () => {
  const sockets =
    'Id=docker.socket\nListen=/run/docker.sock (Stream)\nListen=[::]:2375 (Stream)\nActiveState=active\n\nId=x.socket\nListen=10.0.0.1:4243 (Stream) @abstract:1 (Stream)';
  test('is named, since it asks for certificates from now on', () => {
    const { warnings } = planHost(factsOf({ sockets }), desired);
    expect(warnings.filter((text) => text.includes('.socket'))).toEqual([
      expect.toSay('docker-socket-rejects-connections', ':2375'),
      expect.stringMatching(/^10\.0\.0\.1:4243 of x\.socket/),
    ]);
  });
  test('is not news where it does so already', () => {
    const cmdline = 'dockerd\n-H\nfd://\n--tlsverify';
    expect(planHost(factsOf({ sockets, cmdline }), desired).warnings.join()).not.toContain('.socket');
  });
});

describe('a daemon that did not run before the first setup', () => {
  const state = { schema: 1, name: 'h1', generation: 1, generations: [], managed: [] };
  const stopped = {
    'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify(state)}`,
    'file:/var/lib/docker-tls/origin/manifest': 'file 600 0:0\n0\tunit\tinactive\t-\tdocker.service\n',
  };
  test.each([
    ['does not after remove', { containers: '[]' }, 'stop'],
    ['stays up where containers run', {}, 'none'],
    ['stays up where it is unknown what runs', { containers: '', info: '' }, 'none'],
  ])('%s', (_, more, action) => {
    expect(planRestore(factsOf({ ...stopped, ...more }), 'none', desired).daemon.action).toBe(action);
  });
});

describe('containers over a restart', () => {
  const json = (text: string) => ({ 'file:/etc/docker/daemon.json': `file 644 0:0\n${text}` });
  const running = '{"ID":"x","LiveRestoreEnabled":true}';
  test.each([
    ['off: switched on for a moment', {}, 'temporary'],
    ['on, and stays', { info: running, ...json('{"live-restore":true}') }, 'live-restore'],
    ['on in the daemon, but not in what it would start with', { info: running }, 'temporary'],
    ['off, and none is running yet: one that starts meanwhile is protected too', { containers: '[]' }, 'temporary'],
    ['cannot be, in swarm mode', { info: '{"ID":"x","Swarm":{"LocalNodeState":"active"}}' }, 'stop'],
  ] as const)('live-restore %s', (_, more, how) => {
    expect(planHost(factsOf(more), desired).containers.how).toBe(how);
  });

  test('remove protects containers from a configuration without live-restore', () => {
    const state = {
      schema: 1,
      name: 'h1',
      generation: 1,
      generations: [],
      managed: [{ kind: 'file', path: '/etc/docker/daemon.json' }],
    };
    const facts = factsOf({
      info: running,
      ...json('{"live-restore":true}'),
      'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify(state)}`,
      'file:/var/lib/docker-tls/origin/manifest': 'file 600 0:0\n1\tabsent\t-\t-\t/etc/docker/daemon.json\n',
    });
    const plan = planRestore(facts, 'none', desired);
    expect(hasChanges(plan)).toBe(true);
    expect(plan.containers.how).toBe('temporary');
  });
});

describe('the local socket over a restart', () => {
  const mounted =
    '[{"Id":"abc","Names":["/ci"],"Mounts":[{"Type":"bind","Source":"/run/docker.sock"}]},{"Id":"d","Names":["/web"]}]';
  const unit = (line: string) => ({ [`file:${UNIT}`]: `file 644 0:0\n[Service]\nExecStart=${line}\n` });
  const words = (more: Readonly<Record<string, string | undefined>>) =>
    planHost(factsOf({ containers: mounted, ...more }), desired).warnings.join();
  test.each([
    [
      'dockerd opens it by default',
      unit('/usr/sbin/dockerd'),
      expect.toSay('dockerd-itself-makes-anew', '/var/run/docker.sock', 'ci'),
    ],
    [
      'dockerd is told to open it',
      unit('/usr/sbin/dockerd -H unix:///var/run/docker.sock'),
      expect.toSay('mounted', 'ci'),
    ],
    [
      'daemon.json tells it',
      {
        ...unit('/usr/sbin/dockerd'),
        'file:/etc/docker/daemon.json': 'file 644 0:0\n{"hosts":["unix:///run/docker.sock"]}',
      },
      expect.toSay('mounted', 'ci'),
    ],
    ['systemd holds it', {}, ''],
    ['another is opened beside it', unit('/usr/sbin/dockerd -H fd:// -H unix:///run/other.sock'), ''],
    [
      'no container mounts it',
      { ...unit('/usr/sbin/dockerd'), containers: good.containers as string },
      expect.not.stringMatching(/\bci\b/),
    ],
  ])('%s', (_, more, expected) => {
    expect(words(more as Record<string, string>)).toEqual(expected);
  });
});

test('rootless daemons of users are named once each, and do not stand in the way', () => {
  const facts = factsOf({
    rootless:
      'ann /home/ann/.config/systemd/user/docker.service\nann /run/user/1000/docker.sock\nbob /run/user/1001/docker.sock',
  });
  const said = planHost(facts, desired).warnings.filter((line) => line.includes('rootless'));
  expect(said).toEqual([
    expect.toSay('runs-rootless-docker', 'ann', '/run/user/1000'),
    expect.toSay('runs-rootless-docker-2', 'bob'),
  ]);
  expect(problems({ rootless: 'ann /run/user/1000/docker.sock' })).toEqual([]);
});

test('an address to listen on that the host lacks is said: a slip of the hand, or a VPN that comes later', () => {
  const facts = factsOf({
    addresses: '2: eth0    inet 10.0.0.9/24 scope global eth0\n3: eth1    inet6 2001:db8::9/64 scope global',
  });
  const said = (...listen: string[]) =>
    planHost(facts, { ...desired, listen }).warnings.filter((line) => line.includes('no interface'));
  expect(said('10.0.0.9', '2001:DB8::9', '127.0.0.1', '::', 'fe80::1')).toEqual([]);
  expect(said('10.0.0.9', '10.0.0.8')).toEqual([expect.toSay('no-interface-host-address', '10.0.0.8')]);
});

test.each([
  ['--tls', false],
  ['--tls --tlsverify=false', true],
  ['--tlsverify', false],
  ['--tlsverify=false', true],
  ['', true],
])('another port beside ours under `%s`: closed is %s', (flags, closed) => {
  const exec = `[Service]\nExecStart=/usr/sbin/dockerd -H fd:// -H tcp://0.0.0.0:2377 ${flags}\n`;
  const said = planHost(factsOf({ [`file:${UNIT}`]: `file 644 0:0\n${exec}` }), desired).warnings.join();
  expect(said.includes('2377 is closed')).toBe(closed);
});

test.each([
  ['enabled', 'Sockets=docker.socket docker-tls.socket\n'],
  // The administrator's own socket unit has /run/docker.sock: neither the host nor our drop-in may start a disabled docker.socket.
  ['disabled', 'Sockets=docker-tls.socket\n'],
])('a docker.socket that is %s', (state, line) => {
  const facts = factsOf({ 'docker-socket': `LoadState=loaded\nActiveState=inactive\nUnitFileState=${state}` });
  const dropIn = planHost(facts, desired).files.find(({ path }) => path.endsWith('zz-docker-tls.conf'));
  expect(dropIn?.after).toContain(`\n${line}`);
});

test('swarm mode: which containers would not start again by themselves', () => {
  const containers =
    '[{"Id":"abc","Names":["/web"]},{"Id":"d","Names":["/s.1"],"Labels":{"com.docker.swarm.task.id":"x"}}]';
  const swarm = { info: '{"ID":"x","Swarm":{"LocalNodeState":"active"}}', containers };
  expect(errors(swarm, 0).map(({ code, details }) => [code, details])).toEqual([
    ['E_SWARM', [expect.toSay('stop-not-restart-automatically', 'web'), 'would stop: s.1']],
  ]);
});

test('leave to stop containers is for a daemon that cannot keep them: another of the same run keeps its own', () => {
  const may = { ...desired, containers: 'may-stop' } as const;
  const how = (more: Record<string, string | undefined>, settings: object = {}) =>
    planHost(factsOf(more), { ...may, ...settings }).containers.how;
  expect(how({})).toBe('temporary');
  expect(how({}, { daemonSettings: { icc: false } })).toBe('stop');
  expect(how({ 'api-socket': '' })).toBe('stop');
  expect(how({ info: '{"ID":"x","Swarm":{"LocalNodeState":"active"}}' })).toBe('stop');
  const flag = '[Service]\nExecStart=/usr/sbin/dockerd -H fd:// --live-restore=false\n';
  expect(how({ [`file:${UNIT}`]: `file 644 0:0\n${flag}` })).toBe('stop');
});

test('a daemon that does not say which containers run: they are neither none nor stopped unsaid', () => {
  const facts = factsOf({ containers: undefined, info: undefined });
  expect(planHost(facts, desired).containers).toMatchObject({ running: [], how: 'temporary', unlisted: true });
  expect(planHost(factsOf(), desired).containers).not.toHaveProperty('unlisted');
});
