/** A rollback after one that failed: it overwrites no file changed since, stops nothing, and ends. Real script on real files. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { rollbackScript } from '../../support/host-script.ts';

let directory: string;
let json: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-failed-'));
  json = join(directory, 'daemon.json');
  writeFileSync(join(directory, 'id'), 'abc123');
  writeFileSync(join(directory, 'settings'), '');
  return () => rmSync(directory, { recursive: true, force: true });
});

/**
 * Runs shell text in the rollback script, after a change. `up`: whether the daemon answers; `starts`: whether a start works; `how`:
 * LIVE_RESTORE.
 */
function run(shell: string, text: string, { up = false, starts = true, how = 'untouched' } = {}): string {
  const [program = '', ...words] = shell.split(' ');
  const script = `set --; T=${directory}; STATE=${directory}/state; . ${rollbackScript}
    TXN=abc123 SERVICE=docker.service TLS_SOCKET=t LOCAL_SOCKET=l UNITS=$T RUN=$T/run LOCK=$T/lock RECOVERY=$T/r RECOVERY_LINK=$T/rl
    RECOVERY_LIST= PARTS= DAEMON=restart DAEMON_JSON=${json} WAS_ACTIVE=yes LIVE_RESTORE=${how} CONTAINERS=stop LIMIT=2
    RESTART_COMMAND='restart docker'
    logger() { shift 3; echo "note $*"; }; systemctl() { :; }; sleep() { :; }; clear_records() { echo ended; }; stop_timer() { :; }
    reset_failed() { :; }; start_service() { echo started "$(cat $DAEMON_JSON)"; ${starts}; }; runs() { ${up}; }; is_up() { ${up}; }
    apply_services() { echo services; ${starts}; }; restore_live_restore() { echo live-restore off; }
    printf '1\\tfile\\t644\\t0:0\\tsame\\t%s\\n' "$DAEMON_JSON" >$T/manifest; printf '1\\tfile\\t-\\t-\\t%s\\n' "$DAEMON_JSON" >$T/kept
    mark switched; mark services; : >$LOCK; true >$T/created
    ${text}`;
  const { stdout, stderr } = spawnSync(program, [...words, '-c', script], { encoding: 'utf8' });
  return stdout + stderr;
}

/** daemon.json from the change, with all its records. */
const CHANGED =
  'printf broken >$DAEMON_JSON.docker-tls-old; printf new >$DAEMON_JSON.docker-tls-new; note_forms $DAEMON_JSON.docker-tls-* >$T/forms; place_as $DAEMON_JSON new;';
const FAILED = `${CHANGED} undo timer; echo "= $?";`;

