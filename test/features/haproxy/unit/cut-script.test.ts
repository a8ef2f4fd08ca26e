/** Which connections the script of a revocation ends on the host; the master socket of HAProxy is a stand-in. */

import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { removeSync } from 'fs-extra/esm';
import { afterAll, expect, test } from 'vitest';
import { shellAssignments } from '../../../../src/core/domain/quote.ts';
import { CUT_SCRIPT } from '../../../../src/features/haproxy/host/scripts.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-cut-'));
const SESSIONS = [
  '0x7f01: proto=tcpv6 src=::1:1 fe=docker be=full srv=client:laptop ts=00\n',
  '0x7f02: proto=tcpv6 src=::1:2 fe=docker be=full srv=client:ops ts=00\n',
].join('');
/** What became of a worker: HAProxy 3.2 may answer so and leave the connection open. */
const gone = (worker: string) => `Can't find the target PID matching the prefix '${worker}'\n`;

const asked: string[] = [];
const master = createServer({ allowHalfOpen: true }, (socket) => {
  socket.once('data', (data) => {
    const [worker = '', ...command] = data.toString().trim().split(' ');
    asked.push(`${worker} ${command.join(' ')}`);
    if (worker === '@!11') socket.write(gone(worker));
    else socket.end(command[0] === 'show' ? SESSIONS : '\n');
  });
  socket.on('error', () => undefined);
});
afterAll(() => {
  master.close();
  removeSync(directory);
});

test.each(['perl', 'python3'])(
  'a worker that has ended does not end the connections of others: by %s',
  async (program) => {
    const path = join(directory, `${program}.sock`);
    await new Promise<void>((resolve) => master.close(() => resolve()).listen(path, resolve));
    asked.length = 0;
    const variables = { MASTER: path, MAP: '/m', KEYS: 'issuer:ops', SERVERS: 'full/client:ops', WORKERS: ' 11 12 ' };
    const only = `command() { [ "$2" = ${program} ]; }; kill() { echo "killed $*"; }`;
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      `${shellAssignments(variables)}\n${only}\n${CUT_SCRIPT}`,
    ]);
    expect(stdout).toBe('');
    expect(asked).toEqual([
      '@!11 del map /m issuer:ops',
      '@!11 show sess',
      '@!12 del map /m issuer:ops',
      '@!12 show sess',
      '@!12 shutdown session 0x7f02',
    ]);
  },
);
