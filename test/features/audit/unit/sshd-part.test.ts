/** sshd in a change and its rollback. The real script, with systemd's answers. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { BY_SYSTEMD } from '../../../../src/core/host/scripts.ts';
import { AUDIT_PARTS } from '../../../../src/features/audit/engine/change-parts.ts';
import { scriptOf } from '../../../support/host-script.ts';

const SCRIPT = scriptOf('sshd', BY_SYSTEMD, AUDIT_PARTS);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-sshd-'));
  return () => rmSync(directory, { recursive: true, force: true });
});

function run(shell: string, text: string): { stdout: string } {
  const [program = '', ...words] = shell.split(' ');
  return spawnSync(program, [...words, '-c', `set --; T=${directory}; . ${SCRIPT}; sleep() { :; }; ${text}`], {
    encoding: 'utf8',
  });
}

describe.each(['dash', 'bash', 'busybox sh'])('by %s', (shell) => {
  test('an sshd that died is started again by the rollback, and fails a change', () => {
    const dead = `systemctl() { case "$*" in '-q is-active'*) return 3 ;; *) echo "$*" ;; esac; }; echo ssh >$T/sshd`;
    expect(run(shell, `${dead}; BACK=yes; apply_sshd`).stdout).toBe('reset-failed ssh.service\nstart ssh.service\n');
    expect(run(shell, `rm -f $T/sshd; BACK=yes; apply_sshd`).stdout).toBe('');
    const dies = `/bin/sleep 60 & child=$!; main_pid() { pid=$child; }
      systemctl() { case "$*" in *'is-active ssh.service') kill -0 $child 2>/dev/null ;; *) return 3 ;; esac; }; sleep() { wait $child; }`;
    expect(run(shell, `${dies}; BACK=no STEP=; apply_sshd 2>/dev/null; echo "$? $STEP"; cat $T/sshd`).stdout).toBe(
      '1 reload-sshd\nssh\n',
    );
    // Also if the rollback itself signals the daemon, and the daemon then exits.
    const starts = dies.replace('*) return 3 ;;', 'reset*|start*) echo "$*" ;; *) return 3 ;;');
    expect(run(shell, `${starts}; BACK=yes; apply_sshd 2>/dev/null; echo $?`).stdout).toBe(
      'reset-failed ssh.service\nstart ssh.service\n0\n',
    );
  });
});
