/** If daemon.json has our TLS settings but not the port, dockerd does not get the port without them. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { renderUnitGuard } from '../../../src/core/domain/dockerd/json-guard.ts';
import { splitWords } from '../../../src/core/domain/dockerd/unit.ts';
import { placeSettings } from '../../../src/core/domain/plan/daemon-settings.ts';
import { viewDaemon } from '../../../src/core/domain/plan/daemon-view.ts';
import { planDaemon } from '../../../src/core/domain/plan/plan-daemon.ts';
import { planHost } from '../../../src/core/domain/plan/plan-host.ts';
import { GUARDED, TLS_SETTINGS, TRUST } from '../../support/guarded-json.ts';
import { desired, factsOf, UNIT } from '../../support/host-facts.ts';

const JSON_FILE = '/etc/docker/daemon.json';
const directory = mkdtempSync(join(tmpdir(), 'json guard-'));
const file = join(directory, "daemon's.json");
afterAll(() => rmSync(directory, { recursive: true }));

/** A host with this command line and daemon.json. */
function host(line: string, json: object, more: Record<string, string> = {}) {
  return factsOf({
    [`file:${UNIT}`]: `file 644 0:0\n[Service]\nExecStart=${line}\n`,
    [`file:${JSON_FILE}`]: `file 644 0:0\n${JSON.stringify(json)}`,
    ...more,
  });
}

const dropIn = (facts: ReturnType<typeof host>): string =>
  planHost(facts, desired).files.find(({ path }) => path.endsWith('zz-docker-tls.conf'))?.after ?? '';

describe('the drop-in', () => {
  test.each([
    ['listeners in daemon.json', '/usr/sbin/dockerd', { hosts: ['fd://'] }],
    ['a TLS setting in daemon.json', '/usr/sbin/dockerd -H fd://', { tls: false }],
    ['the same where dockerd opens the port', '/usr/sbin/dockerd -H unix:///var/run/docker.sock', { tls: false }],
  ])('has the check with %s', (_, line, json) => {
    const text = dropIn(host(line, json));
    expect(text).not.toContain('--tls');
    expect(text).toContain(`ExecStartPre=${renderUnitGuard(JSON_FILE, TRUST)}\nExecStart=\n`);
  });

  test('has none where the flags are in it, or the port in the same file', () => {
    expect(dropIn(host('/usr/sbin/dockerd -H fd://', {}))).toMatch(/^(?!.*ExecStartPre).*--tlsverify/s);
    const text = dropIn(host('/usr/sbin/dockerd', { hosts: ['unix:///var/run/docker.sock'] }));
    expect(text).toMatch(/^(?!.*(ExecStartPre|tcp:))/s);
  });
});

describe.each(GUARDED)('with a daemon.json that is %s', (_, json, passes) => {
  const put = (): void => (json === undefined ? rmSync(file, { force: true }) : writeFileSync(file, json));

  test('the check of the unit, as systemd runs it', () => {
    put();
    const words = splitWords(renderUnitGuard(file, TRUST)).map(({ text }) => text.replaceAll('$$', '$'));
    const { status, stderr } = spawnSync(words[0] ?? '', words.slice(1), { encoding: 'utf8' });
    expect(status, stderr).toBe(passes ? 0 : 1);
    if (!passes) expect(stderr).toContain('docker-tls apply');
  });
});

test('a daemon that started before daemon.json was edited restarts', () => {
  const after = (edited: string) => {
    const facts = host(
      '/usr/sbin/dockerd',
      { hosts: ['fd://'], ...TLS_SETTINGS },
      { edited, 'tls-socket': 'ActiveState=active' },
    );
    const input = { facts, view: viewDaemon(facts), desired, listening: 'systemd' as const };
    return planDaemon({ ...input, placed: placeSettings(input.view, {}) }, [], undefined, undefined);
  };
  expect(after('')).toMatchObject({ action: 'none' });
  expect(after(JSON_FILE)).toMatchObject({ action: 'restart', reason: expect.stringContaining('without the config') });
});
