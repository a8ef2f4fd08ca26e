/**
 * The host's scripts under crashes at any command, on random trees of files: what was there comes back byte for byte,
 * or, once confirmed, is what was wanted. The real scripts, under dash, bash and busybox, as root in a mount namespace
 * of their own; only systemd and the daemon are stand-ins.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HostFacts } from '../../src/domain/plan/facts.ts';
import type { FileChange } from '../../src/domain/plan/file-change.ts';
import type { PathState } from '../../src/domain/plan/host-files.ts';
import type { HostPlan } from '../../src/domain/plan/plan.ts';
import { renderTransaction } from '../../src/domain/plan/transaction.ts';
import { Secret } from '../../src/domain/secret.ts';
import { completeHost, keptOf } from '../../src/domain/settings.ts';
import { startTransaction } from '../../src/engine/host-transaction.ts';
import type { HostChange } from '../../src/engine/intent.ts';
import { transact } from '../../src/engine/steps/transact.ts';
import type { HostSession } from '../../src/runtime.ts';

type Entry = { kind: 'file' | 'link' | 'absent'; mode: number; uid: number; content: string };
type Case = {
  before: Record<string, Entry>;
  after: Record<string, Entry>;
  protect: boolean;
  restart: boolean;
  /** The host, which was set up before, is restored. */
  remove: boolean;
  /** Which command that changes files is the last (counted from 1), and whether it still does its work; for the change and for its end. */
  crashes: readonly { at: number; done: boolean }[];
  /** `late`: a confirmation that does not come to its end, and then the timer. */
  end: 'undo' | 'boot' | 'commit' | 'late';
};

const PATHS = [
  '/etc/docker/daemon.json',
  '/etc/systemd/system/docker-tls.socket',
  '/etc/systemd/system/docker.service.d/zz-docker-tls.conf',
  '/etc/systemd/system/sockets.target.wants/docker-tls.socket',
  '/etc/default/docker',
  '/etc/odd/a file with spaces',
  '/etc/odd/deep/er/-dash $x',
] as const;

const entry = fc.record({
  kind: fc.constantFrom('file', 'file', 'link', 'absent') as fc.Arbitrary<Entry['kind']>,
  mode: fc.constantFrom(0o644, 0o600, 0o444, 0o755, 0o640, 0o4755),
  uid: fc.constantFrom(0, 0, 33),
  content: fc.string({ maxLength: 60 }),
});
const tree = fc.record(Object.fromEntries(PATHS.map((path) => [path, entry])), { requiredKeys: [] }) as fc.Arbitrary<
  Record<string, Entry>
>;
const cases: fc.Arbitrary<Case> = fc.record({
  before: tree,
  after: tree,
  protect: fc.boolean(),
  restart: fc.boolean(),
  remove: fc.boolean(),
  crashes: fc.array(fc.record({ at: fc.integer({ min: 1, max: 70 }), done: fc.boolean() }), {
    minLength: 1,
    maxLength: 3,
  }),
  end: fc.constantFrom('undo', 'boot', 'commit', 'late'),
});

