/** Ending of a change whose own script was killed before it armed the rollback: it leaves nothing. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { STATE, SYSTEM_PLACES, UNITS } from '../../../src/core/domain/dockerd/paths.ts';
import { kindOf } from '../../../src/core/domain/plan/host-kind.ts';
import { renderEnding } from '../../../src/core/domain/plan/transaction.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'docker-tls-ending-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const ID = 'abc123';
const STAGING = `/run/docker-tls-${ID}`;

/** Remains of a change that died between its lock and its rollback; `id` is that of the lock. */
function killed(id: string): void {
  for (const [path, text] of Object.entries({
    [SYSTEM_PLACES.lock]: `who=me\nsince=1\nexpires=9999999999\ntransaction=${id}\n`,
    [`${STAGING}/created`]: `${UNITS}/sysinit.target.wants\n`,
    [`${STATE}/txn/rollback.sh`]: 'echo wrong',
    [`${STATE}/txn/id`]: id,
    [`${UNITS}/docker-tls-recover.service`]: '',
    [`${UNITS}/sysinit.target.wants/docker-tls-recover.service`]: '',
  })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

function end(verb: 'undo' | 'commit'): string {
  const script = renderEnding(verb, { id: ID, kind: kindOf({}) }).replaceAll(
    /\/(?:etc|var|run)\//g,
    (path) => `${root}${path}`,
  );
  return spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout;
}

const everything = (): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => entry.name);

test('undo', () => {
  killed(ID);
  expect(end('undo')).toBe('@result undone -\n');
  expect(everything()).toEqual([]);
  for (const directory of [STATE, STAGING, `${UNITS}/sysinit.target.wants`])
    expect(existsSync(join(root, directory)), directory).toBe(false);
});

test('there is nothing to keep of it', () => {
  killed(ID);
  const before = everything();
  expect(end('commit')).toBe('@result nothing\n');
  expect(everything()).toEqual(before);
});

test.each([
  ['another change', 'def456', 'touch "$T/kept"'],
  ['a change whose records are being cleared', ID, undefined],
])('%s is not kept', (_, id, rollback) => {
  killed(id);
  writeFileSync(join(root, STATE, 'txn/settings'), '');
  if (rollback === undefined) {
    const script = join(root, STATE, 'txn/rollback.sh');
    // The effect of a faster confirmation, between the two checks of this one.
    writeFileSync(script, `rm "$T/settings"; . "$T/gone"; exit 0\n`);
  } else writeFileSync(join(root, STATE, 'txn/rollback.sh'), rollback);
  expect(end('commit')).toBe('@result nothing\n');
  expect(everything()).not.toContain('kept');
});

test('a confirmation that was killed does not say that there was nothing', () => {
  killed(ID);
  writeFileSync(join(root, STATE, 'txn/settings'), '');
  writeFileSync(join(root, STATE, 'txn/rollback.sh'), 'exit 137\n');
  expect(end('commit')).toBe('');
});

test('a lock of another change stays', () => {
  killed('def456');
  const before = everything();
  expect(end('undo')).toBe('@result nothing\n');
  expect(everything()).toEqual(before);
});
