/** Generations and credentials that a host keeps, also with a find (busybox) without -printf. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { expect, test } from 'vitest';
import { rollbackScript } from '../../support/host-script.ts';

const SCRIPT = rollbackScript;

test.each([
  ['of any kind', ''],
  ['without -printf', 'find() { case "$*" in *-printf*) return 1 ;; esac; command find "$@"; }'],
])('the newest stay, by a find %s', (_, find) => {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-prune-'));
  try {
    const [state, tls] = [join(directory, 'state'), join(directory, 'tls')];
    for (const generation of [1, 2, 9, 10, 11]) {
      ensureDirSync(join(state, `generations/${generation}`));
      symlinkSync(`${generation}`, join(state, `generations/${generation}/1`));
      ensureDirSync(join(tls, `${generation}`));
    }
    // The administrator's own file: no record lists it.
    mkdirSync(join(tls, '77'));
    symlinkSync('11', join(tls, 'current'));
    writeFileSync(join(state, 'created'), `${[1, 2, 9, 10, 11].map((number) => `${tls}/${number}`).join('\n')}\n`);
    const { status, stderr } = spawnSync(
      'sh',
      [
        '-c',
        `${find}\nT=${state}/txn\nset --\n. ${SCRIPT}\nTLS_DIRECTORY=${tls} KEEP=2 GENERATION=11 STATE=${state}\nprune`,
      ],
      { encoding: 'utf8' },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(readdirSync(join(state, 'generations')).sort()).toEqual(['10', '11']);
    expect(readdirSync(tls).sort()).toEqual(['10', '11', '77', 'current']);
  } finally {
    removeSync(directory);
  }
});