/** What lies in a directory: path -> type, mode, owner, contents. */
function read(root: string, path = '', found = new Map<string, string>()): Map<string, string> {
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

function put(root: string, path: string, { kind, mode, uid, content }: Entry): void {
  const at = join(root, path);
  mkdirSync(dirname(at), { recursive: true });
  // A link to a directory is another thing to some tools than one to nowhere.
  if (kind === 'link')
    symlinkSync(content.length % 3 === 0 ? '.' : content.replaceAll('\0', '').trim() || 'nowhere', at);
  if (kind !== 'file') return;
  writeFileSync(at, path.endsWith('.json') ? `{ "debug": ${content.length % 2 === 0} }` : content);
  chownSync(at, uid, uid);
  chmodSync(at, mode);
}

function change(path: string, { kind, mode, uid, content }: Entry): FileChange {
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
  curl: `grep -q '"live-restore": true' /etc/docker/daemon.json 2>/dev/null && on=true || on=false; printf '{"LiveRestoreEnabled":%s}' $on`,
};

/** Holds a socket, as dockerd does, and outlives SIGHUP; what it answers comes from the stub of curl. */
let daemon: ChildProcess;
beforeAll(async () => {
  const socket = join(mkdtempSync(join(tmpdir(), 'docker-tls-socket-')), 'docker.sock');
  const script = `process.on('SIGHUP', () => {}); require('net').createServer().listen(${JSON.stringify(socket)}, () => console.log('up'))`;
  daemon = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (daemon.stdout) await once(daemon.stdout, 'data');
});
afterAll(() => void daemon?.kill('SIGKILL'));

class Sandbox {
  readonly directory = mkdtempSync(join(tmpdir(), 'docker-tls-tree-'));
  readonly shell: readonly string[];

  constructor(shell: readonly string[]) {
    this.shell = shell;
    for (const name of ['etc/systemd/system', 'etc/docker', 'var/docker', 'run', 'real', 'stub'])
      mkdirSync(join(this.directory, name), { recursive: true });
    for (const [name, text] of Object.entries(STUBS)) this.#stub(name, text);
    this.#stub(
      'systemctl',
      `echo "$*" >>${this.directory}/systemctl; case $* in *MainPID*) echo ActiveState=active; echo MainPID=${daemon.pid} ;; esac`,
    );
    // Every command that changes a name may be the last one.
    for (const name of ['mv', 'ln', 'rm', 'mkdir', 'cp']) {
      copyFileSync(`/usr/bin/${name}`, join(this.directory, 'real', name));
      this.#stub(
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

  #stub(name: string, text: string): void {
    writeFileSync(join(this.directory, 'stub', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }

  /** Runs shell text with our directories in the places of /etc, /var/lib and /run; gives what it printed. */
  run(text: string, input: Buffer, crash?: { at: number; done: boolean }): string {
    writeFileSync(join(this.directory, 'count'), '0\n');
    writeFileSync(join(this.directory, 'crash'), crash ? `${crash.at} ${crash.done}\n` : '0 true\n');
    writeFileSync(join(this.directory, 'script'), text);
    const stubs = readdirSync(join(this.directory, 'stub')).filter((name) => existsSync(`/usr/bin/${name}`));
    const outer = [
      'set -e',
      ...stubs.map((name) => `mount --bind ${this.directory}/stub/${name} /usr/bin/${name}`),
      `mount --bind ${this.directory}/run /run`,
      `mount --bind ${this.directory}/var /var/lib`,
      `mount --bind ${this.directory}/etc /etc`,
      `exec ${this.shell.join(' ')} -c 'eval "$(cat ${this.directory}/script)"'`,
    ].join('\n');
    const result = spawnSync('unshare', ['-m', '--propagation', 'private', 'sh', '-c', outer], {
      input,
      timeout: 60_000,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    // What crashes early has not read all of its input.
    if (result.error && (result.error as NodeJS.ErrnoException).code !== 'EPIPE') throw result.error;
    return result.stdout.toString() + (process.env.SHOW ? result.stderr.toString() : '');
  }

  state(): Map<string, string> {
    return read(join(this.directory, 'etc'));
  }

  /** What systemd was told, in order. */
  told(): string[] {
    const log = join(this.directory, 'systemctl');
    return existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
  }

  remove(): void {
    for (let tries = 1; ; tries += 1) {
      try {
        rmSync(this.directory, { recursive: true, force: true });
        return;
      } catch (error) {
        // The end of a confirmation goes on in the background for a moment, and may write here meanwhile.
        if (tries === 20) throw error;
        spawnSync('sleep', ['0.05']);
      }
    }
  }
}

/** The records and credentials of a host that was set up, as far as the end of a remove goes by them; what is not ours lies beside them. */
function setUp(root: string): void {
  const files: Record<string, string> = {
    'etc/docker/tls/1/server-key.pem': 'KEY',
    'etc/docker/tls/own-ca/ca-key.pem': 'not ours',
    'var/docker-tls/state.json': '{}',
    'var/docker-tls/created': '/etc/docker/tls\n/etc/docker/tls/1\n',
    'var/docker-tls/origin/manifest': '1\tabsent\t-\t-\t/etc/docker/tls/current\n',
    'var/docker-tls/generations/1/manifest': '',
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

const OWN: Entry = { kind: 'file', mode: 0o400, uid: 0, content: 'mine' };

/** Of what lies on the host only daemon.json is looked at. */
function facts(old: ReadonlyMap<string, string>): HostFacts {
  const unit = { active: 'active', fragment: '', dropIns: [], environmentFiles: [], unread: [] };
  return {
    docker: { unit, version: '', cmdline: [], containers: [], programs: [] },
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

/** A crash that does not come. */
const NEVER = { at: 999_999, done: true } as const;

/** Only what was written has an origin, and only directories that were not there count as made. */
function checkRecords(root: string, old: ReadonlyMap<string, string>, files: readonly FileChange[]): void {
  const origin = readFileSync(join(root, 'var/docker-tls/origin/manifest'), 'utf8').trimEnd().split('\n');
  expect(origin.map((line) => line.split('\t')[4])).toEqual(['docker.service', ...files.map(({ path }) => path)]);
  const made = readFileSync(join(root, 'var/docker-tls/created'), 'utf8').trimEnd().split('\n');
  expect(made).toContain('/etc/docker/tls/1');
  for (const directory of made) expect(old.has(directory.slice(4)), directory).toBe(false);
}

/** Plays one case to its end and judges what is left; gives what systemd was told. */
function play(shell: readonly string[], { before, after, protect, restart, remove, crashes, end }: Case): string[] {
  const box = new Sandbox(shell);
  try {
    const root = box.directory;
    for (const [path, what] of Object.entries(before)) put(root, path, what);
    // Of somebody's own, in our directory, by names like ours.
    for (const name of ['2023-ca', '77']) put(root, `/etc/docker/tls/${name}/ca-key.pem`, OWN);
    if (remove) setUp(root);
    const old = box.state();
    const oldRecords = read(join(root, 'var'));
    const json = before['/etc/docker/daemon.json'];
    const jsonNow = json?.kind === 'file' ? readFileSync(join(root, '/etc/docker/daemon.json'), 'utf8') : undefined;
    const files = Object.entries(after).map(([path, what]) => change(path, what));
    const wantedJson = files.find((one) => one.path === '/etc/docker/daemon.json');
    const plan = {
      host: 'box',
      ...(remove
        ? { purpose: 'remove', generation: 'none', managed: [] }
        : {
            purpose: 'apply',
            generation: 1,
            credentials: { reason: 'new' },
            managed: files.map(({ kind, path }) => ({ kind, path })),
          }),
      files,
      daemon: { action: restart ? 'restart' : 'none', reason: '' },
      sshd: 'none',
      audit: 'none',
      containers: { running: [], how: protect ? 'temporary' : 'untouched', wouldStop: [] },
      daemonJson: {
        path: '/etc/docker/daemon.json',
        ...(jsonNow === undefined ? {} : { before: jsonNow }),
        ...(wantedJson === undefined
          ? jsonNow === undefined
            ? {}
            : { after: jsonNow }
          : wantedJson.after === undefined
            ? {}
            : { after: wantedJson.after }),
      },
      warnings: [],
    } as unknown as HostPlan;
    const transaction = renderTransaction(
      plan,
      facts(old),
      { ca: 'CA', cert: 'CERT', key: { kind: 'send', key: new Secret('KEY') } },
      {
        id: 'abc123',
        who: 'me',
        now: new Date(0),
        confirmWithin: 30,
        keep: 3,
        reason: 'test',
        settings: keptOf({}),
      },
    );
    const input = Buffer.concat(transaction.input.map((part) => (part instanceof Secret ? part.reveal() : part)));
    const printed = box.run(transaction.script, input, crashes[0]);
    const switched = printed.includes('@result switched');
    // A change that nothing disturbs comes to its end: otherwise nothing would be tried here.
    if (crashes[0] === NEVER) expect(printed).toContain('@result switched');
    const records = join(root, 'var/docker-tls/txn');
    const unit = join(root, 'etc/systemd/system/docker-tls-recover.service');
    const armed = existsSync(join(records, 'settings'));
    let kept = switched && end === 'commit';
    for (const crash of [...crashes.slice(1), undefined]) {
      const confirming = switched && (end === 'commit' || (end === 'late' && crash !== undefined));
      if (switched && end === 'late')
        kept = existsSync(join(records, 'committed')) || !existsSync(join(records, 'settings'));
      const verb = confirming ? 'commit abc123' : end === 'boot' ? 'undo boot' : 'undo timer';
      if (existsSync(join(records, 'settings')))
        box.run(`exec ${shell.join(' ')} /var/lib/docker-tls/txn/rollback.sh clean ${verb}`, Buffer.alloc(0), crash);
      else if (existsSync(unit)) {
        const command = /^ExecStart=\/bin\/sh -c '(.*)'$/m.exec(readFileSync(unit, 'utf8'))?.[1];
        box.run(command ?? 'exit 1', Buffer.alloc(0), crash);
      }
    }
    const now = box.state();
    if (!armed && !switched) {
      // Within some milliseconds before the rollback is armed, an empty directory and a unit that does nothing may stay.
      for (const path of ['/systemd/system/sysinit.target.wants', '/systemd/system/docker-tls-recover.service'])
        if (!old.has(path)) now.delete(path);
    }
    if (kept) {
      for (const wanted of files) {
        const lies = now.get(wanted.path.slice(4));
        if (wanted.kind === 'absent') expect(lies, wanted.path).toBeUndefined();
        else if (wanted.kind === 'link') expect(lies, wanted.path).toBe(`link 0:0 ${wanted.to}`);
        else
          expect(lies, wanted.path).toBe(
            `file ${Number.parseInt(wanted.mode, 8).toString(8)} ${wanted.owner} ${Buffer.from(wanted.after ?? '').toString('base64')}`,
          );
      }
      // Everything else is what it was, daemon.json included, which may have been changed for a moment.
      const ours = new Set(files.map(({ path }) => path.slice(4)));
      for (const [path, lies] of old)
        if (!ours.has(path) && !/^\/docker\/tls\/1(\/|$)/.test(path)) expect(now.get(path), path).toBe(lies);
      if (!remove) checkRecords(root, old, files);
      expect([...now.keys()].filter((path) => /docker-tls-(new|old|tmp)|recover/.test(path))).toEqual([]);
      if (remove) {
        expect(existsSync(join(root, 'var/docker-tls'))).toBe(false);
        expect(now.has('/docker/tls/1')).toBe(false);
        expect(now.has('/docker/tls/own-ca/ca-key.pem')).toBe(true);
      } else expect(existsSync(join(root, 'var/docker-tls/state.json'))).toBe(true);
    } else {
      expect(Object.fromEntries(now)).toEqual(Object.fromEntries(old));
      expect(Object.fromEntries(read(join(root, 'var')))).toEqual(Object.fromEntries(oldRecords));
    }
    expect(existsSync(records)).toBe(false);
    if (armed || switched) expect(existsSync(join(root, 'run/docker-tls.lock'))).toBe(false);
    return box.told();
  } finally {
    box.remove();
  }
}

describe.runIf(process.getuid?.() === 0)('unit files', () => {
  const file: Entry = { kind: 'file', mode: 0o644, uid: 0, content: '[Service]\n' };
  const drop = '/etc/systemd/system/docker.service.d/zz-docker-tls.conf';
  const stop = '--job-mode=ignore-dependencies stop docker.service';
  const told = (after: Case['after'], end: Case['end']) =>
    play(['dash'], { before: {}, after, protect: false, restart: true, remove: false, crashes: [NEVER], end }).filter(
      (line) => /^(daemon-reload|--job-mode=\S+ stop docker|start docker)/.test(line),
    );

  test('are read anew by systemd before the daemon starts, where one of them changes', () => {
    expect(told({ [drop]: file }, 'commit').slice(0, 3)).toEqual(['daemon-reload', stop, 'start docker.service']);
    expect(told({ '/etc/default/docker': file }, 'commit').slice(0, 2)).toEqual([stop, 'start docker.service']);
  });

  test('that come back are read anew as well', () => {
    const there = ['daemon-reload', stop, 'start docker.service'];
    expect(told({ [drop]: file }, 'undo').slice(0, 6)).toEqual([...there, ...there]);
  });
});

const shells = [['dash'], ['bash'], ['busybox', 'sh']] as const;

describe.each(shells.map((shell) => ({ shell })))('under $shell', ({ shell }) => {
  test.runIf(process.getuid?.() === 0)(
    'any crash of a change, of its undoing, of its confirmation',
    () => {
      fc.assert(
        fc.property(cases, (one) => void play(shell, one)),
        { numRuns: 25, endOnFailure: true },
      );
    },
    600_000,
  );

  test.runIf(process.getuid?.() === 0)(
    'a confirmation that ends at any of its commands, and then the timer',
    () => {
      const file: Entry = { kind: 'file', mode: 0o644, uid: 0, content: 'x' };
      for (let at = 1; at <= 12; at += 1) {
        play(shell, {
          before: {},
          after: { '/etc/default/docker': file },
          protect: false,
          restart: false,
          remove: false,
          crashes: [NEVER, { at, done: false }],
          end: 'late',
        });
      }
    },
    600_000,
  );
});

describe.runIf(process.getuid?.() === 0)('a change that may not go through, as the engine runs it', () => {
  const path = '/etc/docker/daemon.json';
  const file = (content: string): Entry => ({ kind: 'file', mode: 0o644, uid: 0, content });
  const plan = {
    host: 'box',
    purpose: 'apply',
    generation: 1,
    credentials: { reason: 'new' },
    managed: [{ kind: 'file', path: '/etc/default/docker' }],
    files: [change('/etc/default/docker', file('new'))],
    daemon: { action: 'none', reason: '' },
    sshd: 'none',
    audit: 'none',
    containers: { running: [], how: 'untouched', wouldStop: [] },
    daemonJson: { path },
    warnings: [],
  } as unknown as HostPlan;
  const credentials = { ca: 'CA', cert: 'CERT', key: { kind: 'send', key: new Secret('KEY') } } as const;
  const spec = completeHost({ name: 'box', ssh: { destination: 'box' } });
  const TIMER = 'exec dash /var/lib/docker-tls/txn/rollback.sh clean undo timer';

  /** The session runs what it is given in the sandbox. */
  function sessionOf(box: Sandbox): HostSession {
    const close = async (): Promise<void> => {};
    return {
      host: 'box',
      user: 'root',
      dialled: '10.0.0.1',
      login: { destination: 'box' },
      run: async ({ script, input = [] }) => {
        const bytes = input.map((part) => Buffer.from(part instanceof Secret ? part.reveal() : part));
        return { status: 0, stdout: Buffer.from(box.run(script, Buffer.concat(bytes))), stderr: '' };
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  function changeOf(box: Sandbox, verify: () => void = () => {}): HostChange & { readonly books: string[] } {
    const books: string[] = [];
    const session = sessionOf(box);
    const signal = new AbortController().signal;
    const runtime = { operator: 'me', now: () => new Date(0), signal, connect: async () => session };
    return {
      plan,
      facts: facts(box.state()),
      credentials,
      spec,
      session,
      reach: { runtime } as unknown as HostChange['reach'],
      reason: 'test',
      progress: { phase() {}, done() {}, failed() {}, pause() {} },
      verify: async () => {
        verify();
        return [];
      },
      save: async () => void books.push('save'),
      unsave: async () => void books.push('unsave'),
      books,
    };
  }

  /** A host with a daemon.json; what is left of it has to be what `work` says, by default what was there. */
  async function refused(
    work: (box: Sandbox) => Promise<unknown>,
    left: 'as before' | 'half done' = 'as before',
  ): Promise<unknown> {
    const box = new Sandbox(['dash']);
    try {
      put(box.directory, path, file('{ "icc": true }'));
      const old = box.state();
      const error = await work(box).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      const now = box.state();
      if (left === 'as before') {
        expect(now.get('/default/docker')).toBeUndefined();
        expect(now.get('/docker/tls/1')).toBeUndefined();
      } else expect(Object.fromEntries(now)).not.toEqual(Object.fromEntries(old));
      return error;
    } finally {
      box.remove();
    }
  }

  test('E_HOST_CHANGED: another administrator wrote a file that the plan was made from', async () => {
    const error = await refused(async (box) => {
      const one = changeOf(box);
      put(box.directory, path, file('{ "icc": false }'));
      await transact(one).finally(() => expect(one.books).toEqual([]));
    });
    expect(error).toMatchObject({ code: 'E_HOST_CHANGED', exit: 5, message: expect.stringContaining(path) });
  });

  test('E_HOST_CHANGED: or one that an earlier change of ours wrote', async () => {
    const managed = '/etc/systemd/system/docker-tls.socket';
    const error = await refused(async (box) => {
      put(box.directory, managed, file('edited'));
      const { facts: known, ...one } = changeOf(box);
      const state = {
        schema: 1,
        name: 'box',
        generation: 0,
        generations: [],
        managed: [{ kind: 'file', path: managed }],
      };
      const written: PathState = { kind: 'file', mode: '644', owner: '0:0', content: 'ours' };
      const files = new Map([...known.files, [managed, written] as const]);
      await transact({ ...one, facts: { ...known, files, state } as unknown as HostFacts });
    });
    expect(error).toMatchObject({ code: 'E_HOST_CHANGED', exit: 5, message: expect.stringContaining(managed) });
  });

  test('E_STALE_CHANGE: a change that its controller never confirmed goes back before the next one', async () => {
    const error = await refused(async (box) => {
      const one = changeOf(box);
      const transaction = renderTransaction(plan, one.facts, credentials, {
        id: 'abc123',
        who: 'me',
        now: new Date(0),
        confirmWithin: 30,
        keep: 3,
        reason: 'test',
        settings: keptOf({}),
      });
      await startTransaction(one.session, transaction, { timeoutMs: 1000 });
      expect(box.state().get('/default/docker')).toBeDefined();
      const lock = join(box.directory, 'run/docker-tls.lock');
      writeFileSync(lock, readFileSync(lock, 'utf8').replace(/^expires=.*$/m, 'expires=1'));
      await transact(one);
    });
    expect(error).toMatchObject({ code: 'E_STALE_CHANGE', exit: 5 });
  });

  test('E_NOT_CONFIRMED: the host has rolled back by itself when it is told to keep the change', async () => {
    const error = await refused(async (box) => {
      const one = changeOf(box, () => void box.run(TIMER, Buffer.alloc(0)));
      await transact(one).finally(() => expect(one.books).toEqual(['save', 'unsave']));
    });
    expect(error).toMatchObject({ code: 'E_NOT_CONFIRMED', exit: 5 });
  });

  test('E_ROLLBACK: a change that failed and cannot be taken back either', async () => {
    const error = await refused(async (box) => {
      const broken = (): void => {
        for (const name of ['mv', 'rm']) writeFileSync(join(box.directory, 'stub', name), '#!/bin/sh\nexit 1\n');
        throw new Error('not verified');
      };
      await transact(changeOf(box, broken));
    }, 'half done');
    expect(error).toMatchObject({ code: 'E_ROLLBACK', exit: 6, hints: [expect.stringContaining('rollback.sh')] });
  });
});
