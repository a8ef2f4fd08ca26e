/** Modules of the host's scripts under failures of the host: each in a separate shell, with functions in place of programs. */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import receive from '../../../src/core/host/apply/receive.sh';
import bootList from '../../../src/core/host/boot-list.sh';
import daemon from '../../../src/core/host/rollback/daemon.sh';
import protection from '../../../src/core/host/rollback/protection.sh';
import systemdPulled from '../../../src/core/host/systemd/pulled.sh';
import systemdRecovery from '../../../src/core/host/systemd/recovery.sh';
import systemdService from '../../../src/core/host/systemd/service.sh';
import { moduleShell } from '../../support/module-shell.ts';

const UNITS_OF_DOCKER = 'SERVICE=docker.service TLS_SOCKET=docker-tls.socket LOCAL_SOCKET=docker.socket';

const shell = moduleShell();
const { sh } = shell;

test('a daemon that runs and does not answer is not taken for one that is down', () => {
  const asked = (back: string, runs: number): string =>
    sh(
      daemon,
      protection,
      `BACK=${back}; runs() { return ${runs}; }; find_daemon() { :; }; await() { return 1; }`,
      'reload_live_restore true 2>/dev/null; echo $?',
    );
  expect([asked('no', 0), asked('no', 1), asked('yes', 0)]).toEqual(['1', '0', '0']);
});

test('systemd: a rollback starts the docker.socket that the change has stopped', () => {
  const stopped = (back: string, was: string): string =>
    sh(
      systemdService,
      'stop_pulled() { :; }',
      `${UNITS_OF_DOCKER} UNITS=/nowhere SOCKET=stop BACK=${back} SOCKET_WAS_ACTIVE=${was} socket_unit=`,
      'active() { return 1; }; systemctl() { :; }; service() { echo "$*" >>told; }',
      'restart_docker stop; cat told; rm told',
    );
  expect(stopped('no', 'yes')).toBe('stop docker.service docker-tls.socket docker.socket');
  expect(stopped('yes', 'yes')).toBe('stop docker.service docker-tls.socket\nstart docker.socket');
  expect(stopped('yes', 'no')).toBe('stop docker.service docker-tls.socket docker.socket');
});

test('systemd: what the start of a daemon that was down brings along stops with it, unless others have it by now', () => {
  const origin = '0\tunit\tinactive\t-\tdocker.service\n0\tunit\tpulled\t-\tcontainerd.service\n';
  mkdirSync(join(shell.directory, 'origin'));
  writeFileSync(join(shell.directory, 'origin/manifest'), origin);
  const told = (back: string, more: string, call = 'stop_pulled') =>
    sh(
      systemdPulled.replaceAll('/etc/cni', `${shell.directory}/cni`),
      `T=${shell.directory} STATE=${shell.directory} TAB='\t' SERVICE=docker.service BACK=${back} CREATED=${shell.directory}/created`,
      'service() { echo "$*"; }; grep() { return 1; }',
      "systemctl() { case $* in *Wants*) echo 'network.target containerd.service other.service up.service' ;; *is-active*up.service) ;; *is-active*) return 3 ;; *) echo disabled ;; esac; }",
      `${more}; ${call}`,
    );
  expect(told('no', ':')).toBe('stop containerd.service');
  expect(told('no', 'systemctl() { echo enabled; }')).toBe('');
  expect(told('no', 'grep() { echo /proc/self/comm; }')).toBe('');
  // A change that found it running records nothing.
  expect(told('yes', ':')).toBe('');
  expect(told('no', ':', 'note_pulled; echo $pulled')).toBe('containerd.service');
  expect(readFileSync(join(shell.directory, 'created'), 'utf8')).toBe(
    `${shell.directory}/cni\n${shell.directory}/cni/net.d\n`,
  );
  expect(told('yes', ':')).toBe('stop containerd.service');
});

