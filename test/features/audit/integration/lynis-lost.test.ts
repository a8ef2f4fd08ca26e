/** Lynis on a host stops when the connection of its audit ends: an interrupted audit leaves no process running. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { LYNIS_SCRIPT } from '../../../../src/features/audit/host/audit-scripts.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-lynis-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** The script with a `lynis` that records its process and the one that it waits for, and then runs for `seconds`. */
function start(seconds: number) {
  const bin = join(directory, 'bin');
  const records = join(directory, 'tmp');
  for (const each of [bin, records]) mkdirSync(each, { recursive: true });
  const lynis = join(bin, 'lynis');
  const noted = join(directory, 'noted');
  rmSync(noted, { force: true });
  writeFileSync(
    lynis,
    `#!/bin/sh\nsleep ${seconds} &\necho $$ $! >${noted}.new && mv ${noted}.new ${noted}\nwait\necho hardening_index=61 >"$6"\n`,
  );
  chmodSync(lynis, 0o755);
  const env = { PATH: `${bin}:${process.env.PATH}`, TMPDIR: records };
  const script = spawn('/bin/sh', ['-c', LYNIS_SCRIPT], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const processes = () => (existsSync(noted) ? readFileSync(noted, 'utf8').trim().split(' ').map(Number) : []);
  return { script, processes, records: () => readdirSync(records) };
}

function runs(pid: number): boolean {
  try {
    // A process that has ended but was not reaped, as in a container without an init, still exists by name.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

it('prints the report of a Lynis that comes to its end', async () => {
  const { script, records } = start(1.5);
  let out = '';
  script.stdout.on('data', (chunk) => {
    out += chunk;
  });
  script.stderr.resume();
  const [status] = await once(script, 'close');
  expect([status, out, records()]).toEqual([0, 'whole\nhardening_index=61\n', []]);
});

it.each<readonly [string, (script: ChildProcess) => void]>([
  [
    'when nothing reads any more',
    ({ stdout, stderr }) => {
      stdout?.destroy();
      stderr?.destroy();
    },
  ],
  ["by sshd's signal", (script) => script.kill('SIGTERM')],
])('ends Lynis and what it waits for %s, and removes its records', async (_, lose) => {
  const { script, processes, records } = start(60);
  await expect.poll(() => processes().filter(runs).length).toBe(2);
  lose(script);
  await expect.poll(() => processes().filter(runs)).toEqual([]);
  await expect.poll(records).toEqual([]);
});
