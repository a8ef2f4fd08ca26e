/**
 * A host in private directories, for the host scripts: as root in a mount namespace, where /etc, /var/lib and /run belong to the sandbox.
 * Scripts, shell and tools are real; only systemd and the daemon are stand-ins.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { afterAll, beforeAll } from 'vitest';
import { SYSTEM_PLACES } from '../../src/core/domain/dockerd/paths.ts';
import type { HostFacts } from '../../src/core/domain/plan/facts.ts';
import type { FileChange } from '../../src/core/domain/plan/file-change.ts';
import type { PathState } from '../../src/core/domain/plan/host-files.ts';
import { NO_LISTENER } from '../../src/core/domain/plan/listener.ts';
import type { HostPlan } from '../../src/core/domain/plan/plan-host.ts';
import { renderTransaction } from '../../src/core/domain/plan/transaction.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import { keptOf } from '../../src/core/domain/settings-stored.ts';

export type Entry = { kind: 'file' | 'link' | 'absent'; mode: number; uid: number; content: string };
/** The contents of a directory: path -> type, mode, owner, contents. */
export function read(root: string, path = '', found = new Map<string, string>()): Map<string, string> {
  for (const name of readdirSync(join(root, path))) {
    const below = `${path}/${name}`;
    const stat = lstatSync(join(root, below));
    const head = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`;
    if (stat.isSymbolicLink()) found.set(below, `link ${stat.uid}:${stat.gid} ${readlinkSync(join(root, below))}`);
    else if (stat.isFile()) found.set(below, `file ${head} ${readFileSync(join(root, below), 'base64')}`);
    else {
      found.set(below, `directory ${head}`);
      read(root, below, found);
    }
  }
  return found;
}

export function put(root: string, path: string, { kind, mode, uid, content }: Entry): void {
  const at = join(root, path);
  ensureDirSync(dirname(at));
  // Some tools treat a link to a directory differently from a dangling one.
  if (kind === 'link')
    symlinkSync(content.length % 3 === 0 ? '.' : content.replaceAll('\0', '').trim() || 'nowhere', at);
  if (kind !== 'file') return;
  writeFileSync(at, path.endsWith('.json') ? `{ "debug": ${content.length % 2 === 0} }` : content);
  chownSync(at, uid, uid);
  chmodSync(at, mode);
}

export function change(path: string, { kind, mode, uid, content }: Entry): FileChange {
  if (kind === 'absent') return { kind, path, mode: '-', owner: '-', pending: true };
  if (kind === 'link') {
    const to = content.length % 3 === 0 ? '..' : `../${content.length}`;
    return { kind, path, mode: '-', owner: '-', to, pending: true };
  }
  const after = path.endsWith('.json') ? `{ "icc": ${content.length % 2 === 0} }` : content;
  return { kind, path, mode: mode.toString(8).padStart(4, '0'), owner: `${uid}:${uid}`, after, pending: true };
}

const STUBS: Record<string, string> = {
  'systemd-run': 'exit 0',
  journalctl: 'exit 0',
  logger: 'exit 0',
};

/** Holds a socket like dockerd, and survives SIGHUP; the stub of curl supplies its answers. */
let daemon: ChildProcess;
const socketDirectory = mkdtempSync(join(tmpdir(), 'docker-tls-socket-'));
beforeAll(async () => {
  const socket = join(socketDirectory, 'docker.sock');
  const script = `process.on('SIGHUP', () => {}); require('net').createServer().listen(${JSON.stringify(socket)}, () => console.log('up'))`;
  daemon = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (daemon.stdout) await once(daemon.stdout, 'data');
});
afterAll(() => {
  daemon?.kill('SIGKILL');
  removeSync(socketDirectory);
});

export class Sandbox {
  readonly directory = mkdtempSync(join(tmpdir(), 'docker-tls-tree-'));
  readonly shell: readonly string[];

  /** `idle`: its daemon says that no container runs. */
  constructor(shell: readonly string[], idle = false) {
    this.shell = shell;
    for (const name of ['etc/systemd/system', 'etc/docker', 'var/docker', 'run', 'real', 'stub'])
      ensureDirSync(join(this.directory, name));
    for (const [name, text] of Object.entries(STUBS)) this.stub(name, text);
    this.stub(
      'systemctl',
      `echo "$*" >>${this.directory}/systemctl; case $* in *MainPID*) echo ActiveState=active; echo MainPID=${daemon.pid} ;; esac`,
    );
    this.stub(
      'curl',
      `case $(cat) in *_ping*) printf 'OK\\n--abc123 api 200 /_ping\\n'; exit ;; *containers*) ${idle ? "printf '[]\\n\\n--abc123 api 200 /containers/json\\n'; " : ''}exit ;; esac
grep -q '"live-restore": true' /etc/docker/daemon.json 2>/dev/null && on=true || on=false
echo "live-restore $on" >>${this.directory}/systemctl; printf '{"LiveRestoreEnabled":%s}' $on`,
    );
    // Every command that changes a name can be the last one.
    for (const name of ['mv', 'ln', 'rm', 'mkdir', 'cp']) {
      copyFileSync(`/usr/bin/${name}`, join(this.directory, 'real', name));
      this.stub(
        name,
        `n=0; read -r n 2>/dev/null <${this.directory}/count; n=$((n+1)); echo $n >${this.directory}/count
