/**
 * Installation and removal of HAProxy by each package manager: the real scripts, and stand-ins for apt, dpkg, dnf, zypper, rpm and their
 * database.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shellAssignments } from '../../../../src/core/domain/quote.ts';
import { parseResultOf } from '../../../../src/core/host/protocol.ts';
import {
  INSTALL_SCRIPT,
  LISTENER_FACTS_SCRIPT,
  PACKAGE_RESULTS,
  PURGE_SCRIPT,
} from '../../../../src/features/haproxy/host/scripts.ts';

const TOOLS =
  'awk base64 cat chmod comm env find grep head id mkdir mktemp mv rm rmdir sed sh sleep sort stat tail tr cp dirname'.split(
    ' ',
  );
const BOTH = 'haproxy\nlua-libs';

let directory: string;
let running: ChildProcess | undefined;
const at = (name: string) => join(directory, name);
const db = () => readFileSync(at('db'), 'utf8').trim().split('\n').sort();
const list = () => readFileSync(at('state/list'), 'utf8').trim().split('\n').sort();

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
  stub(
    'systemctl',
    'echo "$*" >>$D/systemctl; case $* in "is-enabled "*) cat $D/enabled 2>/dev/null ;; "-q is-active "*) [ -e $D/active ] ;; disable*) rm -f $D/enabled ;; show*) cat $D/shown 2>/dev/null ;; esac',
  );
  stub('getent', '[ "$1" = passwd ] && grep -q haproxy $D/db');
  stub('userdel', 'echo "$1" >>$D/deleted');
  stub('groupdel', ':');
  // A package that another one needs stays; a broken one stays too.
  const erase = 'grep -vx "$name" $D/db >$D/db2; mv $D/db2 $D/db';
  stub(
    'rpm',
    `case $1 in
      -qa) [ ! -e $D/unreadable ] && sed 's/^/installed /' $D/db ;;
      -V) cat $D/changed 2>/dev/null ;;
      -e) name=$2
        if grep -qsx "$name" $D/needed; then echo "	$name is needed by (installed) other-1.0" >&2; exit 1; fi
        if grep -qsx "$name" $D/broken; then echo 'error: scriptlet failed' >&2; exit 1; fi
        ${erase} ;;
    esac`,
  );
  stub(
    'dpkg',
    `case $1 in
      -V) cat $D/changed 2>/dev/null ;;
      --purge) shift
        for name; do
          if grep -qsx "$name" $D/needed; then
            printf 'dpkg: error processing package %s (--purge):\\n dependency problems - not removing\\n' "$name"
          elif grep -qsx "$name" $D/broken; then
            printf 'dpkg: error processing package %s (--purge):\\n installed %s package post-removal script subprocess returned error exit status 1\\n' "$name" "$name"
          else ${erase}; fi
        done ;;
    esac`,
  );
  stub(
    'dpkg-query',
    'case $4 in "") [ ! -e $D/unreadable ] && sed "s/^/installed /" $D/db ;; *) if grep -qsx "$4" $D/rest; then printf config-files; else sed -n "s/^$4 //p" $D/states 2>/dev/null | grep . ; fi ;; esac',
  );
});
afterEach(() => {
  running?.kill('SIGKILL');
  running = undefined;
  rmSync(directory, { recursive: true, force: true });
});

/** As the package managers print it. */
const OFFERS = {
  'apt-get': `NOTE: This is only a simulation!
Inst lua-libs (5.4.7-1 Debian:13.0/stable [amd64])
Inst haproxy (3.0.11-1+deb13u5 Debian:13.0/stable [amd64])
Conf lua-libs (5.4.7-1 Debian:13.0/stable [amd64])
Conf haproxy (3.0.11-1+deb13u5 Debian:13.0/stable [amd64])
`,
  dnf: `Last metadata expiration check: 0:12:01 ago on Tue Dec  1 00:00:00 2026.
Dependencies resolved.
================================================================================
 Package         Architecture   Version                  Repository        Size
================================================================================
Installing:
 haproxy         x86_64         2.8.5-1.el9              appstream        2.5 M
Installing dependencies:
 lua-libs        x86_64         5.4.4-4.el9              baseos           215 k

Transaction Summary
================================================================================
Install  2 Packages

Total download size: 2.7 M
Operation aborted.
`,
  zypper: `<?xml version='1.0'?>
<stream>
<message type="info">Loading repository data...</message>
<install-summary download-size="2700000" space-usage-diff="6000000" packages-to-change="2">
<to-install>
<solvable type="package" name="haproxy" edition="2.8.5-1.1" arch="x86_64" repository="main"/>
<solvable type="package" name="lua-libs" edition="5.4.6-1.3" arch="x86_64" repository="main"/>
</to-install>
</install-summary>
</stream>
`,
};
type Manager = keyof typeof OFFERS;

