/** Detection of a started daemon, and of containers that a change has stopped. Real script, with a daemon's answers. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { rollbackScript } from '../../support/host-script.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-answer-'));
  writeFileSync(join(directory, 'id'), 'abc123');
  return () => rmSync(directory, { recursive: true, force: true });
});

function run(shell: string, text: string): string {
  const [program = '', ...words] = shell.split(' ');
  const settings = `TXN=abc123 SERVICE=docker.service TLS_SOCKET=docker-tls.socket LOCAL_SOCKET=docker.socket
    UNITS=${directory} DAEMON=restart CONTAINERS=keep STEP= LIMIT=2`;
  const script = `set --; T=${directory}; . ${rollbackScript}; ${settings}; runs() { :; }; logger() { :; }; ${text}`;
  const { stdout, stderr } = spawnSync(program, [...words, '-c', script], { encoding: 'utf8' });
  return stdout + stderr;
}

describe.each(['dash', 'bash', 'busybox sh'])('by %s', (shell) => {
  describe('a daemon has started', () => {
    // A daemon that has only just begun, and one that has run for long.
    const begun = 'command sleep 9 & pid=$!; find_daemon() { :; }';
    const end = 'kill $pid 2>/dev/null';
    const answering = (status: string, socket = '/run/docker.sock') =>
      `local_socket() { socket=${socket} lost=; }; api() { echo ping >>$T/pings; printf 'OK\\n--abc123 api ${status} /_ping\\n'; }`;
    const started = `is_up && echo started || echo not yet`;

    test.each([
      ['200', 'started'],
      // From an authorization plugin.
      ['403', 'started'],
      ['000', 'not yet'],
    ])('once its API answers (%s)', (status, word) => {
      expect(run(shell, `${begun}; ${answering(status)}; ${started}; ${end}`)).toBe(`${word}\n`);
    });

    test('and is not asked twice', () => {
      const text = `${begun}; ${answering('200')}; is_up; is_up && echo up; cat $T/pings; ${end}`;
      expect(run(shell, text)).toBe('up\nping\n');
    });

    test('also where no file can be made', () => {
      const text = `${begun}; ${answering('200')}; T=$T/none; await_answer 2>/dev/null && echo started; ${end}`;
      expect(run(shell, text)).toContain('started\n');
    });

    test('not before it has opened its socket', () => {
      expect(run(shell, `${begun}; ${answering('200', "''")}; ${started}; ${end}`)).toBe('not yet\n');
    });

    test('where there is nothing to ask, after a while', () => {
      const old = 'born() { birth=$((uptime * 100 - 1500)); }; look_at_clock';
      expect(run(shell, `${begun}; ${answering('200', "''")}; ${old}; ${started}; ${end}`)).toBe('started\n');
    });

    test('not where the path of its socket is gone that answered before', () => {
      const lost = 'local_socket() { socket=/run/other.sock lost=/run/docker.sock; }';
      expect(run(shell, `${begun}; ${answering('200')}; ${lost}; ${started}; ${end}`)).toBe('started\n');
      expect(run(shell, `${begun}; ${answering('200')}; ${lost}; rm $T/daemon; mark local; ${started}; ${end}`)).toSay(
        'not-yet-socket-gone',
        '/run/docker.sock',
      );
      // A rollback ends, even if another administrator has deleted it meanwhile.
      const back = `${begun}; ${answering('200')}; ${lost}; rm -f $T/daemon; mark local; BACK=yes; ${started}; ${end}`;
      expect(run(shell, back)).toBe('started\n');
    });

    test('not without any socket where it answered on one before, unless after a removal', () => {
      const old = 'born() { birth=$((uptime * 100 - 1500)); }; look_at_clock; mark local';
      const none = (generation: string) =>
        `${begun}; ${answering('200', "''")}; ${old}; GENERATION=${generation}; ${started}; ${end}`;
      expect(run(shell, none('2'))).toSay('not-yet-no-socket');
      expect(run(shell, none('none'))).toBe('started\n');
    });

    test('one that has lost its socket is not waited for', () => {
      const text = `find_daemon() { :; }; responds() { lost=/run/docker.sock; echo gone >&2; return 1; }; born() { :; }
        sleep() { :; }; LIMIT=20; mark local; await_answer; echo $?`;
      expect(run(shell, text)).toSay('dockerd-no-answer', '1 gone');
    });

    test('one that ends in its start is not waited for', () => {
      const text = 'find_daemon() { return 1; }; sleep() { :; }; LIMIT=300; await_answer; echo $?';
      expect(run(shell, text)).toSay('dockerd-no-answer', '1');
    });
  });

  describe('of the containers that ran before', () => {
    const inspected = (id: string, name: string, state: object, restarts = 0) => {
      const all = { Status: 'running', Running: true, Pid: 0, ExitCode: 0, Error: '', ...state };
      const labels = { '"State":{"Status":"': '"Pid":1,', Id: id };
      return JSON.stringify({ Id: id, Created: 'x', Args: ['"Name":"/no"'], State: all, Image: 'sha256:1' }).replace(
        /\}$/,
        `,${JSON.stringify({ Name: `/${name}`, RestartCount: restarts, Driver: 'overlay2', Config: { Labels: labels } }).slice(1)}`,
      );
    };
    const [web, api] = ['a'.repeat(64), 'b'.repeat(64)];
    /** `later`: the daemon's answer about each after the change. */
    function stopped(
      live: { web: boolean; api: boolean },
      later: Record<string, string | undefined>,
      ask = '',
    ): string {
      const file = (name: string, text: string): void => writeFileSync(join(directory, name), text);
      file(
        'list',
        JSON.stringify([{ Id: web, Names: ['/web'], ImageID: 'sha256:1', Labels: { Id: api } }, { Id: api }]),
      );
      const text = `command sleep 9 & w=$!; command sleep 9 & a=$!; find_daemon() { :; }
        local_socket() { socket=/run/docker.sock lost=; }; socket=/run/docker.sock
        api() { shift 2; for path; do id=\${path#/containers/} && id=\${id%/json}
          status=200
          case $path in /containers/json) cat $T/list ;; *) cat $T/$id 2>/dev/null || { printf '{"message":"No such container"}'; status=404; } ;; esac
          printf '\\n--abc123 api %s %s\\n' $status "http://docker$path"; done; }
        printf '%s' '${inspected(web, 'web', { Pid: 77 }, 2)}' | sed "s/\\"Pid\\":77/\\"Pid\\":$w/" >$T/${web}
        printf '%s' '${inspected(api, 'api', { Pid: 77 }, 2)}' | sed "s/\\"Pid\\":77/\\"Pid\\":$a/" >$T/${api}
        rm -f $T/looked; note_containers
        ${live.web ? '' : 'kill $w; wait $w;'} ${live.api ? '' : 'kill $a; wait $a;'}
        rm $T/${web} $T/${api}
        ${Object.entries(later)
          .map(([id, json]) => `printf '%s' '${json}' >$T/${id}`)
          .join('\n')}
        ${ask}
        keeps_containers; echo "$? $STEP"; kill $w $a 2>/dev/null`;
      return run(shell, text).replace(/.*Terminated.*\n/g, '');
    }
    const alive = { web: true, api: true };
    const said = (words: string): string => `1 containers\ncontainers stopped that ran before: ${words}\n`;

    test('each that still runs is one process of before', () => {
      expect(stopped(alive, {})).toBe('0 \n');
    });

    test('one that was killed is named, also beside others that were not', () => {
      const dead = inspected(web, 'web', { Status: 'exited', ExitCode: 137 }, 2);
      expect(stopped({ web: false, api: true }, { [web]: dead })).toBe(said('web (exit 137)'));
    });

    test('one that the daemon has started anew is named, and one that its own policy restarts is not', () => {
      const live = { web: false, api: true };
      expect(stopped(live, { [web]: inspected(web, 'web', { Pid: 1 }, 0) })).toBe(said('web (started anew)'));
      expect(stopped(live, { [web]: inspected(web, 'web', { Pid: 1 }, 3) })).toBe('0 \n');
    });

    test('one that has ended by itself, or was removed, counts only where none is left', () => {
      const ended = inspected(web, 'web', { Status: 'exited', ExitCode: 0 }, 2);
      expect(stopped({ web: false, api: true }, { [web]: ended })).toBe('0 \n');
      expect(stopped({ web: false, api: true }, {})).toBe('0 \n');
      expect(stopped({ web: false, api: false }, { [web]: ended })).toSay('exit-no-longer', 'web', 0, 'api');
    });

    test('of a daemon that cannot be asked it is not known how they ended', () => {
      expect(stopped({ web: false, api: false }, {}, 'api() { printf "\\n--abc123 api 000 %s\\n" "$3"; };')).toSay(
        'containers-not-asked',
        'web',
        'api',
      );
    });

    test.each([
      [
        'while the daemon runs on that ran before',
        'pid=$$; born $$; echo "$$ $birth /run/docker.sock" >$T/looked',
        '0 \n',
      ],
      ['in a change that does not touch the daemon', 'DAEMON=none', '0 \n'],
      [
        'after the restart that it lived through',
        'pid=$$; mv $T/containers $T/c; keeps_containers; mv $T/c $T/containers',
        '0 \n',
      ],
      ['while another one runs', 'pid=$$; echo "1 1 /run/docker.sock" >$T/looked', said('web (exit 137)')],
    ])('one that somebody stops %s', (_, before, words) => {
      const dead = inspected(web, 'web', { Status: 'exited', ExitCode: 137 }, 2);
      expect(stopped({ web: false, api: true }, { [web]: dead }, before)).toBe(words);
    });

    test('a rollback says which', () => {
      const dead = inspected(web, 'web', { Status: 'exited', ExitCode: 137 }, 2);
      const name = 'REMARK=; name_stopped; echo "$REMARK"; kill $w $a; exit';
      expect(stopped({ web: false, api: true }, { [web]: dead }, name)).toSay(
        'containers-stopped-exit-see',
        'web',
        '137',
        'docker ps -a',
      );
    });
  });
});

describe('the local socket of a daemon', () => {
  let daemon: ChildProcess;
  const place = mkdtempSync(join(tmpdir(), 'docker-tls-local-'));
  beforeAll(async () => {
    const listen = `for (const name of ['a', 'b']) require('net').createServer().listen(${JSON.stringify(place)} + '/' + name)`;
    daemon = spawn(process.execPath, ['-e', `${listen}; setTimeout(() => console.log('up'), 100)`]);
    if (daemon.stdout) await once(daemon.stdout, 'data');
  });
  afterAll(() => {
    daemon.kill('SIGKILL');
    rmSync(place, { recursive: true, force: true });
  });

  test('is one whose file is there; one whose file is gone is lost', () => {
    const look = () => run('dash', `local_socket ${daemon.pid}; echo "$socket $lost"`);
    expect(look()).toMatch(new RegExp(`^${place}/[ab] \n$`));
    rmSync(join(place, 'b'));
    expect(look()).toBe(`${place}/a ${place}/b\n`);
    rmSync(join(place, 'a'));
    expect(look()).toMatch(new RegExp(`^ ${place}/[ab]\n$`));
  });
});
