/** Facts script, run on this machine by each kind of shell, and its parser: any content at a path comes back byte for byte. */
import { type StdioOptions, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseFacts } from '../../../src/core/domain/plan/facts.ts';
import { requireKnownKind } from '../../../src/core/domain/plan/host-kind.ts';
import { shellQuote } from '../../../src/core/domain/quote.ts';
import { gather } from '../../../src/core/engine/gather.ts';
import { factsScript } from '../../../src/core/engine/loaded-kinds.ts';
import type { HostSession } from '../../../src/core/runtime.ts';
import type { DockerTlsError } from '../../../src/errors/errors.ts';
import { GOOD_OUTPUT } from '../../support/host-facts.ts';
import { printSections, sectionsOf } from '../../support/sections.ts';

const FACTS_SCRIPT = await factsScript();

/** A bash with a socket as stdin, like node's pipes, may read .bashrc, and its output would mix in. */
const QUIET: StdioOptions = ['ignore', 'pipe', 'pipe'];
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-facts-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function run(shell: readonly string[], paths: readonly string[]): Buffer {
  const script = `MORE_PATHS=${shellQuote(paths.join('\n'))}\n${FACTS_SCRIPT}`;
  const [program = 'sh', ...args] = shell;
  const result = spawnSync(program, [...args, '-c', script], { cwd: directory, maxBuffer: 1 << 26, stdio: QUIET });
  expect(result.stderr.toString()).toBe('');
  return result.stdout;
}

describe.each([['dash'], ['bash'], ['busybox', 'sh']])('by %s', (...shell) => {
  test('files, links and directories come back as they are, and what is not there is absent', () => {
    const texts: Record<string, string> = {
      empty: '',
      'no-end': 'a\n\n\nb',
      'line-ends': 'a\r\n\n\n',
      'looks-like-a-section': '\n--0123456789abcdef0123456789abcdef done\n\0 f 644 0:0 3\0/x\0\0',
      'two words *': 'é ✓\n',
    };
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(directory, name), text, { mode: 0o640 });
    writeFileSync(join(directory, 'large'), 'x'.repeat(1_048_576));
    writeFileSync(join(directory, 'too-large'), 'x'.repeat(1_048_577));
    mkdirSync(join(directory, 'directory'));
    spawnSync('mkfifo', [join(directory, 'fifo')]);
    symlinkSync('no-end', join(directory, 'link'));
    symlinkSync(join(directory, 'link'), join(directory, 'link-to-link'));
    symlinkSync('nowhere', join(directory, 'dangling'));
    const more = ['large', 'too-large', 'directory', 'fifo', 'link', 'link-to-link', 'dangling', 'missing'];
    const { files, leads } = parseFacts(
      run(
        shell,
        [...Object.keys(texts), ...more].map((name) => join(directory, name)),
      ),
    );
    const at = (name: string) => files.get(join(directory, name));
    const owner = `${process.getuid?.()}:${process.getgid?.()}`;
    for (const [name, content] of Object.entries(texts))
      expect(at(name)).toEqual({ kind: 'file', mode: '640', owner, content });
    expect(at('large')).toMatchObject({ kind: 'file', content: 'x'.repeat(1_048_576) });
    expect(at('too-large')).toEqual({ kind: 'other', what: 'a very large file' });
    expect(at('directory')).toEqual({ kind: 'other', what: 'a directory' });
    expect(at('fifo')).toEqual({ kind: 'other', what: 'a FIFO' });
    expect(at('link')).toEqual({ kind: 'link', to: 'no-end' });
    expect(at('link-to-link')).toEqual({ kind: 'link', to: join(directory, 'link') });
    expect(leads.get(join(directory, 'link-to-link'))).toBe(join(directory, 'no-end'));
    expect(at('dangling')).toEqual({ kind: 'link', to: 'nowhere' });
    expect(at('missing')).toEqual({ kind: 'absent' });
    expect(files.get('/etc/docker/tls/current')).toBeDefined();
  });

  test('a path that find would take for an expression is not looked at', () => {
    writeFileSync(join(directory, 'kept'), 'kept');
    const { files } = parseFacts(run(shell, ['-delete', '!', join(directory, 'kept')]));
    expect(files.get('-delete')).toEqual({ kind: 'absent' });
    expect(files.get(join(directory, 'kept'))).toMatchObject({ content: 'kept' });
  });
});

