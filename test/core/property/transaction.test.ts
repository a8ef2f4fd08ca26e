/**
 * Crash property of the host's scripts, on random trees of files: a crash at any command restores every old file byte for byte, or after a
 * confirmation leaves the new ones. Runs the real scripts, under dash, bash and busybox, as root in a private mount namespace. Only systemd
 * and the daemon are stand-ins.
 */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FileChange } from '../../../src/core/domain/plan/file-change.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import {
  change,
  type Entry,
  factsOfTree,
  planOf,
  put,
  read,
  Sandbox,
  transactionOf,
} from '../../support/host-sandbox.ts';

type Case = {
  before: Record<string, Entry>;
  after: Record<string, Entry>;
  protect: boolean;
  /** The daemon says that no container runs. */
  idle?: boolean;
  restart: boolean;
  /** Restores a host that was set up before. */
  remove: boolean;
  /** The last command that changes files (counted from 1), and whether it still does its work; for the change and for its end. */
  crashes: readonly { at: number; done: boolean }[];
  /** `late`: a confirmation that does not finish, followed by the timer. */
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
  idle: fc.boolean(),
  restart: fc.boolean(),
  remove: fc.boolean(),
  crashes: fc.array(fc.record({ at: fc.integer({ min: 1, max: 70 }), done: fc.boolean() }), {
    minLength: 1,
    maxLength: 3,
  }),
  end: fc.constantFrom('undo', 'boot', 'commit', 'late'),
});

/** Records and credentials of a host that was set up, as far as the end of a remove depends on them, with foreign files next to them. */
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

/** A crash that never happens. */
const NEVER = { at: 999_999, done: true } as const;

/** Only written files have an origin, and only new directories count as created. */
function checkRecords(root: string, old: ReadonlyMap<string, string>, files: readonly FileChange[]): void {
  const origin = readFileSync(join(root, 'var/docker-tls/origin/manifest'), 'utf8').trimEnd().split('\n');
  expect(origin.map((line) => line.split('\t')[4])).toEqual([
    'docker.service',
    'docker.socket',
    ...files.map(({ path }) => path),
  ]);
  const made = readFileSync(join(root, 'var/docker-tls/created'), 'utf8').trimEnd().split('\n');
  expect(made).toContain('/etc/docker/tls/1');
  for (const directory of made) expect(old.has(directory.slice(4)), directory).toBe(false);
}

/** A rollback to this generation restores exactly the files of the change, without files that existed only for a moment. */
function checkGeneration(root: string, files: readonly FileChange[]): void {
  const generation = join(root, 'var/docker-tls/generations/1');
  const lines = readFileSync(join(generation, 'manifest'), 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => line.split('\t')[4])).toEqual(files.map(({ path }) => path));
  for (const [index, { kind, after }] of files.entries())
    if (kind === 'file') expect(readFileSync(join(generation, `${index + 1}`), 'utf8')).toBe(after);
}

/** Plays one case to its end and checks the result; returns the calls of systemd. */
function play(
  shell: readonly string[],
  { before, after, protect, idle, restart, remove, crashes, end }: Case,
): string[] {
  const box = new Sandbox(shell, idle);
  try {
    const root = box.directory;
    for (const [path, what] of Object.entries(before)) put(root, path, what);
    // The administrator's own files in our directory, with names like ours.
    for (const name of ['2023-ca', '77']) put(root, `/etc/docker/tls/${name}/ca-key.pem`, OWN);
    if (remove) setUp(root);
    const old = box.state();
    const oldRecords = read(join(root, 'var'));
    const json = before['/etc/docker/daemon.json'];
    const jsonNow = json?.kind === 'file' ? readFileSync(join(root, '/etc/docker/daemon.json'), 'utf8') : undefined;
    const files = Object.entries(after).map(([path, what]) => change(path, what));
    const wantedJson = files.find((one) => one.path === '/etc/docker/daemon.json');
    const plan = planOf(files, {
      ...(remove && { purpose: 'remove', generation: 'none', credentials: undefined, managed: [] }),
      daemon: { action: restart ? 'restart' : 'none', reason: '' },
      containers: { running: [], how: protect ? 'temporary' : 'untouched', wouldStop: [] },
      daemonJson: {
        path: '/etc/docker/daemon.json',
        before: jsonNow,
        after: wantedJson === undefined ? jsonNow : wantedJson.after,
      },
    });
    const transaction = transactionOf(plan, factsOfTree(old));
    const input = Buffer.concat(transaction.input.map((part) => (part instanceof Secret ? part.reveal() : part)));
    const printed = box.run(transaction.script, input, crashes[0]);
    const switched = printed.includes('@result switched');
    // A change without a crash must finish; otherwise this case would test nothing.
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
      // Within some milliseconds before the rollback is armed, an empty directory and an inert unit may stay.
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
      // Everything else is unchanged. That includes daemon.json, although it may have changed for a moment.
      const ours = new Set(files.map(({ path }) => path.slice(4)));
      for (const [path, lies] of old)
        if (!ours.has(path) && !/^\/docker\/tls\/1(\/|$)/.test(path)) expect(now.get(path), path).toBe(lies);
      if (!remove) checkRecords(root, old, files);
      if (!remove) checkGeneration(root, files);
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
    // Once more after the first start: its limits of starts are as before.
    const lines = told({ [drop]: file }, 'undo').filter((line, index, all) => line !== all[index - 1]);
    expect(lines.slice(0, 6)).toEqual([...there, ...there]);
  });
});

