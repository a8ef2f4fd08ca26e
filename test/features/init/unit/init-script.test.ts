/** Hosts whose init runs scripts: settings files read by a shell, the plan, and refusals. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { planHost } from '../../../../src/core/domain/plan/plan-host.ts';
import { planRestore } from '../../../../src/core/domain/plan/plan-restore.ts';
import { preflight } from '../../../../src/core/domain/plan/preflight.ts';
import { renderTransaction } from '../../../../src/core/domain/plan/transaction.ts';
import { completeHost } from '../../../../src/core/domain/settings.ts';
import { keptOf } from '../../../../src/core/domain/settings-stored.ts';
import type { OpenedHost } from '../../../../src/core/engine/intent.ts';
import { planRestored } from '../../../../src/core/engine/steps/restore-generation.ts';
import type { DockerTlsError } from '../../../../src/errors/errors.ts';
import {
  scriptAssignment,
  scriptFlags,
  withOurs,
  withoutOurs,
} from '../../../../src/features/init/domain/settings-script.ts';
import initFacts from '../../../../src/features/init/host/facts.sh';
import { desired, FACTS_TIME_MS, factsOf, sent } from '../../../support/host-facts.ts';

const SETTINGS = '/etc/default/docker';
const SCRIPT =
  'file 755 0:0\n#!/bin/sh\nstart-stop-daemon --exec "$DOCKERD" -- \\\n\t-p "$DOCKER_PIDFILE" \\\n\t$DOCKER_OPTS\n';

/** A sysvinit host with this settings file. */
function host(settings: string | undefined, more: Record<string, string | undefined> = {}) {
  return factsOf({
    kind: 'sysvinit',
    systemd: '',
    unit: 'LoadState=loaded\nActiveState=active\nFragmentPath=/etc/init.d/docker',
    'docker-socket': 'LoadState=not-found',
    'file:/etc/init.d/docker': SCRIPT,
    [`file:${SETTINGS}`]: settings === undefined ? 'absent' : `file 640 0:0\n${settings}`,
    listeners: 'LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))',
    iptables: '-P INPUT ACCEPT',
    ...more,
  });
}

const problems = (facts: ReturnType<typeof host>): string[] =>
  preflight({
    host: 'h1',
    login: { destination: 'root@h1' },
    facts,
    skewMs: 0,
    nowMs: FACTS_TIME_MS,
    port: 2376,
    plan: planHost(facts, desired),
  }).map(({ code, message }) => `${code} ${message}`);

/** Flags that dockerd would receive, by a real shell. */
function flagsOf(text: string): string[] {
  const { stdout } = spawnSync('sh', ['-c', `set -e; DOCKER_OPTS=; ${text}\nprintf '%s\\n' $DOCKER_OPTS`], {
    encoding: 'utf8',
  });
  return stdout.trim().split('\n');
}

describe('the plan', () => {
  test('our flags come after those of the administrator, and a shell gives dockerd both', () => {
    const plan = planHost(host('# mine\nDOCKER_OPTS="--debug --dns 8.8.8.8"\n'), desired);
    const file = plan.files.find(({ path }) => path === SETTINGS);
    expect(plan).toMatchObject({ kind: 'sysvinit', listening: 'firewall', daemon: { action: 'restart' } });
    expect(file).toMatchObject({ mode: '0640', before: '# mine\nDOCKER_OPTS="--debug --dns 8.8.8.8"\n' });
    expect(flagsOf(file?.after ?? '')).toEqual([
      ...[
        '--debug',
        '--dns',
        '8.8.8.8',
        '-H',
        'unix:///var/run/docker.sock',
        '-H',
        'tcp://0.0.0.0:2376',
        '--tlsverify',
      ],
      ...['ca', 'cert', 'key'].map(
        (name) =>
          `--tls${name === 'ca' ? 'cacert' : name}=/etc/docker/tls/current/${name === 'ca' ? '' : 'server-'}${name}.pem`,
      ),
    ]);
  });

  test('a port without TLS, and TLS settings of before, are taken out', () => {
    const plan = planHost(host("DOCKER_OPTS='-H tcp://0.0.0.0:2375 --tls=false --debug'"), desired);
    const after = plan.files.find(({ path }) => path === SETTINGS)?.after ?? '';
    expect(flagsOf(after)).not.toContain('tcp://0.0.0.0:2375');
    expect(flagsOf(after).slice(0, 2)).toEqual(['--debug', '-H']);
    expect(plan.warnings.join()).toContain('tcp://0.0.0.0:2375 is closed');
  });

  test('without a file of settings there is one', () => {
    expect(planHost(host(undefined), desired).files.find(({ path }) => path === SETTINGS)).toMatchObject({
      mode: '0644',
    });
  });

  test('without a firewall, or without ss, clients are refused, and that is said', () => {
    for (const more of [{ iptables: undefined }, { listeners: '' }]) {
      const plan = planHost(host('', more), desired);
      expect(plan.listening).toBe('daemon');
      expect(plan.warnings.join()).toSay('during-restart-new-connections');
    }
  });

  test('lines of ours of which the records are lost do not come back with remove', () => {
    const ours = withOurs('# mine\n', ['--tlsverify']);
    const facts = host(ours, {
      'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify({ schema: 1, name: 'h1', generation: 1, generations: [], managed: [{ kind: 'file', path: SETTINGS }] })}`,
      'file:/var/lib/docker-tls/origin/manifest': `file 600 0:0\n1\tfile\t640\t0:0\t${SETTINGS}\n`,
      'file:/var/lib/docker-tls/origin/1': `file 640 0:0\n${ours}`,
    });
    const plan = planRestore(facts, 'none', { name: 'h1', port: 2376, containers: 'keep' });
    expect(plan.files.find(({ path }) => path === SETTINGS)).toMatchObject({ after: '# mine\n', copy: undefined });
  });
});

