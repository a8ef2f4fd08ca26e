/** If daemon.json has our TLS settings but not the port, the settings of an init script do not give dockerd the port without them. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { planHost } from '../../../../src/core/domain/plan/plan-host.ts';
import { renderScriptGuard } from '../../../../src/features/init/domain/script-guard.ts';
import { scriptFlags, withOurs } from '../../../../src/features/init/domain/settings-script.ts';
import { GUARDED, TRUST } from '../../../support/guarded-json.ts';
import { desired, factsOf } from '../../../support/host-facts.ts';

const JSON_FILE = '/etc/docker/daemon.json';
const directory = mkdtempSync(join(tmpdir(), 'json guard-'));
const file = join(directory, "daemon's.json");
afterAll(() => rmSync(directory, { recursive: true }));

test.each(GUARDED)(
  'with a daemon.json that is %s: the line of an init script, which is read with -e',
  (_, json, passes) => {
    if (json === undefined) rmSync(file, { force: true });
    else writeFileSync(file, json);
    const text = withOurs('', ['-H', 'tcp://0.0.0.0:2376'], (line) => renderScriptGuard(file, TRUST, line));
    expect(scriptFlags(text)).toBe('-H tcp://0.0.0.0:2376');
    writeFileSync(join(directory, 'settings'), text);
    const script = 'set -e; DOCKER_OPTS=-D; . "$1"; echo $DOCKER_OPTS';
    const { stdout } = spawnSync('sh', ['-c', script, 'sh', join(directory, 'settings')], { encoding: 'utf8' });
    expect(stdout).toBe(passes ? '-D -H tcp://0.0.0.0:2376\n' : '-D\n');
  },
);

test('the settings of an init script have the check where daemon.json has a TLS setting', () => {
  const facts = factsOf({
    kind: 'sysvinit',
    systemd: '',
    unit: 'LoadState=loaded\nActiveState=active\nFragmentPath=/etc/init.d/docker',
    'docker-socket': 'LoadState=not-found',
    'file:/etc/init.d/docker': 'file 755 0:0\n#!/bin/sh\nstart-stop-daemon --exec "$DOCKERD" -- $DOCKER_OPTS\n',
    'file:/etc/default/docker': 'file 644 0:0\n',
    [`file:${JSON_FILE}`]: 'file 644 0:0\n{"tls": false}',
  });
  const text = planHost(facts, desired).files.find(({ path }) => path === '/etc/default/docker')?.after ?? '';
  expect(text).toMatch(/^case .*DOCKER_OPTS=.*-H tcp:\/\/0\.0\.0\.0:2376" ;;/m);
  expect(text).not.toContain('--tls');
});
