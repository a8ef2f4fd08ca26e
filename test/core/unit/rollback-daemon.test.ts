/** Rollback with a daemon that cannot be reloaded, queried, or started again. The real script, with systemd's answers. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { rollbackScript } from '../../support/host-script.ts';

const SCRIPT = rollbackScript;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-daemon-'));
  writeFileSync(join(directory, 'id'), 'abc123');
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function run(shell: string, text: string): { status: number | null; stdout: string } {
  const [program = '', ...words] = shell.split(' ');
  const stubs = `logger() { shift 3; echo "note $*"; }; api() { return 2; }; local_socket() { :; }; sleep() { :; }; await_answer() { :; }; CONTAINERS=stop
    PARTS= SERVICE=docker.service TLS_SOCKET=docker-tls.socket LOCAL_SOCKET=docker.socket RESTART_COMMAND='systemctl restart docker' NEEDS= TXN=abc123 UNITS=${directory} DAEMON=restart DAEMON_JSON=${directory}/daemon.json WAS_ACTIVE=yes LIVE_RESTORE=untouched LIVE_RESTORE_STAYS=no RUN=${directory}/run`;
  return spawnSync(program, [...words, '-c', `set --; T=${directory}; . ${SCRIPT}; ${stubs}; ${text}`], {
    encoding: 'utf8',
    timeout: 20_000,
  });
}

/** Whether docker.service is active; other service commands are printed. */
const SYSTEMD = (active: boolean): string =>
  `systemctl() { case "$*" in '-q is-active'*) ${active} ;; show*) printf 'ActiveState=active\\nListen=\\n\\nActiveState=inactive\\n' ;; reset-failed*) ;; *) echo "$*" ;; esac; }
   service() { echo "$*"; }`;