test('systemd: who verifies is called once the daemon of before is gone and its port let go, and never by a rollback', () => {
  const restarted = (back: string, held: boolean): string => {
    if (held) writeFileSync(join(shell.directory, 'docker-tls.socket'), '');
    else rmSync(join(shell.directory, 'docker-tls.socket'), { force: true });
    return sh(
      systemdService,
      `${UNITS_OF_DOCKER} T=${shell.directory} UNITS=${shell.directory} BACK=${back} docker_unit= socket_unit=`,
      `active() { ${held ? ':' : 'false'}; }; mark() { :; }; note_dependents() { :; }; start_dependents() { :; }; systemctl() { :; }`,
      'find_ports() { ports=2376; }; hold_port() { echo held; : >$T/held; }; release_port() { echo let go; }',
      'end_unneeded_protection() { echo ended; }',
      'await_answer() { :; }; service() { case $1 in start) ;; *) for last; do :; done; sleep 0.1; echo "stopped $last" ;; esac; }',
      'restart_docker start',
    );
  };
  expect(restarted('no', true).split('\n')).toEqual([
    'held',
    'stopped docker.service',
    'ended',
    'let go',
    '@open',
    'let go',
  ]);
  expect(restarted('yes', true)).not.toContain('@open');
  expect(restarted('no', false)).not.toContain('@open');
});

test('systemd: our socket starts at boot also where systemd does not read its units', () => {
  writeFileSync(join(shell.directory, 'docker-tls.socket'), '');
  const stubs = `${UNITS_OF_DOCKER} UNITS=${shell.directory}; reread() { return 1; }; systemctl() { echo "$*"; }; of_parts() { echo "parts: $1"; }`;
  expect(sh(systemdRecovery, stubs, 'read_at_boot; echo $?').split('\n')).toEqual([
    '--no-block start docker-tls.socket',
    'parts: boot',
    '1',
  ]);
});

test.each(['cp', 'sed', 'mv'])('the list of a boot stays as it was where %s fails', (program) => {
  const list = 'TARGETS = mountall.sh\n';
  for (const [text, verb] of [
    [list, 'list'],
    [`TARGETS = mountall.sh docker-tls-recover\ndocker-tls-recover: mountall.sh\n`, 'unlist'],
  ] as const) {
    writeFileSync(join(shell.directory, 'depend'), text);
    const stubs = `RECOVERY_LIST=${shell.directory}/depend; ${program}() { return 1; }`;
    expect(sh(bootList, stubs, `${verb}_recovery; echo $?`)).toBe('1');
    expect(readdirSync(shell.directory)).toEqual(['depend']);
    expect(readFileSync(join(shell.directory, 'depend'), 'utf8')).toBe(text);
  }
});

test('systemd: live-restore does not end where the daemon may not have stopped', () => {
  const calls = sh(
    systemdService,
    `${UNITS_OF_DOCKER} T=${shell.directory} UNITS=${shell.directory} BACK=no docker_unit= socket_unit=; : >docker-tls-closed.service; : >docker-tls.socket`,
    'active() { false; }; mark() { :; }; note_dependents() { :; }; start_docker() { :; }; start_dependents() { :; }; systemctl() { :; }',
    'release_port() { :; }; end_unneeded_protection() { echo ended; }; service() { echo "$*"; return 1; }',
    'restart_docker start',
  );
  expect(calls.split('\n')).toEqual([
    '--job-mode=ignore-dependencies stop docker.service docker-tls-closed.service',
    '--job-mode=ignore-dependencies stop docker.service',
  ]);
});

test('what was seen of the daemon from the beginning is in the records of the change', () => {
  const [take = ''] = /^take_findings\(\) \{$.*?^\}$/ms.exec(receive) ?? [];
  const seen = ['containers', 'daemon', 'idle', 'local', 'looked', 'shown'];
  const records = `T=${shell.directory}/txn STAGING=${shell.directory}/staging ERR=error; mkdir $T $STAGING; for name in ${seen.join(' ')}; do : >$STAGING/$name; done`;
  expect(sh(take, records, 'true & look=$!; take_findings && ls $T').split('\n')).toEqual(seen);
  expect(
    sh(take, `cp() { return 1; }; rm -r txn staging; ${records}`, 'true & look=$!; take_findings || echo full'),
  ).toBe('full');
});

test('the words of a daemon that does not start are its own, not those of refused connections', () => {
  const [plainly = ''] = /^plainly\(\) .*$/m.exec(receive) ?? [];
  const log = [
    'time="2026-11-29T23:00:00Z" level=info msg="Starting up"',
    'http: TLS handshake error from 10.213.0.1:40000: remote error: tls: bad certificate',
    'failed to start daemon: error initializing graphdriver: driver not supported',
  ];
  expect(sh(plainly, `printf '%s\\n' ${log.map((line) => `'${line}'`).join(' ')} | plainly`)).toBe(
    [log[0], log[2]].join('\n'),
  );
});
