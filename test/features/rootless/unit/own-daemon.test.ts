/** A user's own daemon: obstacles to its change, no need for root, and the script that hands it its port. */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loginOf } from '../../../../src/core/adapters/ssh/login.ts';
import { fileText, type HostFacts, parseFacts } from '../../../../src/core/domain/plan/facts.ts';
import { planHost } from '../../../../src/core/domain/plan/plan-host.ts';
import { planRestore } from '../../../../src/core/domain/plan/plan-restore.ts';
import { preflight, stopProblem } from '../../../../src/core/domain/plan/preflight.ts';
import { sudoCommand } from '../../../../src/core/domain/quote.ts';
import { renderListenScript } from '../../../../src/features/rootless/domain/listen-script.ts';
import { desired } from '../../../support/host-facts.ts';

const printed = readFileSync(new URL('../golden/plan/rootless-fresh.facts', import.meta.url), 'latin1');
const recorded = parseFacts(Buffer.from(printed, 'latin1'));
const login = { destination: 'h1', user: 'rooty', rootless: true } as const;
const SCRIPT = '/usr/share/docker.io/contrib/dockerd-rootless.sh';
const JSON_FILE = '/home/rooty/.config/docker/daemon.json';

/** With another home directory. */
function atHome(home: string): HostFacts {
  return parseFacts(Buffer.from(printed.replace(/[^\n]*(\n--\w+ home\n)/, `${home}$1`), 'latin1'));
}

function file(content: string) {
  return { kind: 'file', mode: '644', owner: '0:0', content } as const;
}

function startedBy(start: string): Partial<HostFacts> {
  const { fragment } = recorded.docker.unit;
  const text = fileText(recorded, fragment)?.replace(SCRIPT, start) ?? '';
  return { files: new Map([...recorded.files, [fragment, file(text)]]) };
}

function problems(more: Partial<HostFacts>, listen: readonly string[] = []): string {
  const facts: HostFacts = { ...recorded, ...more };
  const plan = planHost(facts, { ...desired, listen });
  return [
    ...preflight({ host: 'h1', login, facts, skewMs: 0, nowMs: facts.clockMs, port: 2376, plan }),
    ...stopProblem('h1', facts, 'keep', plan),
  ]
    .map(({ code, message, hints }) => [`${code} ${message}`, ...hints].join('\n'))
    .join('\n');
}

test.each<[string, unknown, Partial<HostFacts>, string[]?]>([
  ['containers run: they stop', expect.toSay('rootless-docker-container-stop', 'E_CONTAINERS', '1'), {}],
  [
    'a daemon that does not tell which run',
    expect.toSay('daemon-does-not-tell', 'E_CONTAINERS'),
    { docker: { ...recorded.docker, containers: [], listsContainers: false } },
  ],
  [
    "a port of RootlessKit's, as Docker documents it, is ours to hold",
    expect.toSay(
      'taken-by-rootlesskit',
      'E_PORT_TAKEN',
      2376,
      7,
      '--port 2377',
      '"-p"',
      'DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS',
      'docker.service:',
    ),
    {
      listeners: ['LISTEN 0 4096 *:2376 *:* users:(("rootlesskit",pid=7,fd=3))'],
      ...startedBy(`${SCRIPT}\nEnvironment="DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS=-p 0.0.0.0:2376:2376/tcp"`),
    },
  ],
  [
    'the user does not linger and may not: the rollback would end with their login',
    expect.toSay('does-not-linger', 'E_LINGER', 'rooty', 'loginctl enable-linger rooty'),
    { linger: { state: 'no', file: '/var/lib/systemd/linger/rooty' } },
  ],
  ...['', '/home/a b', '/home/100%', '/home/\x1b[2J', 'home'].map((home): [string, unknown, Partial<HostFacts>] => [
    `a home that units cannot name: "${home}"`,
    expect.toSay('move-home', 'E_HOME_NAME', 'usermod', 'rooty'),
    {
      places: atHome(home).places,
    },
  ]),
  [
    'a dockerd-rootless.sh that starts no other dockerd',
    expect.toSay('sh-does-not-let', 'E_UNIT_COMMAND'),
    { files: new Map([...recorded.files, [SCRIPT, file('exec dockerd "$@"\n')]]) },
  ],
  [
    'root logs in, whose own Docker is not meant',
    expect.stringMatching(/^E_ROOTLESS_USER [^\n]*\ndocker-tls setup USER@h1 --rootless\n/),
    { uid: 0 },
  ],
  [
    'the user has no systemd',
    expect.toSay('no-systemd-of-user', 'E_NO_SYSTEMD', 'rooty', 'ssh rooty@h1 loginctl enable-linger'),
    { kind: undefined },
  ],
  [
    'the user has no systemd, on a host without apt',
    expect.toSay('install-pam-module', 'E_NO_SYSTEMD', 'pam_systemd.so'),
    { kind: undefined, distribution: { manager: 'dnf', docker: undefined } },
  ],
  ...[`/usr/bin/env A=b ${SCRIPT}`, `-${SCRIPT}`, '/usr/bin/dockerd-rootless'].map(
    (start): [string, unknown, Partial<HostFacts>] => [
      `a start that the script of docker-tls would not know: ${start}`,
      expect.toSay('execstart-does-not-start', 'E_UNIT_COMMAND'),
      startedBy(start),
    ],
  ),
  [
    'a socket unit of their own',
    expect.stringMatching(
      /^E_UNIT_NEEDS docker\.socket hands sockets .*\nssh rooty@h1 systemctl --user disable --now docker\.socket\n/,
    ),
    { docker: { ...recorded.docker, otherSockets: [{ unit: 'docker.socket', active: 'active', listens: [] }] } },
  ],
  [
    'hosts in daemon.json',
    expect.stringMatching(/^E_CONFLICT "hosts" in /),
    { files: new Map([...recorded.files, [JSON_FILE, file('{"hosts":["fd://"]}')]]) },
  ],
  [
    'more addresses than a shell can hand on',
    expect.toSay('can-listen-addresses-not', 'E_UNIT_NEEDS', '3', '4'),
    {},
    ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'],
  ],
])('%s', (_, expected, more, listen) => {
  expect(problems(more, listen)).toEqual(expected);
});

