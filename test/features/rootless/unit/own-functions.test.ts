/** Single functions of the scripts for a user's own daemon, in the shells that hosts have. */

import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { afterAll, describe, expect, test } from 'vitest';
import ownFacts from '../../../../src/features/rootless/host/facts.sh';
import { runIn, SHELLS } from '../../../support/module-shell.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-functions-'));
afterAll(() => removeSync(directory));

describe.each(SHELLS)('by %s', (shell) => {
  const run = (script: string) => runIn(shell, script);

  test.each([
    ['in the PATH of the unit', (home: string) => `Environment=PATH=${home}/tools:/usr/bin\n`],
    ['in its PATH below %h', () => 'Environment="PATH=%h/tools:/usr/bin"\n'],
  ])('the dockerd of a user that does not run is found %s', (_, unit) => {
    const home = join(directory, 'home');
    ensureDirSync(join(home, 'tools'));
    writeFileSync(join(home, 'tools/dockerd'), '#!/bin/sh\n');
    chmodSync(join(home, 'tools/dockerd'), 0o755);
    const fragment = join(directory, 'docker.service');
    writeFileSync(fragment, `[Service]\n${unit(home)}ExecStart=/usr/share/contrib/dockerd-rootless.sh\n`);
    const script = [
      "NL='\n'",
      ownFacts,
      'file() { :; }; find_program() { :; }',
      `pid=0 dockerd= home='${home}' fragment='${fragment}' dropins=`,
      'read_own_daemon; find_own_program; printf %s "$dockerd"',
    ].join('\n');
    expect(run(script)).toBe(join(home, 'tools/dockerd'));
  });
});
