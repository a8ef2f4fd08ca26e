/** What the audit's script says of accounts, in the shells that hosts have. */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const SCRIPT = new URL('../../../../src/features/audit/host/audit/accounts.sh', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-accounts-'));
// Others than root run the script as well.
chmodSync(directory, 0o755);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.each(['dash', 'bash', 'busybox sh'])('by %s', (shell) => {
  /** Sections of the script on a host with these files. */
  function said(
    files: Readonly<Record<string, string>>,
    functions = '',
    shut: readonly string[] = [],
  ): Readonly<Record<string, string>> {
    const host = mkdtempSync(join(directory, 'host-'));
    chmodSync(host, 0o755);
    for (const [path, text] of Object.entries({ '/etc/group': '', '/etc/passwd': '', '/etc/shadow': '', ...files })) {
      mkdirSync(dirname(join(host, path)), { recursive: true });
      writeFileSync(join(host, path), text.replaceAll(':/', `:${host}/`).replaceAll('HOST', host));
    }
    for (const path of shut) chmodSync(join(host, path), 0);
    // Permissions are not for root.
    const other = shut.length > 0 && process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const script = readFileSync(SCRIPT, 'utf8').replaceAll(/(?<=[\s{'"#])\/(?=(?:etc|root|home)\b)/g, `${host}/`);
    const [program = '', ...words] = shell.split(' ');
    const { stdout } = spawnSync(
      program,
      [...words, '-c', `${FUNCTIONS}\n${functions.replaceAll('HOST', host)}\n${script}\naccounts_facts`],
      { encoding: 'utf8', ...other },
    );
    for (const path of shut) chmodSync(join(host, path), 0o755);
    const parts = stdout.replaceAll(host, '').split(/\n?--end (.*)\n/);
    return Object.fromEntries(parts.flatMap((text, at) => (at % 2 === 0 ? [[parts[at + 1] ?? '', text]] : [])));
  }

  test('sudoers: uids are no comments, and a file of more than 64 KiB is not cut in silence', () => {
    const { sudoers } = said({
      '/etc/sudoers': '#1001 ALL=ALL\n  # %ops ALL=ALL\n# a comment\n@includedir HOST/etc/sudoers.d\n\n ci ALL=ALL\n',
      '/etc/sudoers.d/large': `${'# a comment\n'.repeat(6000)}ci ALL=(ALL) NOPASSWD: ALL\n`,
      '/etc/sudoers.d/left.out': 'ci ALL=ALL\n',
      '/etc/sudoers.d/left~': 'ci ALL=ALL\n',
      '/etc/sudoers.d/small': 'ada ALL=ALL\n',
      '/etc/sudoers.d/ with space': 'bob ALL=ALL\n',
    });
    expect(sudoers?.trim().split('\n')).toEqual([
      '/etc/sudoers:#1001 ALL=ALL',
      '/etc/sudoers: ci ALL=ALL',
      '/etc/sudoers.d/ with space:bob ALL=ALL',
      '/etc/sudoers.d/large:@include of more than 64 KiB',
      '/etc/sudoers.d/small:ada ALL=ALL',
    ]);
  });

  test('sudoers: includes of every form are followed, and those that cannot be are named', () => {
    const { sudoers } = said({
      '/etc/sudoers': [
        '#include HOST/etc/one',
        '@include two   ',
        '\t@include "HOST/etc/with space"',
        '#includedir HOST/etc/more/',
        '@include HOST/etc/host-%h',
        '@include HOST/etc/sudoers',
        '@include HOST/etc/missing',
        '@include HOST/etc/with\\ backslash',
        'ci ALL=ALL',
      ].join('\n'),
      '/etc/one': 'a ALL=ALL\n@include one\n@include deep/three\n',
      '/etc/deep/three': 'c ALL=ALL\n@include four\n',
      '/etc/deep/four': 'd ALL=ALL\n',
      '/etc/two': 'b ALL=ALL\n',
      '/etc/with space': 'e ALL=ALL\n',
      '/etc/more/f': 'f ALL=ALL\n',
      '/etc/more/f.dpkg-old': 'g ALL=ALL\n',
      [`/etc/host-${hostname().split('.')[0]}`]: 'h ALL=ALL\n',
    });
    expect(sudoers?.trim().split('\n')).toEqual([
      '/etc/sudoers:ci ALL=ALL',
      '/etc/one:a ALL=ALL',
      '/etc/deep/three:c ALL=ALL',
      '/etc/deep/four:d ALL=ALL',
      '/etc/two:b ALL=ALL',
      '/etc/with space:e ALL=ALL',
      '/etc/more/f:f ALL=ALL',
      `/etc/host-${hostname().split('.')[0]}:h ALL=ALL`,
      '/etc/sudoers:@include /etc/with\\ backslash',
    ]);
  });

  test('sudoers: what this user cannot read is named', () => {
    const files = {
      '/etc/sudoers': '@includedir HOST/etc/sudoers.d\n@include HOST/etc/deep/one\n@include HOST/etc/none/two\n',
      '/etc/sudoers.d/ci': 'ci ALL=(ALL) NOPASSWD: ALL\n',
      '/etc/deep/one': 'ada ALL=(ALL) NOPASSWD: ALL\n',
    };
    const lines = (...shut: string[]) => said(files, '', shut).sudoers?.trim().split('\n');
    const [ci, one] = ['/etc/sudoers.d/ci:ci ALL=(ALL) NOPASSWD: ALL', '/etc/deep/one:ada ALL=(ALL) NOPASSWD: ALL'];
    expect(lines()).toEqual([ci, one]);
    expect(lines('/etc/sudoers')).toEqual(['/etc/sudoers:@include cannot be read']);
    expect(lines('/etc/sudoers.d/ci')).toEqual(['/etc/sudoers.d/ci:@include cannot be read', one]);
    expect(lines('/etc/sudoers.d')).toEqual(['/etc/sudoers.d:@includedir cannot be read', one]);
    expect(lines('/etc/deep')).toEqual([ci, '/etc/deep/one:@include cannot be read']);
  });

  test("keys of root's, where sshd looks for them", () => {
    const key = `ssh-ed25519 ${'A'.repeat(68)}`;
    const at = (files: string) =>
      said(
        {
          '/etc/passwd': 'root:x:0:0::/root:\n',
          '/root/.ssh/authorized_keys': `${key} default`,
          '/root/.ssh/authorized_keys2': `${key} second`,
          '/root/keys': `${key} relative`,
          '/etc/ssh/keys/root': `${key} by name`,
          '/root/other': `${key} of the home`,
        },
        `effective_sshd() { echo port 22; echo 'authorizedkeysfile ${files}'; }`,
      )
        ['root-keys']?.trim()
        .split('\n')
        .map((line) => line.split(' ').slice(2).join(' '));
    expect(at('.ssh/authorized_keys .ssh/authorized_keys2')).toEqual(['default', 'second']);
    expect(at('HOST/etc/ssh/keys/%u %h/other keys')).toEqual(['by name', 'of the home', 'relative']);
    expect(at('none')).toEqual(['']);
  });

  test('logins of registries: in every home, with the directories above', () => {
    const [login, none] = ['{"auths": {"x": {"auth": "YTpi"}}}', '{"auths": {"x": {}}}'];
    const logins = said({
      '/etc/passwd': 'root:x:0:0::/root:\nweb:x:33:33::/home/of the web:\n',
      '/root/.docker/config.json': login,
      '/home/of the web/.docker/config.json': login,
      '/home/ldap/.docker/config.json': login,
      '/home/ci/.docker/config.json': none,
    })['registry-logins'];
    const listed = logins?.trim().split('\n');
    for (const home of ['/root', '/home/of the web', '/home/ldap'])
      expect(listed).toEqual(expect.arrayContaining([`${home}/.docker/config.json`, `${home}/.docker`, home]));
    expect(logins).not.toContain('/home/ci');
  });

  test.each([
    ['root::0:0', 'root:*:1', 'empty'],
    ['root:x:0:0', 'root::1', 'empty'],
    ['root:x:0:0', 'root:!:1', 'locked'],
    ['root:x:0:0', 'root:$y$:1', 'set'],
    ['root:$y$:0:0', 'root::1', 'set'],
  ])("root's password, %s and %s: %s", (passwd, shadow, word) => {
    expect(said({ '/etc/passwd': `${passwd}\n`, '/etc/shadow': `${shadow}\n` })['root-password']?.trim()).toBe(word);
  });

  test("keys of root's, whatever follows them", () => {
    const [first, second, third] = ['A', 'B', 'C'].map((letter) => letter.repeat(68));
    const keys = said({
      '/root/.ssh/authorized_keys': [
        `ssh-ed25519 ${first} ada on her laptop`,
        `restrict,from="10.0.0.0/8" ssh-rsa  ${second} \r`,
        `ecdsa-sha2-nistp256 ${third}`,
        ` # ssh-ed25519 ${'D'.repeat(68)} gone`,
        `#ssh-ed25519 ${'E'.repeat(68)}`,
        '',
      ].join('\n'),
    })['root-keys'];
    expect(keys?.trim().split('\n')).toEqual([
      `ssh-ed25519 ${first} ada on her laptop`,
      `ssh-rsa  ${second} \r`,
      `ecdsa-sha2-nistp256 ${third}`,
    ]);
  });
});

const FUNCTIONS = `end() { printf '\\n--end %s\\n' "$1"; }
stat_files() { printf '%s\\n' "$@"; }
ss() { :; }
effective_sshd() { return 1; }`;
