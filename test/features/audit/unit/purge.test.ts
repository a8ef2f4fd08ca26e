/** Purge of packages when dpkg refuses. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseResultOf } from '../../../../src/core/host/protocol.ts';
import result from '../../../../src/core/host/result.sh';
import { PACKAGE_RESULTS } from '../../../../src/features/audit/host/audit-protocol.ts';
import purge from '../../../../src/features/audit/host/packages/purge.sh';
import { moduleShell } from '../../../support/module-shell.ts';

const shell = moduleShell();
const { sh } = shell;

describe('packages are purged', () => {
  /** Output of dpkg on its first try, and on each later one (none: it purges). `states`: of each package. */
  function purged(first: string, later: string, states = 'aide) echo installed ;; libx) echo half-configured ;;') {
    writeFileSync(join(shell.directory, 'list'), 'aide\nlibx\ngone\n');
    const query = `#!/bin/sh\n[ ! -e purged ] && case $4 in ${states} esac\n`;
    writeFileSync(join(shell.directory, 'dpkg-query'), query, { mode: 0o755 });
    const stubs = `PATH=${shell.directory}:$PATH LIST=${shell.directory}/list
dpkg() { echo x >>tries; if [ "$(wc -l <tries)" = 1 ]; then words='${first}'; else words='${later}'; fi
  if [ -z "$words" ]; then : >purged; return 0; fi; printf '%s\\n' "$words"; return 1; }
sleep() { :; }`;
    const found = parseResultOf(PACKAGE_RESULTS, `${sh(stubs, result, purge)}\n`);
    const tries = readFileSync(join(shell.directory, 'tries'), 'utf8').length / 2;
    const list = readdirSync(shell.directory).includes('list')
      ? readFileSync(join(shell.directory, 'list'), 'utf8')
      : undefined;
    return { found, tries, list };
  }
  const locked = 'dpkg: error: dpkg frontend lock was locked by another process with pid 7';

  test('also what is half configured, once another dpkg has ended', () => {
    expect(purged(locked, '')).toEqual({
      found: { kind: 'purged', names: 'aide libx ', stays: '', why: '' },
      tries: 2,
      list: undefined,
    });
  });

  test('what dpkg could not purge stays in the list', () => {
    expect(purged(locked, locked)).toMatchObject({ found: { stays: 'aide libx ' }, tries: 60, list: 'aide\nlibx\n' });
  });

  test('what another package needs does not', () => {
    const needed =
      'dpkg: dependency problems prevent removal of libx:\n mine depends on libx.\n\ndpkg: error processing package libx (--purge):\n dependency problems - not removing';
    expect(purged(needed, needed)).toMatchObject({ found: { stays: 'aide libx ' }, tries: 1, list: 'aide\n' });
    expect(purged(needed, needed, 'libx) echo installed ;;')).toMatchObject({ list: undefined });
  });
});
