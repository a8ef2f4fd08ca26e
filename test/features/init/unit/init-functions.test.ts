/** Single functions of the scripts for hosts with init scripts, in the shells that hosts have. */

import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { afterAll, describe, expect, test } from 'vitest';
import initFacts from '../../../../src/features/init/host/facts.sh';
import { runIn, SHELLS } from '../../../support/module-shell.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-functions-'));
afterAll(() => removeSync(directory));

describe.each(SHELLS)('by %s', (shell) => {
  const run = (script: string) => runIn(shell, script);

  test('a service of sysvinit starts at a boot by a link in any of its runlevels, or in the one of the boot', () => {
    const etc = join(directory, 'etc');
    for (const level of ['2', '3', 'S', '6']) ensureDirSync(join(etc, `rc${level}.d`));
    const functions = initFacts.replaceAll('/etc/', `${etc}/`);
    const starts = () => run(`host_kind=sysvinit\n${functions}\nstarts_at_boot && printf yes || printf no`);
    symlinkSync('x', join(etc, 'rc6.d/S01docker'));
    expect(starts()).toBe('no');
    symlinkSync('x', join(etc, 'rc3.d/S01docker'));
    expect(starts()).toBe('yes');
    writeFileSync(join(etc, 'inittab'), 'id:2:initdefault:\n');
    expect(starts()).toBe('no');
    removeSync(etc);
  });
});
