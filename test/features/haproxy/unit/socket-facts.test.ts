/** Facts about sockets for programs on a host, in the shells that hosts have. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { afterAll, describe, expect, test } from 'vitest';
import socketFacts from '../../../../src/features/haproxy/host/socket-facts.sh';
import { runIn, SHELLS } from '../../../support/module-shell.ts';

/** Makes a unix socket at a path. */
const LISTEN = "require('net').createServer().listen(process.argv[1], () => process.exit())";
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-sockets-'));
afterAll(() => removeSync(directory));

describe.each(SHELLS)('by %s', (shell) => {
  const run = (script: string) => runIn(shell, script);

  test('sockets for programs: those that are set up, and what is in the way of one', () => {
    const [units, memory] = [join(directory, 'role-units'), join(directory, 'run')];
    ensureDirSync(join(units, 'sockets.target.wants'));
    ensureDirSync(join(memory, 'systemd/system'));
    const link = (path: string) => symlinkSync('/dev/null', path);
    for (const name of ['', 'ab', 'full', 'x;y'])
      link(join(units, `sockets.target.wants/docker-tls-role@${name}.socket`));
    link(join(units, 'docker-tls-role@.socket'));
    link(join(units, 'docker-tls-role@ab.socket'));
    link(join(memory, 'systemd/system/docker-tls-role@soft.socket'));
    ensureDirSync(join(memory, 'docker-tls/full.sock'));
    ensureDirSync(join(memory, 'docker-tls/empty.sock'));
    writeFileSync(join(memory, 'docker-tls/full.sock/file'), '');
    execFileSync(process.execPath, ['-e', LISTEN, join(memory, 'docker-tls/ab.sock')]);
    symlinkSync('ab.sock', join(memory, 'docker-tls/other.sock'));
    const stubs =
      'say() { echo "$1: $2"; }; end() { echo "= $1"; }; systemctl() { shift; echo "$@" | sed "s/ -p.*//"; }';
    const facts = () => run(`UNITS=${units} RUN=${memory}\n${socketFacts}\n${stubs}\nfacts_listener`).split('\n');
    const names = ['ab', 'full', 'soft', 'empty', 'other'];
    const asked = `program-sockets: ${names.map((name) => `docker-tls-role@${name}.socket`).join(' ')}`;
    expect(facts()).toEqual([asked, 'ab socket', 'full directory', '= program-paths', '']);
    // Another user may have put a socket where a link leads.
    renameSync(join(memory, 'docker-tls'), join(memory, 'open'));
    symlinkSync('open', join(memory, 'docker-tls'));
    expect(facts()).toEqual([asked, ...names.map((name) => `${name} linked`), '= program-paths', '']);
    removeSync(units);
    removeSync(memory);
    expect(facts()).toEqual(['']);
  });
});
