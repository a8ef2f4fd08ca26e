/**
 * What the way back does with Linux audit rules. The kernel of the lab takes none, so the shell's own functions run here, with
 * stand-ins for the two programs that would talk to a kernel.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';

const SCRIPT = new URL('../../src/daemon/way-back.sh', import.meta.url).pathname;
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Asks and loads as a change does. `check` and `load`: what augenrules says then; `exit`: how its loading ends. */
function load({ check, load: said = '', exit = 0 }: { check: string; load?: string; exit?: number }) {
  const folder = mkdtempSync(join(tmpdir(), 'docker-tls-audit-'));
  folders.push(folder);
  writeFileSync(join(folder, 'id'), 'x');
  const { stdout, status } = spawnSync(
    'sh',
    [
      '-c',
      `T=${folder} UNITS=/etc
       auditctl() { :; }
       augenrules() { if [ "$1" = --check ]; then echo '${check}'; else echo loaded >>${folder}/calls; echo '${said}' >&2; return ${exit}; fi; }
       set --; . ${SCRIPT}
       keep_audit_rules; load_audit_rules`,
    ],
    { encoding: 'utf8' },
  );
  expect(status).toBe(0);
  const warnings = Array.from(stdout.matchAll(/^@warning (\S+)$/gm), (found) =>
    Buffer.from(found[1] ?? '', 'base64').toString(),
  );
  let calls = '';
  try {
    calls = readFileSync(join(folder, 'calls'), 'utf8');
  } catch {
    // never called
  }
  return { warnings, loaded: calls !== '' };
}

test('rules are loaded where audit.rules is what augenrules makes', () => {
  expect(load({ check: '/usr/sbin/augenrules: No change' })).toEqual({ warnings: [], loaded: true });
});

test('an audit.rules that somebody keeps by hand is not written anew', () => {
  const asked = load({ check: '/usr/sbin/augenrules: Rules have changed and should be updated' });
  expect(asked).toEqual({ warnings: [], loaded: false });
});

test('a loading that fails is said', () => {
  const asked = load({
    check: 'x: No change',
    load: 'There was an error in line 7 of /etc/audit/audit.rules',
    exit: 1,
  });
  expect(asked.warnings).toEqual([expect.stringMatching(/augenrules --load failed: There was an error in line 7/)]);
});

test('so are rules that are locked until the next boot, where augenrules is content', () => {
  const asked = load({ check: 'x: No change', load: 'x: Audit system is in immutable mode - exiting with no changes' });
  expect(asked.warnings).toEqual([expect.stringMatching(/until its next boot/)]);
});
