/** Installation and removal of HAProxy by each package manager: the real scripts, and stand-ins for dnf, zypper, apk and their database. */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shellAssignments } from '../../../../src/core/domain/quote.ts';
import { parseResultOf } from '../../../../src/core/host/protocol.ts';
import { INSTALL_SCRIPT, PACKAGE_RESULTS, PURGE_SCRIPT } from '../../../../src/features/haproxy/host/scripts.ts';

const TOOLS =
  'awk base64 cat chmod comm env grep head mkdir mktemp mv rm rmdir sed sh sleep sort tail tr cp dirname'.split(' ');

let directory: string;
const at = (name: string) => join(directory, name);
const db = () => readFileSync(at('db'), 'utf8').trim().split('\n').sort();

function stub(name: string, text: string): void {
  writeFileSync(at(`bin/${name}`), `#!/bin/sh\nD=${directory}\n${text}\n`);
  chmodSync(at(`bin/${name}`), 0o755);
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-packages-'));
  mkdirSync(at('bin'));
  for (const tool of TOOLS)
    symlinkSync(execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(), at(`bin/${tool}`));
  writeFileSync(at('db'), 'bash\nopenssl\n');
  stub('systemctl', 'echo "$*" >>$D/systemctl');
  stub('getent', '[ "$1" = passwd ] && grep -q haproxy $D/db');
  stub('userdel', 'echo "$1" >>$D/deleted');
  stub('groupdel', ':');
  // A package that another one needs stays.
  stub(
    'rpm',
    'case $1 in -qa) cat $D/db ;; -e) if grep -qsx "$2" $D/needed; then exit 1; fi; grep -vx "$2" $D/db >$D/db2; mv $D/db2 $D/db ;; esac',
  );
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** `how`: what an installation does besides. */
function manager(name: string, how = ''): void {
  const install = `echo "$*" >>$D/asked; printf 'haproxy\\nlua-libs\\n' >>$D/db; printf '#!/bin/sh\\necho HAProxy version 2.8.5\\n' >$D/bin/haproxy; chmod 755 $D/bin/haproxy; ${how}`;
  if (name === 'apk')
    stub(
      'apk',
      `case $1 in info) cat $D/db ;; add) ${install} ;; del) grep -v -e haproxy -e lua-libs $D/db >$D/db2; mv $D/db2 $D/db ;; esac`,
    );
  else stub(name, install);
}

function run(script: string, variables: Readonly<Record<string, string>>) {
  const stdout = execFileSync(
    '/bin/sh',
    ['-c', `${shellAssignments({ LIST: at('state/list'), ...variables })}\n${script}`],
    {
      encoding: 'utf8',
      env: { PATH: at('bin'), TMPDIR: directory },
    },
  );
  return parseResultOf(PACKAGE_RESULTS, stdout);
}

test.each([
  ['dnf', '-y -q --setopt=install_weak_deps=False install haproxy'],
  ['zypper', '-n -q install --no-recommends haproxy'],
  ['apk', 'add -q haproxy'],
])('%s installs it without a question and without its service, and gives the host back', (name, words) => {
  manager(name);
  expect(run(INSTALL_SCRIPT, { NEW: 'haproxy' })).toEqual({ kind: 'installed', version: 'HAProxy version 2.8.5' });
  expect(readFileSync(at('asked'), 'utf8')).toBe(`${words}\n`);
  const calls = readFileSync(at('systemctl'), 'utf8').split('\n');
  expect(calls).toEqual(
    expect.arrayContaining([
      'mask --runtime haproxy.service',
      'disable haproxy.service',
      'unmask --runtime haproxy.service',
    ]),
  );
  expect(readFileSync(at('state/list'), 'utf8').split('\n')).toEqual(
    expect.arrayContaining(['haproxy', 'lua-libs', '@account']),
  );
  writeFileSync(at('unit'), '');
  expect(run(PURGE_SCRIPT, { UNIT: at('unit') }), 'its service is still there').toEqual({ kind: 'kept' });
  expect(db()).toContain('haproxy');
  rmSync(at('unit'));
  expect(run(PURGE_SCRIPT, { UNIT: at('unit') })).toEqual({ kind: 'purged', stays: '' });
  expect(db()).toEqual(['bash', 'openssl']);
  expect(existsSync(at('state'))).toBe(false);
});

test('what another package needs by then stays, and is named', () => {
  manager('dnf');
  run(INSTALL_SCRIPT, { NEW: 'haproxy' });
  writeFileSync(at('needed'), 'lua-libs\n');
  expect(run(PURGE_SCRIPT, { UNIT: at('unit') })).toEqual({ kind: 'purged', stays: 'lua-libs' });
  expect(db()).toEqual(['bash', 'lua-libs', 'openssl']);
});

test('an installation that fails half way takes away what it brought, and nothing that was there', () => {
  manager('dnf', 'echo "Error: disk full"; exit 1');
  writeFileSync(at('db'), 'bash\nlua-libs\n');
  expect(run(INSTALL_SCRIPT, { NEW: 'haproxy' })).toMatchObject({
    kind: 'uninstalled',
    why: expect.stringContaining('disk full'),
  });
  expect(db()).toEqual(['bash', 'lua-libs', 'lua-libs']);
  expect(existsSync(at('state'))).toBe(false);
});

test('a change that is under way keeps the packages', () => {
  manager('dnf');
  run(INSTALL_SCRIPT, { NEW: 'haproxy' });
  mkdirSync(at('state/txn'));
  expect(run(PURGE_SCRIPT, { UNIT: at('unit') })).toEqual({ kind: 'kept' });
});