test.each([
  ['dash', []],
  ['bash', []],
  ['busybox', ['sh']],
])('drop-ins and files of variables with odd names, as systemd 257 writes them, by %s', (shell, args) => {
  const stub = join(directory, 'bin');
  mkdirSync(stub);
  const unit = [
    'Id=docker.service',
    `DropInPaths="/d/10 my.conf" "/d/back\\\\s.conf" "/d/d\\$x.conf" /d/plain.conf "/d/q\\"q.conf" "/d/s'q.conf" "/d/star*.conf" /d/sém.conf`,
    `EnvironmentFiles=${directory}/a b.env (ignore_errors=yes)`,
    `EnvironmentFiles=${directory}/*.glob (ignore_errors=no)`,
    `EnvironmentFiles=${directory}/*.none (ignore_errors=yes)`,
  ];
  writeFileSync(join(stub, 'systemctl'), `#!/bin/sh\ncat <<'UNIT'\n${unit.join('\n')}\nUNIT\n`, { mode: 0o755 });
  for (const name of ['a b.env', 'one.glob', 'two words.glob']) writeFileSync(join(directory, name), `A=${name}`);
  const script = `MORE_PATHS= PATH=${stub}:$PATH\n${FACTS_SCRIPT}`;
  const { stdout, stderr } = spawnSync(shell, [...args, '-c', script], {
    cwd: directory,
    maxBuffer: 1 << 26,
    stdio: QUIET,
  });
  expect(stderr.toString()).toBe('');
  const { docker, files } = parseFacts(stdout);
  expect(docker.unit.dropIns).toEqual(
    ['10 my', 'back\\s', 'd$x', 'plain', 'q"q', "s'q", 'star*', 'sém'].map((name) => `/d/${name}.conf`),
  );
  const variables = ['a b.env', 'one.glob', 'two words.glob'].map((name) => join(directory, name));
  expect(docker.unit.environmentFiles).toEqual([...variables, join(directory, '*.none')]);
  expect(variables.map((path) => files.get(path))).toMatchObject(
    ['a b.env', 'one.glob', 'two words.glob'].map((name) => ({ content: `A=${name}` })),
  );
});