test.runIf(process.getuid?.() === 0)(
  'a rollback protects containers anew where the confirmation has ended that',
  () => {
    const after = { '/etc/default/docker': { kind: 'file', mode: 0o644, uid: 0, content: 'x' } } as const;
    // The confirmation is killed at the final daemon.json: by then the daemon has applied that live-restore is off.
    const crashes = [NEVER, { at: 3, done: false }];
    const told = play(['dash'], {
      before: {},
      after,
      protect: true,
      restart: true,
      remove: false,
      crashes,
      end: 'late',
    });
    const restart = ['live-restore true', 'stop docker.service', 'start docker.service', 'live-restore false'];
    const steps = told.flatMap((line) => /(^live-restore \w+|\b(stop|start) docker\.service)$/.exec(line)?.[0] ?? []);
    expect(steps.filter((step, index) => step !== steps[index - 1])).toEqual([...restart, ...restart]);
  },
);

test.runIf(process.getuid?.() === 0)('a generation has daemon.json as it stays, not as it is for the restart', () => {
  const path = '/etc/docker/daemon.json';
  const json = (content: string): Entry => ({ kind: 'file', mode: 0o644, uid: 0, content });
  const one = { before: { [path]: json('{}') }, after: { [path]: json('{ "icc": false }') }, crashes: [NEVER] };
  play(['dash'], { ...one, protect: true, restart: true, remove: false, end: 'commit' });
});