/** `how`: what an installation does besides. */
function manager(name: Manager, how = '', offer = OFFERS[name]): void {
  writeFileSync(at('offer'), offer);
  stub(
    name,
    `case " $* " in
      *" check "*) exit 0 ;;
      *" -s "* | *" --assumeno "* | *" --dry-run "*) cat $D/offer; exit ;;
    esac
    cp $D/state/list $D/list-then
    echo "$*" >>$D/asked; printf 'haproxy\\nlua-libs\\n' >>$D/db; printf '#!/bin/sh\\necho HAProxy version 2.8.5\\n' >$D/bin/haproxy; chmod 755 $D/bin/haproxy; ${how}`,
  );
}

function output(script: string, variables: Readonly<Record<string, string>> = {}): string {
  const all = { LIST: at('state/list'), UNIT: at('unit'), CONFIG: at('config'), ...variables };
  return execFileSync('/bin/sh', ['-c', `${shellAssignments(all)}\n${script}`], {
    encoding: 'utf8',
    env: { PATH: at('bin'), TMPDIR: directory },
  });
}
const run = (script: string) => parseResultOf(PACKAGE_RESULTS, output(script, { NEW: BOTH }));
const install = () => run(INSTALL_SCRIPT);
const purge = () => run(PURGE_SCRIPT);

test.each([
  ['apt-get', / --no-install-recommends --no-remove --no-upgrade install haproxy$/],
  ['dnf', /^-y -q --setopt=install_weak_deps=False install haproxy$/],
  ['zypper', /^-n -q install --no-recommends haproxy$/],
] as const)('%s installs it without a question and without its service, and gives the host back', (name, words) => {
  manager(name);
  expect(install()).toEqual({ kind: 'installed', version: 'HAProxy version 2.8.5' });
  expect(readFileSync(at('asked'), 'utf8').trim()).toMatch(words);
  const calls = readFileSync(at('systemctl'), 'utf8').split('\n');
  expect(calls).toEqual(
    expect.arrayContaining([
      'mask --runtime haproxy.service',
      'disable haproxy.service',
      'unmask --runtime haproxy.service',
    ]),
  );
  expect(readFileSync(at('list-then'), 'utf8').trim().split('\n').sort(), 'the list is there first').toEqual(
    ['@account', '@service', 'haproxy', 'lua-libs'].sort(),
  );
  expect(list()).toEqual(['@account', 'haproxy', 'lua-libs']);
  writeFileSync(at('unit'), '');
  expect(purge(), 'its service is still there').toEqual({ kind: 'kept' });
  expect(db()).toContain('haproxy');
  rmSync(at('unit'));
  expect(purge()).toEqual({ kind: 'purged', stays: '', failed: '' });
  expect(db()).toEqual(['bash', 'openssl']);
  expect(existsSync(at('state'))).toBe(false);
});

const offered = () => {
  const text = output(LISTENER_FACTS_SCRIPT, {
    ...{ nonce: 'x', SERVICE: 's', SOCKET: '/nowhere', WHOSE: '', INSTALL: 'yes' },
  });
  return text;
};

test.each([
  ['apt-get', 'haproxy 3.0.11-1+deb13u5'],
  ['dnf', 'haproxy 2.8.5-1.el9'],
  ['zypper', 'haproxy 2.8.5-1.1'],
] as const)('%s names every package beforehand', (name, line) => {
  manager(name);
  expect(offered()).toContain(line);
  expect(offered()).toMatch(/^lua-libs 5\.4/m);
  expect(offered()).not.toMatch(/^no /m);
});

test.each([
  ['apt-get', 'Inst lua-libs [5.3] (5.4 x)\n', expect.toSay('apt-upgrade-lua-libs')],
  ['apt-get', 'Remv docker.io [26]\n', expect.toSay('apt-remove-docker-io')],
  ['dnf', OFFERS.dnf.replace('dependencies:', 'dependencies:\nUpgrading:'), expect.toSay('dnf-do-more')],
  ['dnf', OFFERS.dnf.replace('Install  2', 'Upgrade  1 Package\nInstall  2'), expect.toSay('dnf-do-more')],
  ['dnf', OFFERS.dnf.replace('2 Packages', '3 Packages'), expect.toSay('dnf-do-more')],
  [
    'zypper',
    OFFERS.zypper.replace('</to-install>', '</to-install>\n<to-upgrade>\n<solvable name="glibc"/>\n</to-upgrade>'),
    expect.toSay('zypper-change-glibc'),
  ],
] as const)('%s is refused if it would do more than install: %s', (name, offer, why) => {
  manager(name, '', offer);
  expect(offered()).toEqual(why);
});

