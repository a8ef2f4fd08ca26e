/**
 * Two scripts on one host: the rollback ends a hanging change, and waits for another rollback. The real script and real locks. None of this
 * waits for a daemon that hangs in its start.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BY_SYSTEMD, rollbackScript } from '../../../src/core/host/scripts.ts';

let root: string;
let holder: ChildProcess | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'docker-tls-mutex-'));
  mkdirSync(join(root, 'state/txn'), { recursive: true });
  mkdirSync(join(root, 'units'));
  const settings = `TXN=abc123 SERVICE=docker.service TLS_SOCKET=docker-tls.socket LOCAL_SOCKET=docker.socket UNITS=${root}/units LOCK=${root}/lock RUN=${root} RECOVERY=${root}/units/recover RECOVERY_LINK=${root}/units/wants/recover RECOVERY_LIST= TLS_DIRECTORY=${root}/tls DAEMON=none WAS_ACTIVE=yes LIVE_RESTORE=untouched PARTS= GENERATION=1`;
  writeFileSync(join(root, 'state/txn/settings'), `${settings}\n`);
  writeFileSync(join(root, 'state/txn/id'), 'abc123');
  // A long wait for the mutex is not part of this test.
  const script = rollbackScript(BY_SYSTEMD).replace('take_mutex 30', 'take_mutex 1');
  writeFileSync(join(root, 'state/txn/rollback.sh'), script);
});
afterEach(() => {
  if (holder?.pid !== undefined && holder.exitCode === null && holder.signalCode === null) holder.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

/** A shell that holds the mutex and reports it, while it runs a command without the mutex. */
async function hold(shell: string, command: string): Promise<ChildProcess> {
  const child = spawn(shell, [
    '-c',
    `exec 9<${root}; flock 9; service() { "$@" 9<&-; }; echo held; service ${command}; touch ${root}/ended; exit 0`,
  ]);
  holder = child;
  await once(child.stdout, 'data');
  return child;
}

/** Until a rollback has read the records of its change, and waits for the mutex. */
const awaited = () => `until [ -e ${root}/waits ]; do sleep 0.1; done`;

function rollback(verb = 'undo timer'): string {
  const flock = `flock() { : >${root}/waits; command flock "$@"; }`;
  const stubs = `systemctl() { echo LoadState=not-found; }; logger() { :; }; ${flock}`;
  const T = join(root, 'state/txn');
  return spawnSync('sh', ['-c', `${stubs}; T=${T}; set -- ${verb}; . ${T}/rollback.sh`], { encoding: 'utf8' }).stdout;
}

test.each(['dash', 'bash'])('a change that hangs in the start of its daemon is ended, by %s', async (shell) => {
  const child = await hold(shell, 'sleep 600');
  writeFileSync(join(root, 'state/txn/pid'), `${child.pid}`);
  const ended = once(child, 'exit');
  expect(rollback()).toContain('@result undone -\n');
  expect((await ended)[1]).toBe('SIGKILL');
  expect(existsSync(join(root, 'state'))).toBe(false);
});

test('records that lost their id when their removal was killed are removed', () => {
  rmSync(join(root, 'state/txn/id'));
  expect(rollback()).toContain('@result undone -\n');
  expect(existsSync(join(root, 'state'))).toBe(false);
});

test('a key that the host made for the change goes with it, the run that asked for it is gone', () => {
  writeFileSync(join(root, 'state/txn/pid'), '');
  mkdirSync(join(root, 'docker-tls-key-0123456789ab'));
  writeFileSync(join(root, 'docker-tls-key-0123456789ab/key.pem'), 'KEY');
  expect(rollback()).toContain('@result undone -\n');
  expect(existsSync(join(root, 'docker-tls-key-0123456789ab'))).toBe(false);
});

test('another rollback is waited for, however long it starts the daemon; no other program that has the number of the change ends', async () => {
  const other = spawn('sleep', ['600']);
  const ended = once(other, 'exit');
  try {
    writeFileSync(join(root, 'state/txn/pid'), `${other.pid}`);
    await hold('sh', `sh -c '${awaited()}; sleep 2'`);
    expect(rollback()).toContain('@result undone -\n');
    expect(existsSync(join(root, 'ended'))).toBe(true);
  } finally {
    other.kill('SIGTERM');
  }
  expect((await ended)[1]).toBe('SIGTERM');
});

test('the word to keep another change keeps nothing', () => {
  expect(rollback('commit def456')).toBe('@result nothing\n');
  expect(existsSync(join(root, 'state/txn/settings'))).toBe(true);
});

test('a change that began after the one that was waited for is left alone', async () => {
  const txn = join(root, 'state/txn');
  const other = readFileSync(join(txn, 'settings'), 'utf8').replace('abc123', 'def456');
  writeFileSync(join(root, 'other'), other);
  await hold('sh', `sh -c '${awaited()}; cp ${root}/other ${txn}/settings; printf def456 >${txn}/id'`);
  expect(rollback()).toBe('@result nothing\n');
  expect(readFileSync(join(txn, 'settings'), 'utf8')).toBe(other);
});

test('a daemon that hangs in its start is not asked to reload: systemd would answer when it has started', () => {
  const systemctl =
    'systemctl() { case "$*" in *is-active*) return 3 ;; show*) echo ActiveState=activating; echo MainPID=$$; return ;; esac; sleep 600; }';
  const { status } = spawnSync(
    'sh',
    [
      '-c',
      `${systemctl}; T=${root} SERVICE=docker.service; set --; . ${root}/state/txn/rollback.sh; reload_live_restore true`,
    ],
    { timeout: 60_000 },
  );
  expect(status).toBe(0);
});