describe.runIf(process.getuid?.() === 0)('where others may write', () => {
  /** `d:u::rwx,d:u:2:rwx,d:g::r-x,d:m::rwx,d:o::r-x`: new files in it ignore the umask. */
  const DEFAULT_ACL = '0200000001000700ffffffff020007000200000004000500ffffffff10000700ffffffff20000500ffffffff';

  /** A change on a host prepared by `make`; passes the sandbox with the applied change. */
  function changed(make: (box: Sandbox) => void, look: (box: Sandbox) => void): void {
    const box = new Sandbox(['dash']);
    try {
      make(box);
      const unit: Entry = { kind: 'file', mode: 0o644, uid: 0, content: '[Socket]\n' };
      const plan = planOf([change('/etc/systemd/system/docker-tls.socket', unit)]);
      const { script, input } = transactionOf(plan, factsOfTree(box.state()));
      const bytes = Buffer.concat(input.map((part) => (part instanceof Secret ? part.reveal() : part)));
      expect(box.run(script, bytes)).toContain('@result switched');
      look(box);
    } finally {
      box.remove();
    }
  }

  test('by a default access list, files have their final mode, and the key has it before its content', () => {
    changed(
      ({ directory }) => {
        for (const name of ['etc/docker', 'etc/systemd/system'])
          execFileSync('python3', [
            '-c',
            'import os, sys; os.setxattr(sys.argv[1], "system.posix_acl_default", bytes.fromhex(sys.argv[2]))',
            ...[join(directory, name), DEFAULT_ACL],
          ]);
        copyFileSync('/usr/bin/head', join(directory, 'real/head'));
        const head = `#!/bin/sh\nstat -L -c '%a %s' /dev/fd/3 3>&1 >>${directory}/modes\nexec ${directory}/real/head "$@"\n`;
        writeFileSync(join(directory, 'stub/head'), head, { mode: 0o755 });
      },
      (box) => {
        expect(readFileSync(join(box.directory, 'modes'), 'utf8')).toMatch(/^400 0$/m);
        const modes = [...box.state()].map(([path, lies]) => `${path} ${lies.split(' ')[1]}`);
        for (const one of ['tls/1/server-key.pem 400', 'tls/1/server-cert.pem 444', 'tls/1/ca.pem 444', 'tls/1 700'])
          expect(modes).toContain(`/docker/${one}`);
        expect(modes).toContain('/systemd/system/docker-tls.socket 644');
      },
    );
  });

  test('a link of the administrator to the directory of the records stays when the last of them goes', () => {
    changed(
      ({ directory }) => {
        mkdirSync(join(directory, 'var/elsewhere'));
        symlinkSync('elsewhere', join(directory, 'var/docker-tls'));
      },
      (box) => {
        box.run('exec dash /var/lib/docker-tls/txn/rollback.sh clean undo timer', Buffer.alloc(0));
        expect(Object.fromEntries(read(join(box.directory, 'var')))).toMatchObject({
          '/docker-tls': 'link 0:0 elsewhere',
        });
        expect(readdirSync(join(box.directory, 'var/elsewhere'))).toEqual([]);
      },
    );
  });

  test.each([
    ['of another account', 33, 0o755],
    ['that every account may write', 0, 0o777],
    ['that its group may write', 0, 0o775],
  ])('a directory for the rollback %s is refused, and stays as it is', (_, owner, mode) => {
    const box = new Sandbox(['dash']);
    try {
      const state = join(box.directory, 'var/docker-tls');
      mkdirSync(state);
      writeFileSync(join(state, 'mine'), '');
      chownSync(state, owner, owner);
      chmodSync(state, mode);
      const file: Entry = { kind: 'file', mode: 0o600, uid: 0, content: 'x' };
      const { script, input } = transactionOf(planOf([change('/etc/docker/x', file)]), factsOfTree(box.state()));
      const bytes = Buffer.concat(input.map((part) => (part instanceof Secret ? part.reveal() : part)));
      expect(box.run(script, bytes)).toContain(`@result failed ${btoa('arm')}`);
      const after = statSync(state);
      expect([after.uid, after.gid, after.mode & 0o777]).toEqual([owner, owner, mode]);
      expect(existsSync(join(state, 'txn/rollback.sh'))).toBe(false);
    } finally {
      box.remove();
    }
  });
});

test.runIf(process.getuid?.() === 0)(
  'a rollback that ends at any of its commands is finished by the next one',
  () => {
    const file: Entry = { kind: 'file', mode: 0o644, uid: 0, content: 'x' };
    const one = { protect: false, restart: false, remove: false, end: 'undo' } as const;
    for (let at = 1; at <= 12; at += 1)
      play(['dash'], {
        ...one,
        before: { '/etc/default/docker': { ...file, content: 'before' } },
        after: { '/etc/default/docker': file, '/etc/odd/a file with spaces': file },
        crashes: [NEVER, { at, done: true }],
      });
  },
  600_000,
);

const shells = [['dash'], ['bash'], ['busybox', 'sh']] as const;

describe.each(shells.map((shell) => ({ shell })))('under $shell', ({ shell }) => {
  test.runIf(process.getuid?.() === 0)(
    'any crash of a change, of its undoing, of its confirmation',
    () => {
      fc.assert(
        fc.property(cases, (one) => void play(shell, one)),
        { numRuns: 15, endOnFailure: true },
      );
    },
    600_000,
  );

  test.runIf(process.getuid?.() === 0)(
    'a confirmation that ends at any of its commands, and then the timer',
    () => {
      const file: Entry = { kind: 'file', mode: 0o644, uid: 0, content: 'x' };
      // The last command does not depend on the shell, so only one shell tries all of them.
      for (let at = 1; at <= 12; at += shell[0] === 'dash' ? 1 : 4) {
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