/** As a reboot leaves it: lua-libs is configured, and a package of somebody else is not. */
function interrupted(): void {
  manager('apt-get');
  mkdirSync(at('state'));
  writeFileSync(at('state/list'), 'haproxy\nlua-libs\n@account\n@service\n');
  writeFileSync(at('enabled'), 'enabled\n');
  writeFileSync(at('db'), 'bash\nopenssl\nhaproxy\nlua-libs\n');
  writeFileSync(at('states'), 'haproxy half-configured\nlua-libs installed\npostgresql unpacked\n');
  stub('haproxy', 'echo HAProxy version 2.8.5');
  stub('dpkg', 'case $1 in --configure) echo "$*" >>$D/configured ;; -V) cat $D/changed 2>/dev/null ;; esac');
}

test('an installation that a reboot has ended is completed, and leaves the service of the package as it was: off', () => {
  interrupted();
  expect(offered()).toMatch(/haproxy\nlua-libs\n--[0-9a-f]{32} unsettled\n/);
  rmSync(at('systemctl'));
  expect(install()).toEqual({ kind: 'installed', version: 'HAProxy version 2.8.5' });
  expect(readFileSync(at('configured'), 'utf8'), 'only what is ours and not configured').toBe('--configure haproxy\n');
  expect(existsSync(at('asked')), 'nothing is installed again').toBe(false);
  expect(existsSync(at('enabled'))).toBe(false);
  const calls = readFileSync(at('systemctl'), 'utf8').trim().split('\n');
  expect(calls[0]).toBe('mask --runtime haproxy.service');
  expect(calls).toEqual(expect.arrayContaining(['unmask --runtime haproxy.service', 'stop haproxy.service']));
  expect(list()).toEqual(['@account', 'haproxy', 'lua-libs']);
  expect(offered()).not.toContain('unsettled');
});

test.each([
  ['changed', '??5?????? c /etc/haproxy/haproxy.cfg\n'],
  ['shown', 'DropInPaths=/etc/systemd/system/haproxy.service.d/override.conf\n'],
])('a service that somebody uses since the reboot stays on, and its packages stay: %s', (file, text) => {
  interrupted();
  writeFileSync(at(file), text);
  expect(install()).toEqual({ kind: 'installed', version: 'HAProxy version 2.8.5' });
  expect(readFileSync(at('systemctl'), 'utf8')).not.toMatch(/^(?:disable|stop)/m);
  expect(readFileSync(at('systemctl'), 'utf8')).toContain('unmask --runtime haproxy.service');
  expect(list()).toEqual(['@account', 'haproxy', 'lua-libs']);
  expect(offered()).not.toContain('unsettled');
  expect(purge()).toMatchObject({ kind: 'used' });
});

test('a file that dpkg has no sum of, since the reboot came first, counts as written only if it is newer than the installation', () => {
  interrupted();
  mkdirSync(at('info'));
  const [recorded, file] = [at('info/haproxy.list'), at('haproxy.cfg')];
  for (const one of [recorded, file]) writeFileSync(one, '');
  writeFileSync(at('changed'), `??5?????? c ${file}\n`);
  stub(
    'dpkg-query',
    `case $* in
      '--control-path haproxy conffiles') echo ${at('info/haproxy.conffiles')} ;;
      *Conffiles*) printf ' ${file} newconffile\\n' ;;
    esac`,
  );
  const written = (minutes: number) => {
    writeFileSync(at('state/list'), 'haproxy\n@service\n');
    writeFileSync(at('enabled'), 'enabled\n');
    const { mtimeMs } = statSync(recorded);
    utimesSync(file, new Date(), new Date(mtimeMs + minutes * 60_000));
    expect(install()).toMatchObject({ kind: 'installed' });
    return existsSync(at('enabled'));
  };
  expect(written(-1), 'the date of the package').toBe(false);
  expect(written(1), 'written since').toBe(true);
});

test('what an earlier installation has left is not taken over, and so not deleted', () => {
  manager('apt-get');
  mkdirSync(at('config'));
  expect(offered()).toSay('no-already', at('config'));
  expect(install()).toMatchObject({ kind: 'uninstalled', left: '', why: expect.stringContaining('is there already') });
  rmSync(at('config'), { recursive: true });
  writeFileSync(at('rest'), 'lua-libs\n');
  expect(offered()).toSay('no-configuration-lua-libs-still');
  expect(install()).toMatchObject({ kind: 'uninstalled', left: '' });
  expect(existsSync(at('asked'))).toBe(false);
  expect(existsSync(at('state'))).toBe(false);
});

