/**
 * A simulated user on a separate machine, for tests on lab hosts: a home directory, the lab's key, the built program. Also snapshots of
 * home and host.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { finished, type Program, type ProgramRun } from './cli.ts';
import type { LabHost, LabUser } from './lab.ts';
import { openTerminal, type TerminalOptions, type TerminalProgram } from './terminal.ts';

export type Person = {
  readonly home: string;
  /** The store's path; it does not exist before the first setup. */
  readonly store: string;
  readonly env: Readonly<Record<string, string>>;
  /** docker-tls, without a terminal. */
  run(argv: readonly string[], options?: { readonly env?: Readonly<Record<string, string>> }): Promise<ProgramRun>;
  /** docker-tls, in a terminal. */
  terminal(argv: readonly string[], options?: TerminalOptions): TerminalProgram;
  /** Any program of this machine, as this user. */
  call(file: string, argv: readonly string[], env?: Readonly<Record<string, string>>): Promise<ProgramRun>;
  /** The arguments of an unattended setup of a host. */
  setup(host: LabHost, more?: readonly string[], user?: LabUser): string[];
  /** Additional lines for the ssh config, replacing those of the last call. */
  addSshConfig(lines: string): void;
  /** Everything below the home except known_hosts: path, mode, owner, contents. */
  snapshot(): string;
  remove(): void;
};

/** `known`: hosts with known keys. The environment contains only PATH, HOME and TERM. */
export function newPerson(program: Program, known: readonly LabHost[] = []): Person {
  const home = mkdtempSync(join(tmpdir(), 'docker-tls-person-'));
  mkdirSync(join(home, '.ssh'), { mode: 0o700 });
  const knownHosts = join(home, '.ssh/known_hosts');
  const config = join(home, '.ssh/config');
  writeFileSync(knownHosts, known.map((host) => readFileSync(host.knownHostsFile, 'utf8')).join(''));
  const addSshConfig = (lines: string): void =>
    writeFileSync(
      config,
      `Host *\n  UserKnownHostsFile ${knownHosts}\n  GlobalKnownHostsFile /dev/null\n  IdentityAgent none\n${lines}\n`,
    );
  addSshConfig('');
  const env = { HOME: home, PATH: process.env.PATH ?? '/usr/bin:/bin', TERM: 'xterm-256color' };
  return {
    home,
    store: join(home, '.docker/tls'),
    env,
    run: (argv, more = {}) => program.run(argv, { env: { ...env, ...more.env }, cwd: home }),
    terminal: (argv, options = {}) => {
      const [file, ...first] = program.command;
      return openTerminal(file, [...first, ...argv], { cwd: home, ...options, env: { ...env, ...options.env } });
    },
    call: (file, argv, more = {}) =>
      finished(spawn(file, argv, { stdio: 'pipe', cwd: home, env: { ...env, ...more } })),
    setup: (host, more = [], user = 'root') => [
      'setup',
      `${user}@${host.address}`,
      '--name',
      host.name,
      '--ssh-config',
      config,
      '-i',
      host.keyFile,
      '--client',
      'laptop',
      '--no-ca-passphrase',
      '--yes',
      ...more,
    ],
    addSshConfig,
    snapshot: () => snapshotDirectory(home, ['.ssh/known_hosts']),
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

/** One line for each file below a directory. */
export function snapshotDirectory(directory: string, without: readonly string[] = []): string {
  const lines: string[] = [];
  function visit(path: string): void {
    const name = relative(directory, path);
    if (without.includes(name)) return;
    const stat = lstatSync(path);
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isDirectory()) {
      lines.push(`${mode} ${stat.uid} ${name}/`);
      for (const entry of readdirSync(path).sort()) visit(join(path, entry));
    } else if (stat.isSymbolicLink()) {
      lines.push(`link ${stat.uid} ${name} -> ${readlinkSync(path)}`);
    } else {
      lines.push(`${mode} ${stat.uid} ${name} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`);
    }
  }
  visit(directory);
  return lines.join('\n');
}

/**
 * A host's state, as far as setup could change it: files with mode, owner, contents; units; the processes and sockets of docker. `daemon`:
 * includes the daemon's process (a restart changes it).
 */
export async function snapshotHost(host: LabHost, { daemon = true } = {}): Promise<string> {
  return host.must(
    [
      'for d in /etc/docker /etc/systemd/system /var/lib/docker-tls /run/systemd/system; do',
      '  [ -e $d ] && find $d \\( -name "session-*" -o -name "user-*" \\) -prune -o -printf "%M %U:%G %p -> %l\\n" | sort',
      '  [ -e $d ] && find $d -type f ! -name "session-*" ! -name "user-*" -exec sha256sum {} + | sort',
      'done',
      'ls -A /run/systemd/transient 2>/dev/null | grep docker-tls',
      'systemctl is-active docker.service docker.socket docker-tls.socket 2>&1',
      'ss -Hltn "sport = :2376"',
      'systemctl list-units --all --plain --no-legend "docker-tls*" | sort',
      daemon ? 'systemctl show -p MainPID -p ExecMainStartTimestampMonotonic docker.service' : 'true',
      'stat -c "%i %a %U:%G" /run/docker.sock 2>&1 || true',
    ].join('\n'),
  );
}