/** The facts of a host whose systemd has a running daemon, with some programs replaced. */
function running(shell: readonly string[], unit: readonly string[], programs: Readonly<Record<string, string>> = {}) {
  const stub = join(directory, 'bin');
  mkdirSync(stub);
  const lines = ['Id=docker.service', `MainPID=${process.pid}`, 'ExecMainStartTimestamp=2020-01-01 00:00:00', ...unit];
  const all = { systemctl: `cat <<'UNIT'\n${lines.join('\n')}\nUNIT`, ...programs };
  for (const [name, text] of Object.entries(all))
    writeFileSync(join(stub, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  const script = FACTS_SCRIPT.replaceAll(/\/run\/systemd(?= )/g, join(directory, 'systemd'));
  const [program = 'sh', ...args] = shell;
  const { stdout } = spawnSync(program, [...args, '-c', `MORE_PATHS= PATH=${stub}:$PATH\n${script}`], {
    cwd: directory,
    maxBuffer: 1 << 26,
    stdio: QUIET,
  });
  return parseFacts(stdout);
}

describe.each([['dash'], ['bash'], ['busybox', 'sh']])('of a daemon that runs, by %s', (...shell) => {
  test("files that are newer than it are known, unless busybox's find is to compare", () => {
    const [now, before, gone] = ['now', 'before', 'gone'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    for (const path of [now, before]) writeFileSync(path, '');
    utimesSync(before, 0, 0);
    const unit = [`FragmentPath=${before}`, `DropInPaths=${now}`, `EnvironmentFiles=${gone} (ignore_errors=yes)`];
    expect(running(shell, unit).docker.edited).toEqual(shell[0] === 'busybox' ? undefined : [now]);
  });

  test.each([
    ['as a flag', '--tlscacert\tCA'],
    ['as a key of JSON', '{"tlscacert":\t"CA"}'],
  ])('the CA that it accepts clients of is read %s behind a tab', (_how, text) => {
    const [ca, settings] = [join(directory, 'ca.pem'), join(directory, 'settings')];
    writeFileSync(ca, 'the CA');
    writeFileSync(settings, text.replace('CA', ca));
    const { files } = running(shell, [`EnvironmentFiles=${settings} (ignore_errors=yes)`]);
    expect(files.get(ca)).toMatchObject({ content: 'the CA' });
  });
});

test('the room of systemd is not among that of the disks that a change is written to', () => {
  mkdirSync(join(directory, 'systemd'));
  const df = 'shift; echo head; for path in "$@"; do echo "/dev/x 9 5 4 1% $path"; done';
  const { disk, runFreeKb } = running(['sh'], [], { df });
  expect(runFreeKb).toBe(4);
  expect(disk.map(({ mount }) => mount)).toContain('/etc');
  expect(disk.map(({ mount }) => mount)).not.toContain(join(directory, 'systemd'));
});

test('restart policies are read where the daemon has its data, and a task of swarm comes back by itself', () => {
  for (const [id, policy] of Object.entries({ abc: 'always', def: 'no' })) {
    mkdirSync(join(directory, 'containers', id), { recursive: true });
    writeFileSync(
      join(directory, 'containers', id, 'hostconfig.json'),
      `{"RestartPolicy":{"Name":"${policy}","MaximumRetryCount":0}}`,
    );
  }
  const containers =
    '[{"Id":"abc","Names":["/a"],"Labels":{}},{"Id":"def","Names":["/b"]},{"Id":"789","Names":["/c.1"],"Labels":{"com.docker.swarm.task.id":"x"}}]';
  const stub = `api() { printf '%s\\n--%s api 200 /info\\n%s\\n--%s api 200 /containers/json\\n' ${shellQuote(`{"ID":"x","DockerRootDir":"${directory}","Name":"h"}`)} "$2" ${shellQuote(containers)} "$2"; }`;
  const script = `MORE_PATHS=\n${FACTS_SCRIPT.replace(/^ *read_service\n *socket=$/m, () => `read_service\nsocket=/s pid=0\n${stub}`)}`;
  const { stdout } = spawnSync('sh', ['-c', script], { cwd: directory, maxBuffer: 1 << 26, stdio: QUIET });
  const found = parseFacts(stdout).docker.containers.map(({ name, restart }) => `${name} ${restart}`);
  expect(found).toEqual(['a always', 'b no', 'c.1 swarm']);
});

describe('contents that do not have the sizes that were listed', () => {
  const torn = printSections(
    'facts',
    sectionsOf('facts', GOOD_OUTPUT).map((section) =>
      section.name === 'contents' ? { ...section, content: section.content.subarray(1) } : section,
    ),
  );

  test('are refused', () => {
    expect(() => parseFacts(torn)).toThrow(expect.toSay('changed-while-read'));
  });

  test.each([
    ['are asked for again', [torn, GOOD_OUTPUT], 'answered'],
    ['are asked for once more and not for ever', [torn, torn, GOOD_OUTPUT], 'E_FACTS'],
  ])('%s', async (_name, outputs, ending) => {
    const answers = [...outputs];
    const session = {
      run: async () => ({ stdout: answers.shift(), stderr: Buffer.alloc(0), status: 0 }),
    } as unknown as HostSession;
    const outcome = await gather(session, { now: () => new Date(0) }).then(
      () => 'answered',
      (error: DockerTlsError) => error.code,
    );
    expect(outcome).toBe(ending);
  });
});

test('a host that was set up as a kind that this build does not know is refused', () => {
  const managed = [{ path: '/etc/systemd/system/docker-tls-podman.service' }];
  expect(() => requireKnownKind(managed, new Set(['systemd']))).toThrow(
    expect.objectContaining({ code: 'E_HOST_KIND', exit: 4 }),
  );
  requireKnownKind(managed, new Set(['systemd', 'podman']));
  requireKnownKind([{ path: '/etc/systemd/system/docker-tls-closed.service' }], new Set(['systemd']));
});
