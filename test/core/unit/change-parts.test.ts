/** Parts of a change: which travel with it, and hosts that need one that a build does not have. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { PARTS, partsOf, reloadsFor, requireParts } from '../../../src/core/domain/plan/change-parts.ts';
import { type FileChange, stateChange, textFile } from '../../../src/core/domain/plan/file-change.ts';
import { BY_SYSTEMD, rollbackScript } from '../../../src/core/host/scripts.ts';
import type { ChangePart } from '../../../src/core/seams/change-parts.ts';
import { factsOf } from '../../support/host-facts.ts';
import { planOf, transactionOf } from '../../support/host-sandbox.ts';
import { runIn, SHELLS } from '../../support/module-shell.ts';

const KERNEL: ChangePart = { name: 'kernel', kinds: { sysctl: () => 'x' }, rollback: ['state_sysctl() { :; }'] };
const SSHD: ChangePart = { name: 'sshd', reload: { title: 'sshd', paths: /^\/etc\/ssh\// }, rollback: ['# sshd'] };

const before = [...PARTS];
beforeEach(() => {
  PARTS.splice(0, PARTS.length, KERNEL, SSHD);
});
afterEach(() => {
  PARTS.splice(0, PARTS.length, ...before);
});

const names = (files: readonly FileChange[], managed: readonly { kind: string; path: string }[] = []) =>
  partsOf({ ...planOf(files), managed, reloads: reloadsFor(files) }).map(({ name }) => name);

test('a part travels with entries of its kinds, also with those of earlier changes, and with files of its service', () => {
  expect(names([textFile('/etc/x', 'x')])).toEqual([]);
  expect(names([stateChange('sysctl', 'net.x', '1')])).toEqual(['kernel']);
  expect(names([], [{ kind: 'sysctl', path: 'net.x' }])).toEqual(['kernel']);
  expect(names([textFile('/etc/ssh/x', 'x')])).toEqual(['sshd']);
});

test('the stored script has the modules of its parts alone', () => {
  const { script } = transactionOf(planOf([stateChange('sysctl', 'net.x', '1')]), factsOf());
  expect([script.includes('state_sysctl'), script.includes('# sshd'), script.includes('PARTS=kernel')]).toEqual([
    ...[true, false, true],
  ]);
});

/** Facts of a host whose records name a path; `origin`: its state before the first setup. */
function facts(managed: { kind: string; path: string }, origin = 'absent', more: Record<string, string> = {}) {
  const state = { schema: 1, name: 'h1', generation: 1, generations: [], managed: [managed] };
  return factsOf({
    'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify(state)}`,
    'file:/var/lib/docker-tls/origin/manifest': `file 600 0:0\n0\tunit\tactive\t-\tdocker.service\n1\t${origin}\t-\t-\t${managed.path}\n`,
    ...more,
  });
}

test.each([
  ['an entry of a kind that it does not know', facts({ kind: 'member', path: 'docker:bob' }), true],
  ['one only from before the first setup', facts({ kind: 'file', path: '/etc/docker/tls/x' }, 'member'), true],
  ['a file of a fix', facts({ kind: 'file', path: '/etc/ssh/sshd_config.d/x.conf' }), false],
])('a build refuses a host with %s', (_, host, canHarden) => {
  expect(() => requireParts('h1', host, canHarden)).toThrow(
    expect.objectContaining({ code: 'E_NO_FEATURE', exit: 4, where: 'h1' }),
  );
});

test.each([
  ['an entry of a kind that it knows', facts({ kind: 'sysctl', path: 'net.x' }, 'sysctl'), true],
  ['a file of TLS', facts({ kind: 'link', path: '/etc/docker/tls/current' }), false],
  [
    'a daemon.json that is a link now',
    facts({ kind: 'file', path: '/etc/docker/daemon.json' }, 'absent', {
      'leads:/etc/docker/daemon.json': '/srv/daemon.json',
      'file:/srv/daemon.json': 'file 644 0:0\n{}',
    }),
    false,
  ],
  ['a file of a fix, with the code of fixes', facts({ kind: 'file', path: '/etc/issue' }), true],
])('a build takes a host with %s', (_, host, canHarden) => {
  expect(() => requireParts('h1', host, canHarden)).not.toThrow();
});

test.each(SHELLS)('functions of parts are called in their order, where a part has them, by %s', (shell) => {
  const script = [
    `set --; T=/nowhere; ${rollbackScript(BY_SYSTEMD)}`,
    "PARTS='one none two'; x_one() { echo one; }; x_two() { echo two; return 1; }; y_two() { echo y; }",
    'of_parts x; echo $?; of_parts y; echo $?; of_parts z; echo $?',
  ].join('\n');
  expect(runIn(shell, script)).toBe('one\ntwo\n1\ny\n0\n0\n');
});
