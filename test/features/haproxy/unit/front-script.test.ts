/** The listener in a change and its rollback. The real script on real files. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { BY_SYSTEMD } from '../../../../src/core/host/scripts.ts';
import { LISTENER_PARTS } from '../../../../src/features/haproxy/engine/change-parts.ts';
import { scriptOf } from '../../../support/host-script.ts';

const SCRIPT = scriptOf('listener', BY_SYSTEMD, LISTENER_PARTS);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-front-'));
  writeFileSync(join(directory, 'id'), 'abc123');
  return () => rmSync(directory, { recursive: true, force: true });
});

/** Runs shell text in the rollback script. */
function run(shell: string, text: string): string {
  const [program = '', ...words] = shell.split(' ');
  const script = `set --; T=${directory}; . ${SCRIPT}
    SERVICE=docker.service TLS_SOCKET=t LOCAL_SOCKET=l UNITS=$T RUN=$T/run PARTS=listener INACTIVE_SOCKETS= DAEMON=restart LIMIT=2
    logger() { shift 3; echo "note $*"; }; systemctl() { :; }; sleep() { :; }
    ${text}`;
  const { stdout, stderr } = spawnSync(program, [...words, '-c', script], { encoding: 'utf8' });
  return stdout + stderr;
}

/** A command that makes unix sockets at paths. */
const SOCKET = `${process.execPath} -e "require('net').createServer().listen(process.argv[1], () => process.exit())"`;

