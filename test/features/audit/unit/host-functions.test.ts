/** Single functions of the audit's scripts, in the shells that hosts have. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { runIn, SHELLS } from '../../../support/module-shell.ts';

const HOST = new URL('../../../../src/features/audit/host/', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-functions-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function moduleText(name: string): string {
  return readFileSync(join(HOST, name), 'utf8');
}

/** Inputs that the script names; this machine may have plugins as well. */
function listedIn(said: string, inputs: string): readonly string[] | undefined {
  const lines = said.split('@ unit-inputs')[0]?.trim().split('\n');
  return lines?.filter((line) => line.startsWith(inputs)).sort();
}

describe.each(SHELLS)('by %s', (shell) => {
  const run = (script: string) => runIn(shell, script);

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
    expect(listedIn(said, inputs)).toEqual(listed);
    expect(said.split('\n')).toEqual(expect.arrayContaining([...listed, inputs]));
  });

  test('runtimes, plugins and imports of containerd are inputs too', () => {
    const inputs = mkdtempSync(join(directory, 'inputs-'));
    mkdirSync(join(inputs, 'plugins'));
    writeFileSync(join(inputs, 'plugins', 'docker-tls'), '');
    writeFileSync(
      join(inputs, 'config.toml'),
      `version = 3\nimports = [ # all\n  "${inputs}/more.toml",\n  # "${inputs}/none.toml",\n  '${inputs}/second.toml',\n]\n[x]\n`,
    );
    const text = moduleText('audit/files.sh')
      .replace('/usr/libexec/docker/cli-plugins', `${inputs}/plugins`)
      .replaceAll('/etc/containerd/config.toml', `${inputs}/config.toml`);
    const said = run(`socket=/none tls_ca= tls_cert= tls_key= data_root= gnu_stat=no
      flat='{ "runtimes": { "mine": { "path": "${inputs}/my runtime" } } }'
      systemctl() { :; }; stat_files() { :; }; end() { printf '@ %s\n' "$1"; }
      getent() { :; }; find() { :; }; stat() { :; }; xargs() { :; }
      ${text}
      file_facts`);
    const listed = ['more.toml', 'my runtime', 'plugins/docker-tls', 'second.toml'].map((name) => `${inputs}/${name}`);
    expect(listedIn(said, inputs)).toEqual(listed);
  });

  test('directories of plugins are looked at, also empty ones', () => {
    const said = run(`socket=/none tls_ca= tls_cert= tls_key= data_root= gnu_stat=no flat=
      systemctl() { :; }; end() { :; }; getent() { :; }; find() { :; }; stat() { :; }; xargs() { :; }
      stat_files() { printf '%s\\n' "$@"; }
      ${moduleText('audit/files.sh')}
      file_facts`);
    const directories = ['/etc/docker/plugins', '/root/.docker/cli-plugins', '/usr/local/libexec/docker/cli-plugins'];
    expect(said.split('\n')).toEqual(expect.arrayContaining(directories));
  });

  test.each([
    ['the stamp of apt', { 'lists/x_InRelease': 1000, 'periodic/update-success-stamp': 2000 }, '2000'],
    ['the newest file of the index', { 'lists/x_InRelease': 1000, 'lists/y_Release': 1500 }, '1500'],
  ])('the age of the index is that of %s, not of a failed update', (_, files, age) => {
    const apt = mkdtempSync(join(directory, 'apt-'));
    for (const name of ['lists/partial', 'periodic']) mkdirSync(join(apt, name), { recursive: true });
    for (const [name, seconds] of Object.entries({ 'lists/x_Packages': 0, ...files })) {
      writeFileSync(join(apt, name), '');
      utimesSync(join(apt, name), seconds, seconds);
    }
    for (const name of ['dpkg-query', 'apt-cache', 'systemctl'])
      writeFileSync(join(apt, name), '#!/bin/sh\n', { mode: 0o755 });
    const said = run(`PATH='${apt}':$PATH
      end() { printf '[%s]' "$1"; }
      command() { [ "$2" = dpkg-query ]; }
      certificates() { :; }
      data_root=
      ${moduleText('audit/software.sh').replaceAll('/var/lib/apt', apt)}
      software_facts 2>/dev/null`);
    expect(said).toContain(`${age}\n[packages-index]`);
  });

  test('candidates of apt: no source has it, or a source has a newer one', () => {
    const of = (name: string, version: string, table: string) =>
      `${name}:\n  Installed: ${version}\n  Candidate: ${version}\n  Version table:\n${table}`;
    const source = '        500 https://download.docker.com/linux/debian trixie/stable amd64 Packages\n';
    const dpkg = '        100 /var/lib/dpkg/status\n';
    const policy = [
      of('docker-ce', '5:29.0', ` *** 5:29.0 500\n${source}${dpkg}     5:28.0 500\n${source}`),
      of('containerd.io', '1.7', ` *** 1.7 100\n${dpkg}`),
      of('runc', '1.1', `     1.3 -10\n${source} *** 1.1 1001\n${source}${dpkg}`),
    ].join('');
    const said = run(`${moduleText('audit/software.sh')}\ncandidates <<'POLICY'\n${policy}POLICY\n`);
    expect(said).toBe('docker-ce 5:29.0\ncontainerd.io 1.7 gone\nrunc 1.1 newer\n');
  });

  describe('a changelog', () => {
    /** The audit script's report on runc; `rpm`: the behaviour of that program. */
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
      // On a Debian host rpm reports every package as missing.
      expect(said('deb', files, "echo 'package runc is not installed'")).toMatch(seen);
    });

    test('of an rpm says nothing of what is older than its last entry', () => {
      const rpm = (log: string) => `case $2 in --qf) echo 'installed runc 1.1.15-1' ;; *) printf '%b' '${log}' ;; esac`;
      const log = '* Tue Jan  2 2024 A <a@b> - 2\\n- CVE-2024-2222\\n* Mon Dec 18 2023 A <a@b> - 1\\n- first\\n';
      expect(said('rpm', {}, rpm(log))).toMatch(/CVE-2024-2222.*since 2023/);
      expect(said('rpm', {}, rpm('(none)\\n'))).not.toContain('changelog runc');
    });
  });

  test.each([
    ['none', '', 100000],
    ['decimal', 'a:100000:65536\n', 165536],
    ['with leading zeros, which are decimal to dockerd', 'a:0200000:00065536\nb:000:10\n', 265536],
    ['without a final newline, and lines that are none', 'x\n:1:2\na:b:c\nd:300000:1', 300001],
  ])('the first free range of subuid: %s', (_, text, next) => {
    const file = join(directory, 'subuid');
    writeFileSync(file, text);
    const [, functions = ''] = /(next_range\(\) \{\n.*?\n\})\n/s.exec(moduleText('change/remap-user.sh')) ?? [];
    expect(run(`${functions}\nnext_range '${file}' '${directory}/none'; printf %s "$next"`)).toBe(`${next}`);
  });

  test('what sshd says is compared with the drop-in in the words of every version', () => {
    const dropIn = join(directory, 'drop-in.conf');
    writeFileSync(
      dropIn,
      '# Written\nTCPKeepAlive no\nPermitRootLogin prohibit-password\nMaxSessions 2\nX11Forwarding no\n',
    );
    const [compare = ''] = /compare_sshd\(\) \{\n[\s\S]*?\n\}/.exec(moduleText('change/sshd.sh')) ?? [];
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
    expect(wrong).toSay('sshd-yes-not-no', 'root', 'TCPKeepAlive', 'X11Forwarding');
  });
});