test('nothing else prevents a setup, and no command of it needs root', () => {
  const idle = { docker: { ...recorded.docker, containers: [] } };
  expect(problems(idle)).toBe('');
  expect(problems({ ...idle, ...startedBy('%h/bin/dockerd-rootless.sh') })).toBe('');
  expect(sudoCommand(login, 'systemctl', '--user', 'status')).toBe('ssh rooty@h1 systemctl --user status');
  expect(loginOf({ host: 'h1', destination: 'h1', rootless: true }, 'rooty')).toMatchObject({ rootless: true });
  expect(sudoCommand({ destination: 'h1', user: 'rooty' }, 'true')).toContain('sudo');
});

test.each(['sh', 'bash', 'busybox sh'])(
  'its script keeps sockets from RootlessKit, and gives them to dockerd, under %s',
  (shell) => {
    const root = mkdtempSync(join(tmpdir(), 'docker-tls-listen-'));
    const put = (name: string, text: string) => {
      writeFileSync(join(root, name), text);
      chmodSync(join(root, name), 0o755);
    };
    try {
      put('listen.sh', renderListenScript(2).replace('#!/bin/sh', `#!/usr/bin/env -S ${shell}`));
      // Like RootlessKit: its own pipes under the first numbers, and then the script again, to start the given dockerd.
      put('dockerd-rootless.sh', '#!/bin/sh\nexec 3</dev/null 4</dev/null\nexec "$DOCKERD" "$@"\n');
      put(
        'dockerd',
        '#!/bin/sh\ncat <&3\ncat <&4\necho "$LISTEN_FDS $((LISTEN_PID - $$)) $*"\n( : <&7 ) 2>/dev/null || echo closed\n',
      );
      writeFileSync(join(root, 'one'), 'one\n');
      writeFileSync(join(root, 'two'), 'two\n');
      const { stdout, stderr } = spawnSync(
        'sh',
        ['-c', `exec 3<${root}/one 4<${root}/two; exec ${root}/listen.sh ${root}/dockerd-rootless.sh -H fd:// "a b"`],
        { encoding: 'utf8', env: { ...process.env, DOCKERD: join(root, 'dockerd'), LISTEN_FDS: '2' } },
      );
      expect(stderr).toBe('');
      expect(stdout).toBe('one\ntwo\n2 0 -H fd:// a b\nclosed\n');
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },
);

test('its program is the one that runs, or that is beside its script, wherever our PATH leads', () => {
  const root = mkdtempSync(join(tmpdir(), 'docker-tls-own-'));
  try {
    writeFileSync(join(root, 'dockerd'), '');
    chmodSync(join(root, 'dockerd'), 0o755);
    const module = readFileSync(new URL('../../../../src/features/rootless/host/facts.sh', import.meta.url), 'utf8');
    const ask = (set: string) =>
      spawnSync(
        'sh',
        [
          '-c',
          `${module}\nfind_program() { dockerd=/usr/sbin/dockerd; }\n${set}\nfind_own_program\nprintf %s "$dockerd"`,
        ],
        {
          encoding: 'utf8',
        },
      ).stdout;
    expect(ask(`pid=0 beside='${root}/dockerd'`)).toBe(`${root}/dockerd`);
    expect(ask(`pid=$$ beside='${root}/dockerd'`)).toMatch(/\/(dash|sh|bash)$/);
    expect(ask(`pid=0 beside='${root}/none'`)).toBe('/usr/sbin/dockerd');
    expect(ask("pid=0 beside=''")).toBe('/usr/sbin/dockerd');
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('a user who may linger does so with the first change; going back to a generation leaves it, removal ends it', () => {
  const file = '/var/lib/systemd/linger/rooty';
  const facts: HostFacts = { ...recorded, linger: { state: 'may', file } };
  const plan = planHost(facts, { ...desired, containers: 'may-stop' });
  expect(plan.files.filter(({ kind }) => kind === 'linger')).toMatchObject([{ path: file, mode: 'present' }]);
  expect(problems({ linger: { state: 'may', file } })).not.toContain('E_LINGER');
  const managed = [{ kind: 'linger', path: file }];
  const entry = { kind: 'linger', mode: 'absent', owner: '-', path: file, copy: '' };
  const later: HostFacts = {
    ...recorded,
    linger: { state: 'yes', file },
    origin: new Map([[file, entry]]),
    generations: new Map([[1, new Map()]]),
    state: { schema: 1, name: 'h1', generation: 2, generations: [], managed },
  };
  expect(planHost(later, desired).managed).toContainEqual(managed[0]);
  expect(planRestore(later, 1, desired).files).toEqual([]);
  expect(planRestore(later, 'none', desired).files).toMatchObject([{ kind: 'linger', mode: 'absent' }]);
});
