/** What keeps HAProxy on a host from serving clients. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSections } from '../../../../src/core/domain/dockerd/sections.ts';
import { judgeListener } from '../../../../src/features/haproxy/domain/listener-state.ts';
import { LISTENER_STATE_SCRIPT } from '../../../../src/features/haproxy/host/scripts.ts';
import { printSections } from '../../../support/sections.ts';

const GOOD = {
  program: '/usr/sbin/haproxy',
  version: 'HAProxy version 3.0.11-1+deb13u5 2026/11/18 - https://haproxy.org/',
  socket: '660 0 104 docker',
  service: 'LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nResult=success',
  connections: '12',
  most: '     10 192.0.2.1',
  handshakes: '3',
  flooder: '      3 192.0.2.1',
  denied: '',
};

type Inactive = readonly { name: string; why: string; commands: readonly string[] }[];

const AROUND = {
  ...{ host: 'h1', login: { destination: 'h1', user: 'root' }, distribution: undefined, port: 2376 },
  ...{ socket: '/run/docker.sock', group: 'docker', whose: [], inactive: [] as Inactive },
};

function judge(more: Partial<typeof GOOD> = {}, around: Partial<typeof AROUND> = {}) {
  const texts = Object.entries({ ...GOOD, ...more, done: '' });
  const sections = texts.map(([name, text]) => ({ name, content: Buffer.from(text) }));
  return judgeListener(printSections('listener', sections), { ...AROUND, ...around });
}

const messages = (...given: Parameters<typeof judge>) => judge(...given)?.problems.map(({ message }) => message);

test('a host in order has none, and its version is known', () => {
  expect(judge()).toEqual({ title: 'HAProxy 3.0.11', problems: [], signs: [] });
  // A reload is not a stop.
  expect(messages({ service: 'LoadState=loaded\nActiveState=reloading' })).toEqual([]);
  expect(judgeListener(Buffer.from('docker-tls-listener 1 x\n'), AROUND)).toBeUndefined();
});

test.each<[string, Partial<typeof GOOD>, unknown]>([
  ['a removed package', { program: '' }, expect.toSay('haproxy-longer-installed')],
  [
    'a failed service',
    { service: 'LoadState=loaded\nActiveState=failed\nResult=exit-code' },
    expect.stringMatching(/is failed \(exit-code\)/),
  ],
  [
    'a stopped service',
    { service: 'LoadState=loaded\nActiveState=inactive\nResult=success' },
    expect.toSay('inactive'),
  ],
  [
    'a masked service',
    { service: 'LoadState=masked\nActiveState=inactive\nUnitFileState=masked' },
    expect.stringMatching(/is masked$/),
  ],
  [
    'a service that is masked until the next boot',
    { service: 'LoadState=masked\nActiveState=inactive\nUnitFileState=masked-runtime' },
    expect.stringMatching(/is masked$/),
  ],
  [
    'a service that is gone',
    { service: 'LoadState=not-found\nActiveState=inactive' },
    expect.stringMatching(/is gone$/),
  ],
  ['another group of the socket', { socket: '660 0 99 dockers' }, expect.toSay('group-dockers-mode-group', '660')],
  ['a socket that the group may not write', { socket: '640 0 104 docker' }, expect.stringMatching(/mode 640/)],
  [
    'every connection taken',
    { connections: '4000', most: ' 3000 192.0.2.9' },
    expect.toSay('all-them', '4000', '3000', '192.0.2.9'),
  ],
  [
    'one address with too many',
    { connections: '1200', most: ' 1000 192.0.2.9' },
    expect.stringMatching(/192\.0\.2\.9 has 1000 connections/),
  ],
])('%s is named, with a command', (_, more, message) => {
  const found = judge(more)?.problems ?? [];
  expect(found.map((one) => one.message)).toEqual([message]);
  expect(found[0]?.hints.length).toBeGreaterThan(0);
});

test.each<[string, Partial<typeof GOOD>, unknown]>([
  [
    'half-open connections',
    { handshakes: '900', flooder: ' 800 2001:db8::1' },
    expect.stringMatching(/^900 .*800 of them from 2001:db8::1$/),
  ],
  [
    'SELinux',
    { denied: 'type=AVC msg=audit(1): avc:  denied  { connectto } comm="haproxy"\u001b[2J' },
    expect.stringMatching(/^SELinux denies/),
  ],
  [
    'AppArmor',
    { denied: 'apparmor="DENIED" operation="connect" profile="/usr/sbin/haproxy"' },
    expect.stringMatching(/^AppArmor denies/),
  ],
])('%s is a sign, and no fault while clients are served', (_, more, message) => {
  const { problems, signs = [] } = judge(more) ?? {};
  expect(problems).toEqual([]);
  expect(signs.map((one) => one.message)).toEqual([message]);
  expect(signs[0]?.hints.length).toBeGreaterThan(0);
  expect(signs[0]?.message).not.toContain('\u001b');
});

test('each socket for containers that is not active is named, with what keeps it', () => {
  const inactive = [
    { name: 'ci', why: 'masked', commands: ['unmask it'] },
    { name: 'traefik', why: 'gone', commands: [] },
  ];
  const found = judge({}, { inactive })?.problems ?? [];
  expect(found.map(({ message }) => message)).toEqual([
    expect.toSay('socket-not-active', 'ci', 'masked'),
    expect.toSay('socket-not-active', 'traefik', 'gone'),
  ]);
  expect(found.map(({ hints }) => hints)).toEqual([['unmask it', 'docker-tls apply h1'], ['docker-tls apply h1']]);
});

test('a mask until the next boot is removed as one', () => {
  const hint = (state: string) =>
    String(judge({ service: `LoadState=masked\nActiveState=inactive\nUnitFileState=${state}` })?.problems[0]?.hints[0]);
  expect(hint('masked-runtime')).toContain('unmask --runtime docker-tls-haproxy.service');
  expect(hint('masked')).toContain('unmask docker-tls-haproxy.service');
});

test('a host whose HAProxy runs as the user of the daemon needs no group of the socket', () => {
  expect(messages({ socket: '660 0 99 dockers' }, { group: undefined })).toEqual([]);
});

test('a denial counts since the service runs, and if it denied something', () => {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-test-'));
  const program = (name: string, text: string) =>
    writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  const began = Date.parse('2026-11-30T12:00:00Z') / 1000;
  program('systemctl', 'echo "ActiveEnterTimestamp=Mon 2026-11-30 12:00:00 UTC"');
  program('journalctl', `echo "$*" >>${directory}/asked`);
  program('tail', `[ "$3" = /var/log/audit/audit.log ] && exec cat ${directory}/audit.log; exec /usr/bin/tail "$@"`);
  const line = (at: number, pid: number, more = 'permissive=0') =>
    `type=AVC msg=audit(${at}.123:4): avc:  denied  { connectto } for  pid=${pid} comm="haproxy" ${more}\n`;
  const denied = (...lines: string[]) => {
    writeFileSync(join(directory, 'audit.log'), lines.join(''));
    const env = { PATH: `${directory}:${process.env.PATH}`, SERVICE: 'x', PORT: '1', SOCKET: '/x', WHOSE: '' };
    const stdout = execFileSync('sh', ['-c', LISTENER_STATE_SCRIPT], { env });
    return (
      parseSections(stdout, 'listener')
        ?.find(({ name }) => name === 'denied')
        ?.content.toString()
        .trim() ?? '?'
    );
  };
  expect(denied(line(began - 1, 1), line(began + 2, 2, 'permissive=1'))).toBe('');
  expect(denied(line(began + 1, 3), line(began - 1, 1))).toContain('pid=3');
  expect(readFileSync(join(directory, 'asked'), 'utf8')).toContain(`-b --since @${began} `);
  rmSync(directory, { recursive: true });
});