describe.each(['dash', 'bash', 'busybox sh'])('by %s', (shell) => {
  const now = (): string => readFileSync(json, 'utf8');

  test('the originals are back, the lock is gone, and it says how to go on', () => {
    const said = run(shell, FAILED, { starts: false });
    expect(said).toSay('note-docker-service-rollback');
    expect(said).toContain('= 6\n');
    expect([now(), existsSync(join(directory, 'lock')), existsSync(join(directory, 'failed'))]).toEqual([
      'broken',
      false,
      true,
    ]);
  });

  test.each([
    ['by a new file', 'printf repaired >$T/x; mv $T/x $DAEMON_JSON'],
    ['in place', 'printf repaired >$DAEMON_JSON'],
  ])('a file that is repaired %s stays, and a daemon that runs is left alone', (_, repair) => {
    const said = run(shell, `${FAILED} ${repair}; is_up() { :; }; runs() { :; }; undo timer; echo "= $?"`, {
      starts: false,
    });
    expect(now()).toBe('repaired');
    expect(said).toSay('changed-since-left', 'daemon.json', 'ended\n= 0');
    expect(said.match(/services|started/g)).toHaveLength(2);
  });

  test('one that was deleted stays so', () => {
    run(shell, `${FAILED} rm $DAEMON_JSON; is_up() { :; }; undo requested`, { starts: false });
    expect(existsSync(json)).toBe(false);
  });

  test('the timer only watches; who asks has it started, with what is there', () => {
    const repaired = `${FAILED} printf repaired >$DAEMON_JSON; start_service() { echo started "$(cat $DAEMON_JSON)"; };`;
    expect(run(shell, `${repaired} undo timer; echo "= $?"`, { starts: false })).toMatch(/= 6\n= 6\n$/);
    for (const mark of ['failed', 'restored']) rmSync(join(directory, mark), { force: true });
    expect(run(shell, `${repaired} undo stale; echo "= $?"`, { starts: false })).toMatch(
      /started repaired\n[\s\S]*ended\n= 0\n$/,
    );
  });

  test('a boot puts no broken file back', () => {
    run(shell, `${FAILED} printf repaired >$DAEMON_JSON; read_at_boot() { :; }; undo boot`, { starts: false });
    expect(now()).toBe('repaired');
  });

  test('with live-restore on for the restart it stays in the file that was repaired, and goes from one that was not', () => {
    const forms =
      'printf broken-on >$DAEMON_JSON.docker-tls-old-on; printf broken-on >$DAEMON_JSON.docker-tls-new-on; mark protected;';
    const failed = forms + FAILED;
    run(shell, `${failed} printf repaired-on >$DAEMON_JSON; is_up() { :; }; undo timer`, {
      starts: false,
      how: 'temporary',
    });
    expect(now()).toBe('repaired-on');
    for (const mark of ['failed', 'restored']) rmSync(join(directory, mark), { force: true });
    const said = run(shell, `${failed} is_up() { :; }; undo timer`, { starts: false, how: 'temporary' });
    expect(said).toContain('live-restore off');
    expect(now()).toBe('broken');
  });

  describe('where files could not be put back at first', () => {
    // The daemon runs, or is down, while daemon.json cannot be replaced; later it can.
    const late = `${CHANGED} restore_files() { return 1; }; undo timer;
      restore_files() { place_as $DAEMON_JSON old; }; reread() { echo reread; }; drop_socket() { echo socket; };
      look_at_service() { :; }; obstacle() { :; }; restart_docker() { echo "restarted $1 on $(cat $DAEMON_JSON)"; };`;

    test('a daemon that is down starts once systemd has read them, with its socket', () => {
      const said = run(shell, `${late} undo requested; echo "= $?"`, { starts: false });
      expect(said).toMatch(/\nreread\nrestarted start on broken\n[\s\S]*ended\n= 0\n$/);
    });

    test('one that runs is left alone, and the journal says what is still to be done', () => {
      const said = run(shell, `${late} undo timer; echo "= $?"`, { up: true });
      expect(said).toSay('runs-with-earlier-settings', 'reread socket', 'docker.service', 'restart docker');
      expect(said).toMatch(/ended\n= 0\n$/);
      expect(said).not.toContain('restarted');
    });

    test('systemd that cannot read them is asked again', () => {
      const said = run(shell, `${late} reread() { return 1; }; undo timer; echo "= $?"`, { up: true });
      expect(said).toMatch(/= 6\n$/);
      expect(said).not.toMatch(/socket|ended/);
    });

    test('a service that does not need the daemon reads them, and no other', () => {
      const parts = `PARTS='front apart'; apart_apart() { :; }; apply_front() { echo front; }; apply_apart() { echo apart; };`;
      const said = run(shell, `${parts} ${late} undo requested; echo "= $?"`, { up: true });
      expect(said).toMatch(/^apart$[\s\S]*= 0\n$/m);
      expect(said).not.toMatch(/^front$/m);
    });

    test('a daemon that was not meant to run is not waited for', () => {
      expect(run(shell, `WAS_ACTIVE=no; ${late} undo timer; echo "= $?"`)).toMatch(/ended\n= 0\n$/);
      expect(now()).toBe('broken');
    });

    test('nobody is told that dockerd does not start', () => {
      const said = run(shell, late, { up: true });
      expect(said).toSay('rollback-failed-not-everything');
    });
  });

  test('a service of a part that was not brought in line is tried again until it is, while the daemon is down only one that does not need it', () => {
    const broken = `DAEMON=none PARTS='kinds front apart'; ${CHANGED} apart_apart() { :; };
      apply_services() { apply_part front; apply_part apart; };
      apply_front() { echo front; return 1; }; apply_apart() { echo apart; return 1; };`;
    const said = run(shell, `${broken} undo timer; undo timer; echo "= $?"`, { up: true });
    expect(said).toMatch(/= 6\n$/);
    for (const part of [/^front$/gm, /^apart$/gm]) expect(said.match(part)).toHaveLength(3);
    rmSync(join(directory, 'failed'));
    const back = `${broken} undo timer; apply_front() { echo front-back; }; apply_apart() { echo back; }; undo timer;`;
    const down = run(shell, `${back} undo timer; echo "= $?"`);
    expect([down.match(/^back$/gm), down.match(/^front-back$/gm)]).toEqual([['back'], null]);
    expect(down).toMatch(/= 6\n$/);
    for (const mark of ['failed', 'restored']) rmSync(join(directory, mark), { force: true });
    expect(run(shell, `${back} echo "= $?"`, { up: true })).toMatch(/^front-back\nback$[\s\S]*= 0\n$/m);
  });

  test('what is changed before the first rollback is kept beside', () => {
    const said = run(shell, `${CHANGED} printf mine >$T/x; mv $T/x $DAEMON_JSON; undo timer; echo "$REMARK"`, {
      up: true,
    });
    expect(now()).toBe('broken');
    expect(readFileSync(`${json}.docker-tls-edited`, 'utf8')).toBe('mine');
    expect(said).toSay('changed-since-now-docker-tls-edited', json);
    // A full disk is reported.
    const full = `ln() { return 1; }; cp() { return 1; }; may_restore $DAEMON_JSON; echo "$REMARK"`;
    expect(run(shell, `${CHANGED} printf other >$DAEMON_JSON; ${full}`)).toSay('could-not-kept');
    expect(
      run(shell, `rm $DAEMON_JSON.docker-tls-edited; ${CHANGED} undo timer; echo "$REMARK"`, { up: true }),
    ).toMatch(/\n\n$/);
  });
});