test.each([
  ['openrc', 'runlevels/default/docker', 'enabled'],
  ['openrc', 'runlevels/default/dockerd', 'disabled'],
  ['sysvinit', 'rc2.d/S01docker', 'enabled'],
  // Disabled, only in the boot runlevel.
  ['sysvinit', 'rc2.d/K01docker', 'disabled'],
  ['sysvinit', 'rc3.d/S01docker', 'disabled'],
  ['sysvinit', 'init.d/docker', 'disabled'],
])('on %s with /etc/%s a boot has docker %s', (kind, link, enabled) => {
  const etc = mkdtempSync(join(tmpdir(), 'docker-tls-etc-'));
  mkdirSync(join(etc, link, '..'), { recursive: true });
  symlinkSync('../init.d/docker', join(etc, link));
  writeFileSync(join(etc, 'inittab'), '# id:5:initdefault:\nid:2:initdefault:\n');
  const script = `${initFacts.replaceAll('/etc/', `${etc}/`)}
    NL=, host_kind=${kind} load=loaded state=active fragment= pid=1; say() { echo "$2"; }; script_facts`;
  for (const shell of ['dash', 'bash', 'busybox sh'])
    expect(spawnSync('sh', ['-c', `${shell} -c "$0"`, script], { encoding: 'utf8' }).stdout, shell).toContain(
      `,UnitFileState=${enabled},`,
    );
  rmSync(etc, { recursive: true });
});

test('a daemon that no boot starts is named, with the command that has one start it', () => {
  const warnings = (more: Record<string, string>) => planHost(factsOf(more), desired).warnings;
  const unit = (state: string, more = '') =>
    `LoadState=loaded\nActiveState=active\nFragmentPath=/x/docker.service\nUnitFileState=${state}${more}`;
  const named = (command: string) => expect.stringMatching(new RegExp(`is not enabled: .*on the host: ${command}$`));
  expect(warnings({ kind: 'openrc', unit: unit('disabled') })).toContainEqual(named('rc-update add docker default'));
  expect(warnings({ kind: 'sysvinit', unit: unit('disabled') })).toContainEqual(
    named('update-rc.d docker defaults && update-rc.d docker enable'),
  );
  const socket = (state: string) => ({ 'docker-socket': `LoadState=loaded\nUnitFileState=${state}` });
  for (const state of ['disabled', 'enabled-runtime'])
    expect(warnings({ unit: unit(state), ...socket('disabled') })).toContainEqual(
      named('systemctl enable docker.service'),
    );
  // docker.socket starts it on demand, as our port does.
  for (const more of [{ unit: unit('disabled'), ...socket('enabled') }, { unit: unit('enabled') }])
    expect(warnings(more)).not.toContainEqual(named('.*'));
});

