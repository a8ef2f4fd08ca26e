/**
 * Units that need docker.service: the rollback records those that ran at its first stop, whatever was killed before. The real script, with
 * systemd's answers.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { rollbackScript } from '../../support/host-script.ts';

const SCRIPT = rollbackScript;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-dependents-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Output of shell text with the script's functions. */
function run(shell: string, text: string, env: Readonly<Record<string, string>> = {}): string {
  const [program = '', ...words] = shell.split(' ');
  const { status, stdout, stderr } = spawnSync(
    program,
    [...words, '-c', `set --; T=${directory}; . ${SCRIPT}; ${text}`],
    {
      env: { ...process.env, ...env },
      encoding: 'utf8',
    },
  );
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

/** `needs`: systemd's answer about docker.service. All are active except `rests`; `a-b` (escaped) also stops `deep`. */
function note(shell: string, needs: string): string | undefined {
  const systemctl = `systemctl() { for name; do :; done; state=active; also=; case $name in rests.service) state=inactive ;; 'a\\x2db.service') also='deep.service' ;; esac; printf 'ActiveState=%s\\nBoundBy=%s\\n' "$state" "$also"; }`;
  run(shell, `${systemctl}; docker_unit="$NL$NEEDS$NL"; note_dependents`, { NEEDS: needs });
  return existsSync(join(directory, 'dependents')) ? readFileSync(join(directory, 'dependents'), 'utf8') : undefined;
}

const NEEDS = 'RequiredBy=a\\x2db.service rests.service\nConsistsOf=deep.service a\\x2db.service';

describe.each(['dash', 'bash', 'busybox sh'])('by %s', (shell) => {
  test('each once, with what those take along', () => {
    expect(note(shell, NEEDS)).toBe('a\\x2db.service\ndeep.service\n');
  });

  test('none: no file', () => {
    expect(note(shell, 'RequiredBy=rests.service')).toBeUndefined();
  });

  test('those of the first time count', () => {
    writeFileSync(join(directory, 'dependents'), 'first.service\n');
    expect(note(shell, NEEDS)).toBe('first.service\n');
  });

  test('only those that went are started again: a target that is up would start what an administrator has stopped', () => {
    const noted = 'multi-user.target\na\\x2db.service\nreads.service\ngone.service\n';
    const script = `systemctl() {
      case $1 in is-active) shift 2; for name; do case $name in multi-user.target) echo active ;; reads.service) echo reloading ;; a*) echo deactivating ;; *) echo inactive ;; esac; done; return 3 ;; esac
    }
    service() { printf '%s\\n' "$*"; return 1; }; start_dependents; echo "$?"`;
    expect(run(shell, script)).toBe('0\n');
    writeFileSync(join(directory, 'dependents'), noted);
    expect(run(shell, script)).toBe('--no-block start -- a\\x2db.service gone.service\n0\n');
    writeFileSync(join(directory, 'dependents'), 'multi-user.target\n');
    expect(run(shell, script)).toBe('0\n');
  });

  test('a write that was killed is none', () => {
    writeFileSync(join(directory, 'dependents'), '');
    expect(note(shell, NEEDS)).toBe('a\\x2db.service\ndeep.service\n');
  });
});
