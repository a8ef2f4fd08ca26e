/** Single functions of the host's scripts, by the shells that hosts have. */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';

const HOST = new URL('../../src/core/host/', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-functions-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function moduleText(name: string): string {
  return readFileSync(join(HOST, name), 'utf8');
}

describe.each(['dash', 'bash', 'busybox sh'])('by %s', (shell) => {
  function run(script: string): string {
    const [program = '', ...words] = shell.split(' ');
    const { stdout, stderr } = spawnSync(program, [...words, '-c', script], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout;
  }

  test.each([
    ['none', '', 100000],
    ['decimal', 'a:100000:65536\n', 165536],
    ['with leading zeros, which are decimal to dockerd', 'a:0200000:00065536\nb:000:10\n', 265536],
    ['without a final newline, and lines that are none', 'x\n:1:2\na:b:c\nd:300000:1', 300001],
  ])('the first free range of subuid: %s', (_, text, next) => {
    const file = join(directory, 'subuid');
    writeFileSync(file, text);
    const [, functions = ''] = /(next_range\(\) \{\n.*?\n\})\n/s.exec(moduleText('apply/validate.sh')) ?? [];
    expect(run(`${functions}\nnext_range '${file}' '${directory}/none'; printf %s "$next"`)).toBe(`${next}`);
  });

  test('a service of sysvinit starts at a boot by a link in any of its runlevels, or in the one of the boot', () => {
    const etc = join(directory, 'etc');
    for (const level of ['2', '3', 'S', '6']) mkdirSync(join(etc, `rc${level}.d`), { recursive: true });
    const functions = moduleText('init/facts.sh').replaceAll('/etc/', `${etc}/`);
    const starts = () => run(`host_kind=sysvinit\n${functions}\nstarts_at_boot && printf yes || printf no`);
    symlinkSync('x', join(etc, 'rc6.d/S01docker'));
    expect(starts()).toBe('no');
    symlinkSync('x', join(etc, 'rc3.d/S01docker'));
    expect(starts()).toBe('yes');
    writeFileSync(join(etc, 'inittab'), 'id:2:initdefault:\n');
    expect(starts()).toBe('no');
    rmSync(etc, { recursive: true });
  });

  test('labels are restored of what is there', () => {
    writeFileSync(join(directory, 'created'), `${directory}\n${directory}/none\n`);
    writeFileSync(join(directory, 'manifest'), '');
    const [, labels = ''] = /(restore_labels\(\) \{\n.*?\n\})\n/s.exec(moduleText('apply/switch.sh')) ?? [];
    const stubs = 'selinuxenabled() { :; }; restorecon() { echo "$*" >&5; }; exec 5>&1';
    expect(run(`${labels}\n${stubs}\nT='${directory}' CREATED='${directory}/created' TAB='\t'; restore_labels`)).toBe(
      `-- ${directory}\n`,
    );
  });

  test.each(['yes', 'no'])('a failed rollback waits for the daemon that ran before: %s', (ran) => {
    mkdirSync(join(directory, 'txn'), { recursive: true });
    for (const [name, text] of Object.entries({ failed: '', settings: `DAEMON='stop'\nWAS_ACTIVE='${ran}'\n` }))
      writeFileSync(join(directory, 'txn', name), text);
    const [line = ''] = /^awaits_daemon\(\) .*$/m.exec(moduleText('facts/records.sh')) ?? [];
    expect(run(`STATE='${directory}'\n${line}\nawaits_daemon && printf yes || printf no`)).toBe(ran);
  });

  test.each([
    ['in the PATH of the unit', (home: string) => `Environment=PATH=${home}/tools:/usr/bin\n`],
    ['in its PATH below %h', () => 'Environment="PATH=%h/tools:/usr/bin"\n'],
  ])('the dockerd of a user that does not run is found %s', (_, unit) => {
    const home = join(directory, 'home');
    mkdirSync(join(home, 'tools'), { recursive: true });
    writeFileSync(join(home, 'tools/dockerd'), '#!/bin/sh\n');
    chmodSync(join(home, 'tools/dockerd'), 0o755);
    const fragment = join(directory, 'docker.service');
    writeFileSync(fragment, `[Service]\n${unit(home)}ExecStart=/usr/share/contrib/dockerd-rootless.sh\n`);
    const script = [
      "NL='\n'",
      moduleText('rootless/facts.sh'),
      'file() { :; }',
      `pid=0 dockerd= home='${home}' fragment='${fragment}' dropins=`,
      'read_own_daemon; find_own_program; printf %s "$dockerd"',
    ].join('\n');
    expect(run(script)).toBe(join(home, 'tools/dockerd'));
  });

  test.each([
    ['-DH unix:///a -g /data', '/a /data'],
    ['-DHunix:///a -g=/data', '/a /data'],
    ['-ldebug -H=unix:///a --data-root /data', '/a /data'],
    ['-Dl debug -H unix:///a -D=true', '/a '],
    ['-- -H unix:///a -g /data', ' '],
  ])('the arguments of the dockerd that runs: %s', (words, found) => {
    const proc = join(directory, 'cmdline');
    writeFileSync(proc, `dockerd\0${words.split(' ').join('\0')}\0`);
    const text = moduleText('audit/arguments.sh').replace('"/proc/$dockerd/cmdline"', `'${proc}'`);
    const none = 'dockerd=1 own_socket= data_root= socket=/none uses_tls=';
    expect(run(`${none}\n${text}\nread_arguments; printf '%s %s' "$own_socket" "$data_root"`)).toBe(found);
  });

  test('inputs of units are looked at whole, also with blanks and patterns in their names', () => {
    const inputs = mkdtempSync(join(directory, 'inputs-'));
    for (const name of ['my env', 'a.conf', 'b.conf']) writeFileSync(join(inputs, name), '');
    const shown = [
      `EnvironmentFiles=${inputs}/my env (ignore_errors=yes)`,
      `EnvironmentFiles=${inputs}/*.conf (ignore_errors=no)`,
      `ExecStartPre={ path=${inputs}/before it ; argv[]=${inputs}/before it x ; ignore_errors=no ; pid=0 }`,
    ];
    const said = run(`socket=/none tls_ca= tls_cert= tls_key= data_root= gnu_stat=no
      systemctl() { cat <<'SHOWN'\n${shown.join('\n')}\nSHOWN\n}
      stat_files() { for file in "$@"; do case $file in '${inputs}'*) printf '%s\n' "$file" ;; esac; done; }
      end() { printf '@ %s\n' "$1"; }; getent() { :; }; find() { :; }; stat() { :; }; xargs() { :; }
      ${moduleText('audit/files.sh')}
      file_facts`);
    const listed = ['a.conf', 'b.conf', 'before it', 'my env'].map((name) => `${inputs}/${name}`);
    expect(said.split('@ unit-inputs')[0]?.trim().split('\n').sort()).toEqual(listed);
    expect(said.split('\n')).toEqual(expect.arrayContaining([...listed, inputs]));
  });

  test('what sshd says is compared with the drop-in in the words of every version', () => {
    const dropIn = join(directory, 'drop-in.conf');
    writeFileSync(
      dropIn,
      '# Written\nTCPKeepAlive no\nPermitRootLogin prohibit-password\nMaxSessions 2\nX11Forwarding no\n',
    );
    const [compare = ''] = /compare_sshd\(\) \{\n[\s\S]*?\n\}/.exec(moduleText('apply/switch.sh')) ?? [];
    const found = (said: string) =>
      run(`T='${directory}' SSHD_DROP_IN='${dropIn}' OPERATOR=root
        effective_sshd() { printf '%b' '${said}'; }
        warn() { printf '%s\n' "$1"; }
        ${compare}
        compare_sshd`);
    expect(found('tcpkeepalive no\\npermitrootlogin without-password\\nmaxsessions 2\\nx11forwarding no\\n')).toBe('');
    expect(found('TCPKeepAlive false\\nPermitRootLogin prohibit-password\\nMaxSessions 2\\nX11Forwarding no\\n')).toBe(
      '',
    );
    const wrong = found('TCPKeepAlive true\\nMaxSessions 2\\nX11Forwarding yes\\n');
    expect(wrong).toMatch(
      /^sshd: for root TCPKeepAlive is yes and not no: .*\nsshd: for root X11Forwarding is yes and not no: /,
    );
  });

  describe('a changelog', () => {
    /** What the audit's script says of runc; `rpm`: what that program does. */
    const said = (manager: 'deb' | 'rpm', files: Readonly<Record<string, Uint8Array | string>>, rpm: string) => {
      const doc = mkdtempSync(join(directory, 'doc-'));
      mkdirSync(join(doc, 'runc'));
      for (const [name, content] of Object.entries(files)) writeFileSync(join(doc, 'runc', name), content);
      const programs = { 'dpkg-query': "echo 'installed runc 1.1.15-1'", rpm, 'apt-cache': '', systemctl: '' };
      for (const [name, text] of Object.entries(programs))
        writeFileSync(join(doc, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      const query = manager === 'deb' ? 'dpkg-query' : 'rpm';
      return run(`PATH='${doc}':$PATH
        end() { printf '[%s]' "$1"; }
        command() { [ "$2" = ${query} ]; }
        certificates() { :; }
        # busybox has one of its own.
        rpm() { '${doc}/rpm' "$@"; }
        ${moduleText('audit/software.sh').replaceAll('/usr/share/doc', doc)}
        software_facts 2>/dev/null`).replaceAll('\n', ' ');
    };
    const text = 'runc (2)\n  * CVE-2024-1111\n -- A <a@b>  Mon, 05 Feb 2024 10:00:00 +0000\n';

    test.each([
      ['compressed', { 'changelog.Debian.gz': gzipSync(text) }, /CVE-2024-1111.*\[changelog runc\]/],
      ['as it is', { 'changelog.Debian': text }, /CVE-2024-1111.*\[changelog runc\]/],
      ['damaged', { 'changelog.Debian.gz': gzipSync(text).subarray(0, 40) }, /^(?!.*changelog runc)/],
      ['of nobody', {}, /^(?!.*changelog runc)/],
    ])('%s', (_, files, seen) => {
      // The rpm of a Debian host says of every package that it is not there.
      expect(said('deb', files, "echo 'package runc is not installed'")).toMatch(seen);
    });

    test('of an rpm says nothing of what is older than its last entry', () => {
      const rpm = (log: string) => `case $2 in --qf) echo 'installed runc 1.1.15-1' ;; *) printf '%b' '${log}' ;; esac`;
      const log = '* Tue Jan  2 2024 A <a@b> - 2\\n- CVE-2024-2222\\n* Mon Dec 18 2023 A <a@b> - 1\\n- first\\n';
      expect(said('rpm', {}, rpm(log))).toMatch(/CVE-2024-2222.*since 2023/);
      expect(said('rpm', {}, rpm('(none)\\n'))).not.toContain('changelog runc');
    });
  });
});
