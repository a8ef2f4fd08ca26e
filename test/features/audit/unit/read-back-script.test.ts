/** Records of opened files in the log of auditd, in the shells that hosts have. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const SCRIPT = new URL('../../../../src/features/audit/host/audit/read-back.sh', import.meta.url);
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-read-back-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Records as of auditd 4 (RAW): fields between pid and key are left out. */
const SYSCALL =
  'type=SYSCALL msg=audit($time.123:$n): arch=c000003e syscall=257 success=yes ppid=1 pid=$shell auid=0 key=';
const PATH = 'type=PATH msg=audit($time.123:$n): item=1 name="$file" inode=7 dev=fd:00 mode=0100644';

describe.each(['dash', 'bash', 'busybox sh'])('by %s', (shell) => {
  /** What the script prints of three files; `write` is shell, and makes the log while the script waits. */
  function said(write: string, units = '') {
    const host = mkdtempSync(join(directory, 'host-'));
    const files = ['/etc/docker/daemon.json', '/etc/default/docker', '/usr/lib/systemd/system/docker.service'];
    for (const path of ['/etc/docker', '/etc/default', '/usr/lib/systemd/system', '/etc/audit'])
      mkdirSync(join(host, path), { recursive: true });
    for (const path of files) {
      writeFileSync(join(host, path), '{}');
      utimesSync(join(host, path), 1000, 1000);
    }
    writeFileSync(join(host, '/etc/audit/auditd.conf'), `log_file = ${host}/log\n`);
    writeFileSync(join(host, 'log'), '');
    const script = readFileSync(SCRIPT, 'utf8')
      .replaceAll('/etc/', `${host}/etc/`)
      .replaceAll('/usr/lib/', `${host}/usr/lib/`)
      .replaceAll('/proc/self/loginuid', '/proc/self/stat');
    const [program = '', ...words] = shell.split(' ');
    const functions = `end() { printf -- '--end %s\n' "$1"; }
      systemctl() { printf '%s\n' '${units.replaceAll('HOST', host)}'; }
      record() { n=$((n + 1)) time=$(date +%s); for file in ${files.map((path) => host + path).join(' ')}; do eval "$1"; done >>'${host}/log'; }
      lines() { printf '%s\n' "${SYSCALL.replaceAll('"', '\\"')}$1" "${PATH.replaceAll('"', '\\"')}"; }
      n=0; sleep() { [ "$n" != 0 ] || { ${write}; }; n=$((n + 1)); }`;
    const { stdout, stderr } = spawnSync(program, [...words, '-c', `TOUCH=yes\n${functions}\n${script}\nread_back`], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    for (const path of files)
      expect([statSync(join(host, path)).size, statSync(join(host, path)).mtimeMs]).toEqual([2, 1e6]);
    return stdout.replaceAll(host, '').split('\n--end')[0]?.split('\n');
  }
  const all = (word: string) =>
    ['/etc/docker/daemon.json', '/etc/default/docker', '/usr/lib/systemd/system/docker.service'].map(
      (path) => `${word} ${path}`,
    );

  test.each([
    ['a key', '\\"docker\\"'],
    ['no key', '(null)'],
    ['two keys', '646F636B6572016F74686572'],
  ])('a record of a rule with %s is one', (_, key) => {
    expect(said(`record 'lines "${key}"'`)).toEqual(all('+'));
  });

  test('a record of another process, of an earlier one with the same ID, or none is no record', () => {
    expect(said(':')).toEqual(all('-'));
    expect(said(`record 'lines "(null)" | sed "s/ pid=/ pid=1/"'`)).toEqual(all('-'));
    expect(said(`record 'time=$((time - 100)); lines "(null)"'`)).toEqual(all('-'));
    expect(said(`record 'lines "(null)" | grep -v default'`)).toEqual([all('+')[0], all('-')[1], all('+')[2]]);
  });

  test('a file that a path unit watches, or its directory, is not opened', () => {
    const units = [
      'Paths=HOST/etc/docker/daemon.json (PathModified)',
      '',
      'Paths=HOST/usr/lib/systemd/system (PathChanged)',
      'Paths=HOST/etc/default/docker (PathExists)',
    ].join('\n');
    expect(said(`record 'lines "(null)"'`, units)).toEqual([all('path')[0], all('path')[2], all('+')[1]]);
  });
});