describe.each(['dash', 'bash', 'busybox sh'])('by %s', (shell) => {
  test('a socket for containers stays while it is wanted, and the directory, which they may have mounted, while there is one', () => {
    const listing = (change: string) =>
      run(
        shell,
        `LISTENER=front.service DAEMON=none; mkdir -p $RUN/docker-tls $UNITS/sockets.target.wants; : >$UNITS/$LISTENER
        for name in keep old; do ${SOCKET} $RUN/docker-tls/$name.sock; done; mkdir $RUN/docker-tls/made.sock
        for name in keep made; do ln -s x "$UNITS/sockets.target.wants/docker-tls-role@$name.socket"; done
        systemctl() { case $1 in list-units) for name in keep old; do echo "docker-tls-role@$name.socket loaded"; done ;; esac; }
        look_at_service() { :; }; units_unread() { false; }; find_ports() { ports=; }; hold_port() { :; }
        release_port() { :; }; service() { :; }; start_listener() { :; }; ${change}; exec 3<$RUN/docker-tls; apply_listener
        ls $RUN/docker-tls; [ /proc/$$/fd/3 -ef $RUN/docker-tls ] && echo same; rm -r $RUN/docker-tls $UNITS/sockets.target.wants`,
      ).trim();
    expect(listing('mark t-changed')).toBe('keep.sock\nsame');
    expect(listing('mark docker-tls-role@.socket-changed')).toBe('same');
    // One without a file is made anew.
    expect(listing('rm $RUN/docker-tls/keep.sock; service() { echo "$1 $2"; }')).toContain(
      'stop docker-tls-role@keep.socket',
    );
  });

  test('nothing is deleted where a link in place of the directory leads', () => {
    const left = run(
      shell,
      `mkdir -p $T/open/made.sock $RUN $UNITS/sockets.target.wants; : >$T/open/old.sock; ln -s ../open $RUN/docker-tls
      ln -s x "$UNITS/sockets.target.wants/docker-tls-role@made.socket"
      systemctl() { case $1 in list-units) echo "docker-tls-role@old.socket loaded" ;; esac; }; service() { echo "$*"; }
      drop_program_sockets; ls $T/open`,
    );
    expect(left).toBe('stop docker-tls-role@old.socket\nmade.sock\nold.sock\n');
  });

  test('a rollback goes on where a socket for containers does not listen, and says so; a change does not', () => {
    const started = (back: string, inactive = '') =>
      run(
        shell,
        `LISTENER=front.service BACK=${back} INACTIVE_SOCKETS="${inactive}"; mkdir -p $UNITS/sockets.target.wants; ln -sf x "$UNITS/sockets.target.wants/docker-tls-role@ci.socket"
        service() { case $2 in *ci*) return 1 ;; esac; echo "$1 $2"; }; start_listener; echo "$? $REMARK"`,
      );
    expect(started('no')).toBe('1 \nnot active: docker-tls-role@ci.socket\n');
    expect(started('no', 'docker-tls-role@ci.socket')).toBe('start front.service\n0 \n');
    expect(started('yes')).toMatch(/start front\.service\n0 .*docker-tls-role@ci\.socket/);
    // One that was not active before is no difference.
    expect(started('yes', 'docker-tls-role@ci.socket')).toBe('start front.service\n0 \n');
  });

  describe('where a socket for containers is wanted', () => {
    const applied = (change: string) =>
      run(
        shell,
        `LISTENER=front.service; mkdir -p $RUN/docker-tls $UNITS/sockets.target.wants; : >$UNITS/$LISTENER; : >$T/manifest
        ${SOCKET} $RUN/docker-tls/ci.sock; ln -sf x "$UNITS/sockets.target.wants/docker-tls-role@ci.socket"
        systemctl() { case $1 in is-active) echo "$state" ;; esac; }; reload_listener() { echo reload; }; main_pid() { :; }
        drain_listener() { :; }; look_at_service() { :; }; units_unread() { false; }; service() { [ "$1" != start ] || state=active; echo "$@"; }
        ${change}; apply_listener; rm -r $RUN/docker-tls $UNITS/sockets.target.wants`,
      );

    test('the listener is reloaded if somebody listens there, else restarted', () => {
      expect(applied('DAEMON=none state=active')).toBe('reload\n');
      expect(applied('DAEMON=none state=inactive')).not.toContain('reload');
      // Unless it need not listen: a client that is to go is cut by a reload.
      const left = 'INACTIVE_SOCKETS="docker-tls-role@ci.socket docker-tls-role@x.socket"';
      expect(applied(`DAEMON=none state=inactive ${left}`)).toBe('reload\n');
      expect(applied('DAEMON=none state=inactive INACTIVE_SOCKETS=docker-tls-role@cix.socket')).not.toContain('reload');
      expect(applied('DAEMON=none state=active; rm $RUN/docker-tls/ci.sock')).not.toContain('reload');
    });

    test('no socket counts behind a link: another user may have put a socket there', () => {
      const gone = applied('DAEMON=none state=active; mv $RUN/docker-tls $RUN/open; ln -s open $RUN/docker-tls');
      expect(gone).not.toContain('reload');
      expect(gone).toSay('is-symbolic-link');
      const other = 'mv $RUN/docker-tls/ci.sock $RUN/docker-tls/x; ln -s x $RUN/docker-tls/ci.sock';
      expect(applied(`DAEMON=none state=active; ${other}`)).not.toContain('reload');
    });

    test('a listener that a client has started since the restart of the daemon stops first: no socket starts beside it', () => {
      const restarted = (state: string) => applied(`DAEMON=restart state=${state}; mark t-changed`);
      expect(restarted('active')).not.toContain('stop front.service');
      expect(restarted('inactive')).toMatch(
        /^stop front\.service\n(.*\n)*start docker-tls-role@ci\.socket\nstart front/,
      );
    });

    test('a port that changes while the daemon is only reloaded is moved', () => {
      const moved = applied(
        'DAEMON=reload state=active; mark t-changed; find_ports() { ports=; }; hold_port() { :; }; release_port() { :; }',
      );
      expect(moved).toMatch(/^restart .*front\.service$/m);
    });
  });

  test('a stream does not hold up the stop of the listener', () => {
    const said = run(
      shell,
      `LISTENER=front.service DAEMON=none; : >$UNITS/$LISTENER; mark t-changed; look_at_service() { :; }; units_unread() { false; }
      find_ports() { ports=; }; hold_port() { :; }; release_port() { :; }; main_pid() { pid=$streaming; }
      sh -c 'trap : USR1; trap "echo ended; exit" TERM; echo >$0; for n in $(seq 200); do sleep 0.3; done' $T/streams & streaming=$!; until [ -e $T/streams ]; do /bin/sleep 0.02; done
      service() { if [ "$1 $3" = "restart $LISTENER" ]; then wait "$streaming"; fi; echo "$*"; }; : >$UNITS/t; systemctl() { :; }; apply_listener`,
    );
    // In one call with the port: a client of a socket that stays starts the service whenever it does not run.
    expect(said.trim().split('\n').slice(0, 2)).toEqual(['ended', 'restart t front.service']);
  });

  test('after a rollback at boot, a socket that was undone does not start, and the listener does', () => {
    const said = run(
      shell,
      `LISTENER=front.service; : >$UNITS/$LISTENER; mkdir $UNITS/sockets.target.wants; ln -s x "$UNITS/sockets.target.wants/docker-tls-role@kept.socket"
      reread() { :; }; systemctl() { if [ "$1" = list-units ]; then for name in kept undone; do echo "docker-tls-role@$name.socket loaded"; done; else echo "$*"; fi; }
      read_at_boot`,
    );
    expect(said.trim().split('\n')).toEqual([
      '--no-block stop docker-tls-role@undone.socket',
      '--no-block start front.service',
    ]);
  });
});