read -r at done <${this.directory}/crash
if [ $n = "$at" ] && [ $done = false ]; then kill -9 $PPID; exit 1; fi
${this.directory}/real/${name} "$@"; code=$?
if [ $n = "$at" ]; then kill -9 $PPID; fi
exit $code`,
      );
    }
  }

  /** Replaces a program of the host with shell text. */
  stub(name: string, text: string): void {
    writeFileSync(join(this.directory, 'stub', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }

  /** Runs shell text with our directories as /etc, /var/lib and /run, and as /proc/sys if there is a `sys`; returns its output. */
  run(text: string, input: Buffer, crash?: { at: number; done: boolean }): string {
    writeFileSync(join(this.directory, 'count'), '0\n');
    writeFileSync(join(this.directory, 'crash'), crash ? `${crash.at} ${crash.done}\n` : '0 true\n');
    writeFileSync(join(this.directory, 'script'), text);
    const stubs = readdirSync(join(this.directory, 'stub')).flatMap(
      (name) => ['/usr/bin', '/usr/sbin'].map((place) => `${place}/${name}`).find((path) => existsSync(path)) ?? [],
    );
    const binds = [
      ...stubs.map((path) => [`stub/${basename(path)}`, path]),
      ['run', '/run'],
      ['var', '/var/lib'],
      ...(existsSync(join(this.directory, 'sys')) ? [['sys', '/proc/sys']] : []),
      ['etc', '/etc'],
    ];
    // One process mounts them all: of a case, a process for each takes more time than the script.
    const table = binds.map(([from, to]) => `${this.directory}/${from} ${to} none bind 0 0\n`);
    writeFileSync(join(this.directory, 'mounts'), table.join(''));
    const outer = `mount -a -T ${this.directory}/mounts && exec ${this.shell.join(' ')} -c 'eval "$(cat ${this.directory}/script)"'`;
    const result = spawnSync('unshare', ['-m', '--propagation', 'private', 'sh', '-c', outer], {
      input,
      timeout: 250_000,
      // Finds the stubs of programs missing on this machine by their names.
      env: { PATH: `/usr/sbin:/usr/bin:/sbin:/bin:${this.directory}/stub` },
    });
    // A script that crashes early has not read all of its input.
    if (result.error && (result.error as NodeJS.ErrnoException).code !== 'EPIPE') throw result.error;
    return result.stdout.toString() + (process.env.SHOW ? result.stderr.toString() : '');
  }

  state(): Map<string, string> {
    return read(join(this.directory, 'etc'));
  }

  /** Commands to systemd, and the daemon's live-restore messages, in order. */
  told(): string[] {
    const log = join(this.directory, 'systemctl');
    return existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
  }

  remove(): void {
    for (let tries = 1; ; tries += 1) {
      try {
        removeSync(this.directory);
        return;
      } catch (error) {
        // The end of a confirmation still runs in the background for a moment, and may write in the meantime.
        if (tries === 20) throw error;
        spawnSync('sleep', ['0.05']);
      }
    }
  }
}

/** The first change of a host, without stopping a container. */
export function planOf(files: readonly FileChange[], more: object = {}): HostPlan {
  return {
    host: 'box',
    purpose: 'apply',
    listener: NO_LISTENER,
    generation: 1,
    credentials: { reason: 'new' },
    managed: files.map(({ kind, path }) => ({ kind, path })),
    files,
    daemon: { action: 'none', reason: '' },
    reloads: [],
    containers: { running: [], how: 'untouched', wouldStop: [] },
    daemonJson: { path: '/etc/docker/daemon.json' },
    warnings: [],
    ...more,
  } as unknown as HostPlan;
}

export const CREDENTIALS = { ca: 'CA', cert: 'CERT', key: { kind: 'send', key: new Secret('KEY') } } as const;

/** The engine's script with its input; the change's name is abc123. */
export function transactionOf(plan: HostPlan, facts: HostFacts): ReturnType<typeof renderTransaction> {
  const words = { id: 'abc123', who: 'me', now: new Date(0), confirmWithin: 30, keep: 3, reason: 'test' };
  return renderTransaction(plan, facts, CREDENTIALS, { ...words, settings: keptOf({}) });
}

/** Facts that contain only daemon.json among the host's files. */
export function factsOfTree(old: ReadonlyMap<string, string>): HostFacts {
  const unit = { active: 'active', fragment: '', dropIns: [], environmentFiles: [], unread: [] };
  return {
    places: SYSTEM_PLACES,
    docker: { unit, socket: { active: 'inactive' }, version: '', cmdline: [], containers: [], programs: [] },
    files: jsonState(old.get('/docker/daemon.json')),
    leads: new Map(),
    directories: new Map(),
    generations: new Map(),
    origin: new Map(),
  } as unknown as HostFacts;
}

function jsonState(lies: string | undefined): Map<string, PathState> {
  const [kind, mode = '', owner = '', content = ''] = (lies ?? 'absent').split(' ');
  const state: PathState =
    kind === 'file'
      ? { kind, mode, owner, content: Buffer.from(content, 'base64').toString('utf8') }
      : kind === 'link'
        ? { kind, to: '' }
        : { kind: 'absent' };
  return new Map([['/etc/docker/daemon.json', state]]);
}
