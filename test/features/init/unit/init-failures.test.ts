/** Modules of the scripts for hosts with init scripts under failures of the host: each in a separate shell, with functions in place of programs. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import initRecovery from '../../../../src/features/init/host/recovery.sh';
import initService from '../../../../src/features/init/host/service.sh';
import { moduleShell } from '../../../support/module-shell.ts';

const shell = moduleShell();
const { sh } = shell;

describe('init: sshd is told to read its configuration', () => {
  const told = (back: string, runs: number): string =>
    sh(
      initService,
      `cat() { return 1; }; grep() { [ ${runs} = 1 ] || echo /proc/7/comm; }; is_sshd() { [ "$1" = 7 ]; }; T=${shell.directory} BACK=${back} REMARK= STEP=`,
      'apply_sshd; echo "$? $STEP $REMARK"',
    );

  test('where none runs there is nothing to do', () => {
    expect(told('no', 1)).toBe('0');
  });

  test('one that cannot be reloaded fails a change, and is a remark of a rollback', () => {
    expect(told('no', 0)).toBe('1 reload-sshd');
    expect(told('yes', 0)).toSay('sshd-could-not-reloaded', '0');
  });
});

test('init: a timer that was forgotten does not end the next change', () => {
  writeFileSync(join(shell.directory, 'rollback.sh'), 'echo undone\n');
  const timer = (more: string): string =>
    sh(`T=${shell.directory}; sleep() { ${more}; }; set -- timer 1`, initRecovery.replace('exec /bin/sh', 'sh'));
  expect(timer(':')).toBe('undone');
  expect(timer('echo 1 >$T/timer')).toBe('');
});