describe.each(['dash', 'bash', 'busybox sh'])('by %s', (shell) => {
  test('SIGHUP needs no systemctl reload and no kill program; one that is still starting gets none', async () => {
    const child = spawn(process.execPath, [
      '-e',
      "process.on('SIGHUP', () => { console.log('hup'); process.exit(0); }); setInterval(() => {}, 1000); console.log('up');",
    ]);
    await once(child.stdout, 'data');
    const systemd = (state: string, answered: string): string =>
      `systemctl() { printf 'ActiveState=${state}\\nMainPID=${child.pid}\\n'; }; responds() { ${answered}; }
       await() { "$@"; }; taken() { :; }; PATH=/nowhere; reload_docker taken`;
    expect(run(shell, systemd('activating', ':')).status).not.toBe(0);
    // systemd reports this for Type=simple, exec and idle before dockerd handles signals.
    expect(run(shell, systemd('active', 'return 1')).status).not.toBe(0);
    expect(child.exitCode).toBeNull();
    const hup = once(child, 'exit');
    expect(run(shell, systemd('active', ':')).status).toBe(0);
    expect((await hup)[0]).toBe(0);
  });

  test('no answer: a change stops there, its rollback goes on and says so', () => {
    const silent = 'find_daemon() { :; }; await() { return 1; };';
    expect(run(shell, `${silent} reload_docker live_restore_is true`).status).toBe(1);
    const back = run(shell, `${silent} BACK=yes; reload_docker live_restore_is true`);
    expect(back.status).toBe(0);
    expect(back.stdout).toSay('reloaded-did-not-confirm');
  });

  test.each([
    ['true', 1, ''],
    ['BACK=yes', 0, 'mount -o remount,size=42768k /run\nmount -o remount,size=10000k /run\n'],
  ])('a daemon-reload that systemd refuses for lack of room, %s', (back, status, said) => {
    const systemd = 'systemctl() { [ -e $T/room ]; }; mount() { echo "mount $*"; : >$T/room; }';
    const proc = 'sed() { echo \'tmpfs /run tmpfs rw,nosuid,size=10000k,mode=755 0 0\' | command sed "$1" "$2"; }';
    const result = run(shell, `${systemd}; ${proc}; ${back}; reread`);
    expect([result.status, result.stdout]).toEqual([status, said]);
  });

  test('where /run cannot be made larger it is over', () => {
    expect(run(shell, 'systemctl() { false; }; mount() { false; }; BACK=yes; reread').status).toBe(1);
  });

  const gone = `NEEDS="/nowhere/iptables
/bin/sh"`;
  test('a daemon that would not start again is not stopped by a change', () => {
    const result = run(shell, `${SYSTEMD(true)}; ${gone}; apply_daemon start 2>&1; echo "$? $STEP"`);
    expect(result.stdout).toSay('not-started-again', '/nowhere/iptables', '1 check');
  });

  test('nor by its rollback, which says that it runs on', () => {
    const result = run(shell, `${SYSTEMD(true)}; ${gone}; mark stopped; BACK=yes; apply_daemon start; echo "$?"`);
    expect(result.stdout).toSay('note-not-started-again', 'docker.service', '/nowhere/iptables', 0);
  });

  test('one that does not run is started all the same', () => {
    const result = run(shell, `${SYSTEMD(false)}; ${gone}; BACK=yes; apply_daemon start`);
    expect(result.stdout).toContain('start docker.service\n');
    expect(run(shell, `${SYSTEMD(false)}; DAEMON=reload BACK=yes; apply_daemon start`).stdout).toBe(
      'start docker.service\n',
    );
  });

  test('one that was never stopped is not stopped by the rollback', () => {
    expect(run(shell, `${SYSTEMD(true)}; BACK=yes; apply_daemon start`).stdout).toBe('');
    const after = run(shell, `${SYSTEMD(true)}; mark stopped; BACK=yes; apply_daemon start`);
    expect(after.stdout).toMatch(/stop docker\.service\n(.*\n)?start docker\.service\n/);
  });

  test('before it is stopped, that is noted', () => {
    run(shell, `${SYSTEMD(true)}; apply_daemon start`);
    expect(existsSync(join(directory, 'stopped'))).toBe(true);
  });

  describe('live-restore is taken in beside what follows', () => {
    const json = (form: string): string => `printf ${form} >$DAEMON_JSON.docker-tls-${form}`;
    const forms = `LIVE_RESTORE=temporary; ${json('old-on')}; ${json('new-on')}; place_as $DAEMON_JSON old-on`;
    const daemonJson = (): string => readFileSync(join(directory, 'daemon.json'), 'utf8');

    test('the daemon is not stopped before it has, and then its configuration is that of the change', () => {
      const slow = `${forms}; { command sleep 0.3; [ "$(cat $DAEMON_JSON)" = old-on ] && echo protected; } & protection=$!`;
      const { stdout } = run(shell, `${SYSTEMD(true)}; ${slow}; apply_daemon start; echo $?`);
      expect(stdout).toMatch(/^protected\n.*stop docker\.service\n.*start docker\.service\n0\n$/s);
      expect(daemonJson()).toBe('new-on');
    });

    test('nor at all where it has not', () => {
      const failed = `${forms}; echo why >$T/protect-error; false & protection=$!`;
      const { stdout } = run(shell, `${SYSTEMD(true)}; ${failed}; apply_daemon start 2>&1; echo "$? $STEP"`);
      expect(stdout).toSay('live-restore-not-taken', 'why', '1 protect');
      expect(daemonJson()).toBe('old-on');
    });
  });

  describe('where no container is left when the daemon has stopped', () => {
    const forms = 'printf on >$DAEMON_JSON; printf off >$DAEMON_JSON.docker-tls-new';
    const begin = `${SYSTEMD(true)}; ${forms}; LIVE_RESTORE=temporary; mark idle`;
    const shims = (name: string): string =>
      `grep() { echo ${name} | command grep "$1" "$2" "$3" "$4" "$5" >/dev/null; }`;
    const ends = 'end_unneeded_protection; cat $DAEMON_JSON';

    test('it starts with its final daemon.json, which the confirmation sees by its beginning', () => {
      const started = 'command sleep 9 & child=$!; find_daemon() { pid=$child; }';
      const seen = 'started_unprotected && echo seen; kill $child';
      expect(run(shell, `${begin}; ${shims('dockerd')}; ${ends}; ${started}; ${seen}`).stdout).toBe('offseen\n');
    });

    test('a daemon that a client started before that still has live-restore', () => {
      const early = 'command sleep 9 & child=$!; find_daemon() { pid=$child; }';
      const text = `${begin}; ${early}; ${shims('dockerd')}; ${ends}; started_unprotected || echo protected; kill $child`;
      expect(run(shell, text).stdout).toBe('offprotected\n');
    });

    test.each([
      ['$birth $((pid - 1))', 'seen'],
      ['$birth $((pid + 1))', 'protected'],
      ['$((birth - 1)) $((pid + 1))', 'seen'],
      ['$((birth + 1)) $((pid - 1))', 'protected'],
    ])('%s began before the daemon: %s', (noted, said) => {
      const text = `${begin}; find_daemon() { pid=$$; }; find_daemon; born $pid; echo "${noted}" >$T/unprotected`;
      const { stdout } = run(shell, `${text}; if started_unprotected; then echo seen; else echo protected; fi`);
      expect(stdout).toBe(`${said}\n`);
    });

    test.each([
      ['a container has come since', shims('containerd-shim')],
      ['containerd has a container', 'mkdir -p $RUN/containerd/io.containerd.runtime.v2.task/moby/x'],
      ['the processes cannot be seen', 'grep() { return 126; }'],
      ['the daemon did not say that it had none', 'rm $T/idle'],
      ['live-restore stays', 'LIVE_RESTORE_STAYS=yes'],
      ['the change is rolled back', 'BACK=yes'],
    ])('it keeps live-restore where %s', (_, what) => {
      const text = `${begin}; ${shims('dockerd')}; ${what}; ${ends}; started_unprotected || echo protected`;
      expect(run(shell, text).stdout).toBe('onprotected\n');
    });

    test.each([
      ['[]', '200', 'idle'],
      ['[{"Id":"0123456789abcdef"}]', '200', ''],
      ['[]', '403', ''],
      ['', '000', ''],
    ])('%s with status %s', (answer, status, mark) => {
      const api = `api() { printf '%s\\n\\n--%s api ${status} /containers/json\\n' '${answer}' "$2"; }`;
      const text = `${api}; CONTAINERS=keep socket=/run/docker.sock; note_containers; [ ! -e $T/idle ] || echo idle`;
      expect(run(shell, text).stdout.trim()).toBe(mark);
    });
  });

  describe('a reload that the daemon reports', () => {
    const event = (value: string, action = 'reload') =>
      `{"Type":"daemon","Action":"${action}","Actor":{"Attributes":{"labels":"[\\"live-restore\\":\\"true\\"]","live-restore":"${value}"}}}`;
    /** Says whether the event counts, and whether curl has ended. */
    const report = (said: string, words: string, more = ':'): string =>
      run(
        shell,
        `curl() { printf '%s\\n' '${said}'; exec sleep 9 >$T/stream; }; kill() { command kill "$1" && : >$T/ended; }; socket=/run/docker.sock began=1
         ${more}; reports ${words} && echo yes; [ ! -e $T/stream ] || [ -e $T/ended ] || echo runs; echo end`,
      ).stdout;

    test('counts with the value of live-restore that the change needs, and the stream of events is left', () => {
      expect(report(event('true'), 'live_restore_is true')).toBe('yes\nend\n');
      expect(report(event('false'), 'live_restore_is false')).toBe('yes\nend\n');
      expect(report(event('false'), 'reloaded')).toBe('yes\nend\n');
    });

    test('counts as well where it comes before the number of its process', () => {
      const early = `curl() { :; }; printf() { echo '${event('true')}'; command printf "$@"; }`;
      expect(report('', 'live_restore_is true', early)).toBe('yes\nend\n');
    });

    test.each([
      ['of another value', event('false'), 'live_restore_is true'],
      ['that is none', event('true', 'start'), 'live_restore_is true'],
      ['that is none', event('true', 'start'), 'reloaded'],
      ['that a plugin refuses', '{"message":"authorization denied by plugin"}', 'reloaded'],
    ])('does not count: one %s', (_, said, words) => {
      expect(report(said, words)).toBe('end\n');
    });

    test('is not asked for without a socket, and not awaited for long', async () => {
      expect(report(event('true'), 'reloaded', 'socket=')).toBe('end\n');
      const silent = createServer().listen(join(directory, 'silent.sock'));
      await once(silent, 'listening');
      const asked = `socket=${directory}/silent.sock began=1; reports reloaded || echo end`;
      expect(run(shell, asked).stdout).toBe('end\n');
      silent.close();
    });

    test('spares the daemon the question whether it has live-restore, which is asked without one', () => {
      const daemon = 'find_daemon() { :; }; answers() { :; }; find_socket() { :; }; kill() { :; }; pid=1';
      const asked = 'live_restore_is() { echo asked; }; reload_docker live_restore_is true; echo $?';
      expect(run(shell, `${daemon}; reports() { :; }; ${asked}`).stdout).toBe('0\n');
      expect(run(shell, `${daemon}; reports() { return 1; }; ${asked}`).stdout).toBe('asked\n0\n');
    });
  });

  describe('the daemon that systemd starts', () => {
    const child = `set --; . ${SCRIPT}; command sleep 9 & child=$!; LIMIT=5; responds() { :; }`;
    const named = 'service() { echo "$child"; }; note_started';
    const asked = 'systemctl() { echo asked >&2; printf "ActiveState=active\\nMainPID=$$\\n"; }';
    const awaited = 'await_answer 2>&1; echo "$?"; [ "$pid" = "$child" ] && echo same; kill $child 2>/dev/null';

    test('is known before it has started, and systemd is not asked for it again', () => {
      expect(run(shell, `${child}; ${named}; ${asked}; ${awaited}`).stdout).toBe('0\nsame\n');
    });

    test('is asked for where that one has ended', () => {
      const ended = 'kill $child; wait $child 2>/dev/null';
      expect(run(shell, `${child}; ${named}; ${ended}; ${asked}; ${awaited}`).stdout).toBe('asked\n0\n');
    });
  });

  describe('the socket of the daemon that systemd starts', () => {
    /** How often it was looked for. */
    const looks = async (api: string): Promise<string> => {
      const server = createServer().listen(join(directory, 'local.sock'));
      await once(server, 'listening');
      const stubs = `local_socket() { echo looked >>$T/looks; socket=$T/local.sock; }; api() { ${api}; echo "--$2 api $code "; }; LIMIT=5`;
      const starts = 'command sleep 9 & child=$!; service() { echo "$child"; }; note_started';
      const asked = 'systemctl() { printf "ActiveState=active\\nMainPID=$child\\n"; }';
      const { stdout } = run(
        shell,
        `set --; . ${SCRIPT}; ${stubs}; ${starts}; ${asked}; await_answer; cat $T/looks; kill $child`,
      );
      server.close();
      return stdout;
    };

    test('is looked for once, before the daemon has started', async () => {
      expect(await looks('code=200')).toBe('looked\n');
    });

    test('is looked for again where nothing answers there', async () => {
      const second = 'if [ -e $T/asked ]; then code=200; else code=000; fi; : >$T/asked';
      expect(await looks(second)).toBe('looked\nlooked\n');
    });
  });

  describe('the daemon that the change has started', () => {
    const note =
      'systemctl() { printf "ActiveState=active\\nMainPID=$child\\n"; }; sleep 9 & child=$!; responds() { :; }; find_daemon && answers';
    const real = 'sleep() { exec sleep "$@"; }';
    const asked = 'systemctl() { echo asked; return 1; }';

    test('is known by its number and its beginning: systemd is not asked for it', () => {
      const text = `${real}; ${note}; ${asked}; find_daemon && [ "$pid" = "$child" ] && echo same; kill $child`;
      expect(run(shell, text).stdout).toBe('same\n');
    });

    test.each([
      ['has ended', 'kill $child; wait $child'],
      ['has another beginning', 'echo "$child 1" >$T/daemon'],
      ['was not noted', 'rm $T/daemon'],
    ])('one that %s is asked for', (_, what) => {
      const text = `${real}; ${note}; ${asked}; ${what}; find_daemon || printf '%s' "$unit"; kill $child`;
      expect(run(shell, text).stdout).toBe('\nasked\n');
    });

    test('keeps live-restore while it is being stopped: it would be started again without it', () => {
      const forms = 'printf on >$DAEMON_JSON; printf off >$DAEMON_JSON.docker-tls-new-off';
      const stopping = 'systemctl() { return 3; }; await() { return 1; }';
      const text = `${real}; ${note}; ${forms}; ${stopping}; restore_live_restore new; echo "$? $(cat $DAEMON_JSON)"; kill $child`;
      expect(run(shell, text).stdout).toBe('1 on\n');
    });
  });

  describe('what was seen of the daemon when the change began', () => {
    const shows = (state: string): string =>
      `systemctl() { echo asked >>$T/asked; printf "ActiveState=${state}\\nMainPID=$child\\n\\nActiveState=inactive\\n"; }`;
    const begin = 'responds() { :; }; command sleep 9 & child=$!';
    const end = 'runs && echo up; cat $T/asked; kill $child 2>/dev/null';

    test('is not asked for again', () => {
      const text = `${begin}; ${shows('active')}; look_ahead; look_back; echo "$KNOWN"; ${end}`;
      expect(run(shell, text).stdout).toBe('yes\nup\nasked\n');
    });

    test.each([
      ['it did not run yet', 'inactive', 'true'],
      ['its number is another process by now', 'active', 'echo "$child 1 /run/docker.sock" >$T/looked; rm $T/daemon'],
      ['its process has ended', 'active', 'kill $child; wait $child'],
    ])('unless %s', (_, state, meanwhile) => {
      const text = `${begin}; ${shows(state)}; look_ahead; ${meanwhile}; ${shows('active')}; look_back; ${end}`;
      expect(run(shell, text).stdout).toBe('up\nasked\nasked\n');
    });
  });

  describe('a change that fails before its daemon is stopped', () => {
    test('leaves services of parts alone', () => {
      const stubs = 'apply_one() { echo one; }; apply_two() { echo two; }; apply_daemon() { return 1; }';
      const text = `${stubs}; PARTS="one kind two"; apply_services start; echo $?`;
      expect(run(shell, text).stdout).toBe('1\n');
      expect(run(shell, `BACK=yes; ${text}`).stdout).toBe('one\ntwo\n1\n');
    });

    test('does not wait for live-restore once more', () => {
      const stubs =
        'reload_live_restore() { echo waited; }; place_as() { :; }; restore_files() { :; }; apply_services() { :; }; final_daemon_json() { :; }';
      const text = `${stubs}; BACK=yes LIVE_RESTORE=temporary; mark services; roll_back_files failed`;
      expect(run(shell, text).stdout).toBe('');
      expect(run(shell, `mark stopped; ${text}`).stdout).toBe('waited\n');
    });
  });
});