describe('dockerd itself is asked before the change', () => {
  const options = { id: 'a1', who: 'me', now: new Date(0), confirmWithin: 90, keep: 3, reason: 'test' };
  const asked = (facts: ReturnType<typeof host>): string | undefined =>
    /^VALIDATE=(.*)$/m.exec(
      renderTransaction(planHost(facts, desired), facts, sent, { ...options, settings: keptOf({}) }).script,
    )?.[1];

  test('with the flags of the administrator, and ours on the files that were sent', () => {
    const found = asked(host('DOCKER_OPTS="--debug"\n'));
    expect(found).toMatch(
      /dockerd --debug -H unix:\/\/\/var\/run\/docker\.sock -H tcp:\/\/0\.0\.0\.0:2376 --tlsverify --tlscacert=\/etc\/docker\/tls\/1\/ca\.pem .*--validate'$/,
    );
    expect(asked(host(undefined))).toMatch(/dockerd -H .*--validate'$/);
  });

  test('not where a shell reads the flags otherwise', () => {
    expect(asked(host(`DOCKER_OPTS='--label=a="b"'\n`))).toBe("''");
  });

  test('all flags, as a shell gives them', () => {
    const text = withOurs('DOCKER_OPTS="--debug"\n', ['--tlsverify', '-H', 'tcp://0.0.0.0:2376']);
    expect(scriptFlags(text).split(' ')).toEqual(flagsOf(text));
    expect(scriptFlags('')).toBe('');
  });
});

test('what is refused', () => {
  expect(problems(host('DOCKER_OPTS="--debug"\n'))).toEqual([]);
  for (const text of [
    'DOCKER_OPTS="$(cat /x)"',
    'DOCKER_OPTS=--debug\nDOCKER_OPTS="$DOCKER_OPTS --x"',
    '[ ! -e /x ] ||\n  DOCKER_OPTS=-D',
    // Each gives or removes dockerd flags in a way that no other line shows.
    '[ ! -e /x ] || DOCKER_OPTS=-D',
    'if [ -e /x ]; then DOCKER_OPTS=-D; fi',
    'A=1; DOCKER_OPTS=-D',
    `: "$\{DOCKER_OPTS:=-D}"`,
    'readonly DOCKER_OPTS=-D',
    'eval DOCKER_OPTS=-D',
    'DOCKER_OPTS=-D\nunset DOCKER_OPTS',
    'DOCKER_OPTS="--debug \\\n--x"',
  ])
    expect(problems(host(text)), text).toEqual([expect.stringMatching(/^E_UNIT_VARIABLE \/etc\/default\/docker:\d: /)]);
  const script = (text: string) => host('', { 'file:/etc/init.d/docker': `file 755 0:0\n${text}` });
  expect(problems(script('#!/bin/sh\ndockerd &\n'))[0]).toMatch(/^E_UNIT_COMMAND .*does not give/);
  expect(problems(script('#!/bin/sh\ndockerd -H tcp://0.0.0.0:2375 $DOCKER_OPTS\n'))[0]).toMatch(
    /^E_UNIT_COMMAND .*:2: the script itself/,
  );
  // Only its answer shows whether it is up.
  expect(problems(host('', { 'api-socket': '' }))[0]).toMatch(/^E_DOCKER_SILENT/);
});

test.each([
  ['', 'DOCKER_OPTS="$DOCKER_OPTS --debug"\n', expect.toSay('put-together-shell', 'docker:3', 'DOCKER_OPTS')],
  [
    '# mine\nDOCKER_OPTS=-D\n',
    'DOCKER_OPTS="--x"\n',
    expect.toSay('set-again-after-line', 'docker:5', 'DOCKER_OPTS', '2'),
  ],
])(
  'a line that somebody adds after ours, %j%j: named by its own number, and no obstacle to remove and rollback',
  (before, added, message) => {
    const ours = withOurs(before, ['--tlsverify']);
    const state = {
      schema: 1,
      name: 'h1',
      generation: 2,
      generations: [],
      managed: [{ kind: 'file', path: SETTINGS }],
    };
    const records = '/var/lib/docker-tls';
    const facts = host(`${ours}${added}`, {
      [`file:${records}/state.json`]: `file 600 0:0\n${JSON.stringify(state)}`,
      [`file:${records}/origin/manifest`]: `file 600 0:0\n1\tfile\t640\t0:0\t${SETTINGS}\n`,
      [`file:${records}/origin/1`]: `file 640 0:0\n${before}`,
      [`file:${records}/generations/1/manifest`]: `file 600 0:0\n1\tfile\t640\t0:0\t${SETTINGS}\n2\tlink\t-\t-\t/etc/docker/tls/current\n`,
      [`file:${records}/generations/1/1`]: `file 640 0:0\n${ours}`,
      [`file:${records}/generations/1/2`]: 'link 777 0:0\n1',
      'file:/etc/docker/tls/1/ca.pem': 'file 444 0:0\nCA',
      'file:/etc/docker/tls/1/server-cert.pem': 'file 444 0:0\nCERT',
    });
    expect(problems(facts)).toEqual([message]);
    const session = { login: { destination: 'root@h1' }, dialled: 'h1' };
    const latest = { clients: new Map(), oldCas: [], issuers: new Map() };
    for (const [to, text] of [
      ['none', before],
      ['previous', ours],
    ]) {
      const { plan, problems: found } = planRestored(
        { session, facts, skewMs: 0 } as unknown as OpenedHost,
        completeHost({ name: 'h1', ssh: { destination: 'h1' } }),
        { to, latest, now: new Date(FACTS_TIME_MS), shown: true } as unknown as Parameters<typeof planRestored>[2],
      );
      expect(found, to).toEqual([]);
      expect(plan.files.find(({ path }) => path === SETTINGS)?.after, to).toBe(text);
    }
  },
);

test('what is to be edited is named, and nothing of systemd', () => {
  const { message, hints } = preflight({
    host: 'h1',
    login: { destination: 'root@h1' },
    facts: host('', {
      'leads:/etc/docker/daemon.json': '/srv/daemon.json',
      'file:/etc/docker/daemon.json': 'link 777 0:0\n/srv/daemon.json',
      'file:/srv/daemon.json': 'file 644 0:0\n{ "live-restore": "yes" }',
    }),
    skewMs: 0,
    nowMs: FACTS_TIME_MS,
    port: 2376,
  })[0] as DockerTlsError;
  expect(message).toContain('/srv/daemon.json');
  expect(hints).toContainEqual(expect.stringMatching(/^ssh -t root@h1 sudo vi \/srv\/daemon\.json$/));
  expect(hints.join('\n')).not.toContain('edit docker');
});

test.each([
  ['', undefined],
  ['#DOCKER_OPTS=--x', undefined],
  ['DOCKER_OPTS=', { value: '', plain: true }],
  ['export DOCKER_OPTS="-a b" # c', { value: '-a b', plain: true }],
  ["DOCKER_OPTS='$x'", { value: '$x', plain: true }],
  ['DOCKER_OPTS+=" -a"', { plain: false }],
  ['DOCKER_OPTS="a\nb"', { plain: false }],
  ['DOCKER_OPTS=a; x', { plain: false }],
  ['DOCKER_OPTS=-a\nexport DOCKER_OPTS # c', { value: '-a', plain: true }],
  ['MY_DOCKER_OPTS=-a\nDOCKER_OPTS_2=-b\nA=1 # DOCKER_OPTS', undefined],
])('%j', (text, expected) => {
  const found = scriptAssignment(text);
  if (expected === undefined) expect(found).toBeUndefined();
  else expect(found).toMatchObject(expected);
});

test('our lines are read where the last line of the file goes on', () => {
  for (const text of ['A=b\\', 'A=b\\\n', 'DOCKER_OPTS=-D\nA=b\\\n', '# comment \\']) {
    const once = withOurs(text, ['--tlsverify']);
    expect(flagsOf(`${once}[ "\${A:-b}" = b ]`).at(-1), text).toBe('--tlsverify');
    expect(withOurs(once, ['--tlsverify'])).toBe(once);
  }
});

test('our lines come and go whole, and take nothing that a shell would read', () => {
  for (const text of ['', 'a', 'a\n', 'a\n\n']) {
    const once = withOurs(text, ['-H', 'tcp://[::1]:2376']);
    expect(withOurs(once, ['-H', 'tcp://[::1]:2376'])).toBe(once);
    expect(withoutOurs(once).replace(/\n$/, '')).toBe(text.replace(/\n$/, ''));
    expect(withoutOurs(`${once}b\n`)).toMatch(/b\n$/);
  }
  for (const flag of ['a b', '$(x)', '`x`', '"', '\\', ';', '*'])
    expect(() => withOurs('', [flag]), flag).toThrow(TypeError);
});

test('a host of another service manager is refused, with those that are known', () => {
  expect(problems(factsOf({ kind: '', systemd: '' }))[0]).toMatch(/^E_NO_SYSTEMD .*systemd nor OpenRC nor sysvinit/);
});
