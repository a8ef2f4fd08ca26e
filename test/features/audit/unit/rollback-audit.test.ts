/**
 * Rollback of Linux audit rules. The lab's kernel accepts none, so the shell's own functions run here, with stand-ins for the two programs
 * that would talk to a kernel.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { BY_SYSTEMD } from '../../../../src/core/host/scripts.ts';
import { AUDIT_PARTS } from '../../../../src/features/audit/engine/change-parts.ts';
import { scriptOf } from '../../../support/host-script.ts';

const SCRIPT = scriptOf('audit', BY_SYSTEMD, AUDIT_PARTS);
const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

const OURS = '## Written by docker-tls.\n-w /etc/docker -p wa -k docker-tls\n-w /gone/docker -p wa -k docker-tls\n';

/**
 * Reads and loads rules as a change does. `check`: the output of augenrules; `hand`: a line in audit.rules that is in no file of rules.d.
 */
function load({
  check,
  hand = '',
  ours = OURS,
  enabled = 1,
}: {
  check: string;
  hand?: string;
  ours?: string | null;
  enabled?: number;
}) {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-audit-'));
  directories.push(directory);
  writeFileSync(join(directory, 'id'), 'x');
  mkdirSync(join(directory, 'audit/rules.d'), { recursive: true });
  writeFileSync(join(directory, 'audit/rules.d/audit.rules'), '## first\n-D\n-b 8192\n');
  if (ours !== null) writeFileSync(join(directory, 'audit/rules.d/docker-tls.rules'), ours);
  writeFileSync(join(directory, 'audit/audit.rules'), `## generated\n-D\n-b 8192\n${hand}`);
  const { stdout, status } = spawnSync(
    'sh',
    [
      '-c',
      `T=${directory} UNITS=/etc AUDIT_DIRECTORY=${directory}/audit
       exec 9</etc
       # SELinux refuses both to what a change starts, and says so in the audit log.
       confined() { [ ! -e /proc/self/fd/9 ] && [ ! -f /proc/self/fd/1 ] || echo "$1 has the mutex or writes to a file of ours" >>${directory}/calls; }
       auditctl() {
         confined auditctl
         case "$*" in
           -s) echo 'enabled ${enabled}' ;;
           *gone*) echo 'Old style watch rules are slower'; echo 'Error sending add rule data request (No such file or directory)'; return 255 ;;
           *) echo "$*" >>${directory}/calls ;;
         esac
       }
       augenrules() { confined augenrules; if [ "\${1:-}" = --check ]; then echo '${check}'; else echo "augenrules $*" >>${directory}/calls; fi; }
       set --; . ${SCRIPT}
       keep_audit_rules; apply_audit_rules`,
    ],
    { encoding: 'utf8' },
  );
  expect(status).toBe(0);
  const warnings = Array.from(stdout.matchAll(/^@warning (\S+)$/gm), (found) =>
    Buffer.from(found[1] ?? '', 'base64').toString(),
  );
  let calls = '';
  try {
    calls = readFileSync(join(directory, 'calls'), 'utf8');
  } catch {
    // never called
  }
  return { warnings, calls: calls.split('\n').filter((line) => line !== '') };
}

const LOADED = ['-D -k docker-tls', '-w /etc/docker -p wa -k docker-tls'];

test('only rules with our key are dropped and loaded; audit.rules is written anew where augenrules makes it', () => {
  const requested = load({ check: '/usr/sbin/augenrules: No change' });
  expect(requested.calls).toEqual(['augenrules ', ...LOADED]);
});

test('a rule that the kernel does not take is said, and the rest is loaded', () => {
  expect(load({ check: 'x: No change' }).warnings).toEqual([expect.toSay('did-not-take-no', '/gone/docker')]);
});

test('without a file of ours the kernel drops our rules', () => {
  expect(load({ check: 'x: No change', ours: null })).toEqual({
    warnings: [],
    calls: ['augenrules ', '-D -k docker-tls'],
  });
});

test('an audit.rules that is kept by hand is not written anew', () => {
  const requested = load({ check: 'x: Rules have changed and should be updated', hand: '-w /srv -p wa\n' });
  expect(requested.calls).toEqual(LOADED);
});

test('that only our own rules are missing in it is not by hand', () => {
  const requested = load({ check: 'x: Rules have changed and should be updated' });
  expect(requested.calls).toEqual(['augenrules ', ...LOADED]);
});

test('without augenrules the kernel takes them all the same', () => {
  expect(load({ check: '' }).calls).toEqual(LOADED);
});

test('rules that are locked until the next boot are left, and that is said', () => {
  const requested = load({ check: 'x: No change', enabled: 2 });
  expect(requested).toEqual({ warnings: [expect.toSay('until-next-boot')], calls: ['augenrules '] });
});
