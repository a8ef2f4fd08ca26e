/** sshd of a host without systemd, after a change of its settings. The real script, with its own processes. */

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { BY_SYSVINIT } from '../../../../src/features/init/host/scripts.ts';
import { scriptOf } from '../../../support/host-script.ts';

const SCRIPT = scriptOf('sysvinit', BY_SYSVINIT);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-sshd-'));
  for (const name of ['run', 'bin', 'etc/init.d']) mkdirSync(join(directory, name), { recursive: true });
  // A program of that name: the kernel shows it as `sshd`.
  copyFileSync('/usr/bin/sleep', join(directory, 'bin/sshd'));
  chmodSync(join(directory, 'bin/sshd'), 0o755);
  writeFileSync(
    join(directory, 'etc/init.d/ssh'),
    `#!/bin/sh\n{ echo "$1 $(umask)"; sed -n 's/^SigIgn:.*\\(....\\)$/ignored \\1/p' /proc/self/status; } >>${directory}/told\n`,
    { mode: 0o755 },
  );
  return () => rmSync(directory, { recursive: true, force: true });
});

/** `titles`: of processes called sshd. */
function reload(shell: string, titles: readonly string[], pidFile = false): string {
  const text = `mount --bind ${directory}/run /run && mount --bind ${directory}/etc /etc || exit 9
    ${titles
      .map(
        (title) => `bash -c 'exec -a "${title}" ${directory}/bin/sshd 300' & last=$!
    until [ "$(cat /proc/$last/comm)" = sshd ]; do sleep 0.02; done`,
      )
      .join('\n')}
    ${pidFile ? 'echo $last >/run/sshd.pid' : ''}
    exec ${shell} -c 'set --; T=${directory}; . ${SCRIPT}
      BACK=yes LIMIT=5; : >$T/sshd; trap "" HUP PIPE; sleep() { :; }; apply_sshd; echo "$? $REMARK"'`;
  const { stdout, stderr } = spawnSync(
    'unshare',
    ['-m', '--propagation', 'private', '--pid', '--fork', '--mount-proc', '--kill-child', 'sh', '-c', text],
    { encoding: 'utf8', timeout: 60_000 },
  );
  return stdout + stderr;
}
const told = (): string => {
  const file = join(directory, 'told');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

describe.skipIf(process.getuid?.() !== 0).each(['dash', 'bash', 'busybox sh'])('by %s', (shell) => {
  test('one that has died is started although sessions live on, as init would start it', () => {
    expect(reload(shell, ['sshd: root@notty', 'sshd: bob [priv]'])).toBe('0 \n');
    expect(told()).toMatch(/^start 0022\nignored .{3}[0-9a-f]\n$/);
    // Neither HUP (1) nor PIPE (13).
    expect(Number.parseInt(told().slice(-5), 16) & 0x1001).toBe(0);
  });

  test.each([
    ['since OpenSSH 8.2', 'sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups'],
    ['before', '/usr/sbin/sshd'],
  ])('one that listens is not started again (%s)', (_, title) => {
    expect(reload(shell, ['sshd: root@notty', title])).toSay('sshd-could-not-reloaded', '0');
    expect(told()).toBe('');
  });

  test('a session is not taken for it where it has its old number', () => {
    expect(reload(shell, ['sshd: root@notty'], true)).toBe('0 \n');
    expect(told()).toContain('start');
  });
});