test('a package of ours that was removed since comes back', () => {
  manager('apt-get');
  mkdirSync(at('config'));
  mkdirSync(at('state'));
  writeFileSync(at('state/list'), `${BOTH}\n@account\n`);
  writeFileSync(at('rest'), 'haproxy\n');
  expect(install()).toMatchObject({ kind: 'installed' });
  expect([...new Set(list())]).toEqual(['@account', 'haproxy', 'lua-libs']);
});

test('nothing is installed but what the plan names', () => {
  manager('apt-get', '', `${OFFERS['apt-get']}Inst other (1 x)\n`);
  expect(install()).toMatchObject({ kind: 'uninstalled', why: expect.stringContaining('what the plan names') });
  expect(existsSync(at('asked'))).toBe(false);
  expect(db()).toEqual(['bash', 'openssl']);
});

test('what another package needs by then stays, and is named', () => {
  manager('dnf');
  install();
  writeFileSync(at('needed'), 'lua-libs\n');
  expect(purge()).toEqual({ kind: 'purged', stays: 'lua-libs', failed: '' });
  expect(db()).toEqual(['bash', 'lua-libs', 'openssl']);
  expect(existsSync(at('state'))).toBe(false);
});

test.each(['apt-get', 'dnf'] as const)('%s: what cannot be removed stays in the list', (name) => {
  manager(name);
  install();
  writeFileSync(at('broken'), 'haproxy\n');
  writeFileSync(at('needed'), 'lua-libs\n');
  expect(purge()).toEqual({ kind: 'purged', stays: 'lua-libs', failed: 'haproxy' });
  expect(list()).toEqual(['@account', 'haproxy']);
});

test('a database that cannot be read is not an empty one', () => {
  manager('dnf');
  install();
  writeFileSync(at('unreadable'), '');
  expect(purge()).toEqual({ kind: 'purged', stays: '', failed: BOTH });
  expect(list()).toEqual(['@account', 'haproxy', 'lua-libs']);
});

test('an installation that fails half way takes away what it brought, and nothing that others installed meanwhile', () => {
  manager('dnf', 'echo vim >>$D/db; echo "Error: disk full"; exit 1');
  expect(install()).toMatchObject({ kind: 'uninstalled', why: expect.stringContaining('disk full'), left: '' });
  expect(db()).toEqual(['bash', 'openssl', 'vim']);
  expect(existsSync(at('state'))).toBe(false);
});

test('what others install during an installation is not ours', () => {
  manager('dnf', 'echo vim >>$D/db');
  install();
  expect(list()).toEqual(['@account', 'haproxy', 'lua-libs']);
});

test.each([
  ['unit', 'state/list'],
  ['txn', 'state/txn'],
])('an installation that fails while another run uses HAProxy (%s) leaves it', (what, path) => {
  const busy = what === 'txn' ? `mkdir $D/${path}` : 'echo >$D/unit';
  manager('dnf', `${busy}; exit 1`);
  expect(install()).toMatchObject({ kind: 'uninstalled', left: BOTH });
  expect(db()).toContain('haproxy');
  expect(list()).toContain('haproxy');
});

test('a change that is under way keeps the packages', () => {
  manager('dnf');
  install();
  mkdirSync(at('state/txn'));
  expect(purge()).toEqual({ kind: 'kept' });
});

test.each([
  ['enabled', 'enabled\n', 'haproxy.service is enabled'],
  ['active', '', 'haproxy.service runs'],
  ['changed', 'S.5....T.  c /etc/haproxy/haproxy.cfg\n', 'its configuration was changed'],
])('HAProxy that is used otherwise stays, and is no longer ours: %s', (file, text, why) => {
  manager('dnf');
  install();
  writeFileSync(at(file), text);
  expect(purge()).toEqual({ kind: 'used', why });
  expect(db()).toContain('haproxy');
  expect(existsSync(at('state'))).toBe(false);
});

test('a process that runs it, as of a user, keeps it', () => {
  manager('dnf');
  install();
  rmSync(at('bin/haproxy'));
  copyFileSync('/bin/sleep', at('bin/haproxy'));
  running = spawn(at('bin/haproxy'), ['60'], { stdio: 'ignore' });
  expect(purge()).toEqual({ kind: 'used', why: expect.toSay('process-runs', running.pid) });
});

test('a service that an interrupted installation has left enabled is no use, and is disabled', () => {
  manager('dnf');
  install();
  writeFileSync(at('state/list'), `${BOTH}\n@account\n@service\n`);
  writeFileSync(at('enabled'), 'enabled\n');
  writeFileSync(at('systemctl'), '');
  expect(purge()).toEqual({ kind: 'purged', stays: '', failed: '' });
  expect(readFileSync(at('systemctl'), 'utf8')).toContain('disable --now haproxy.service');
  expect(db()).toEqual(['bash', 'openssl']);
});
