import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import xterm from '@xterm/headless';
import { expect, test } from 'vitest';
import { resizingOf } from '../../src/cli/live-lines.ts';
import { createProgress, PHASE_WORDS } from '../../src/cli/progress.ts';
import { FIRST_STEP, STEPS } from '../../src/core/host/protocol.ts';
import type { Io } from '../../src/core/runtime.ts';

const now = () => new Date('2026-11-25T12:00:00Z');

function screenIo(columns = 60, rows = 12, more: xterm.ITerminalOptions = {}) {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true, ...more });
  let raw = '';
  const io: Io = {
    out() {},
    err(text) {
      raw += text;
      terminal.write(text);
    },
    outIsTerminal: true,
    errIsTerminal: true,
    inIsTerminal: true,
    columns,
    colour: false,
  };
  async function lines(): Promise<string[]> {
    await new Promise<void>((resolve) => terminal.write('', resolve));
    const { active } = terminal.buffer;
    return Array.from({ length: active.length }, (_, row) => active.getLine(row)?.translateToString(true) ?? '').filter(
      (line) => line !== '',
    );
  }
  /** As a terminal that breaks lines again: tmux, and most others. */
  function resize(width: number): void {
    terminal.resize(width, rows);
    Object.assign(io, { columns: width });
  }
  return { io, lines, raw: () => raw, resize, write: (text: string) => terminal.write(text) };
}

test.each([
  [true, 'build-1: facts\nbuild-1: verify\n'],
  [false, ''],
])('without a terminal each host is a plain line, and with -v (%s) every phase, each said once', (verbose, phases) => {
  const { io, raw } = screenIo();
  const progress = createProgress({ io, now, verbose });
  const host = progress.host('build-1');
  host.phase('facts');
  host.phase('facts');
  host.phase('verify');
  host.done('up to date');
  progress.host('build-2').failed('no answer');
  progress.note('2 hosts');
  progress.close();
  expect(raw()).toBe(`${phases}build-1: done: up to date\nbuild-2: failed: no answer\n2 hosts\n`);
});

test('a log file that can no longer be written is said once, and interrupts nothing', () => {
  const { io, raw } = screenIo();
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-test-log-'));
  const logFile = join(directory, 'run.log');
  const progress = createProgress({ io, now, logFile, verbose: true });
  const host = progress.host('build-1');
  host.phase('facts');
  rmSync(directory, { recursive: true });
  host.phase('switch');
  host.phase('restart');
  mkdirSync(directory);
  host.done();
  progress.close();
  expect(raw().match(/run\.log: the log file cannot be written \(ENOENT\)/g)).toHaveLength(1);
  expect(raw()).toContain('build-1: switch\nbuild-1: restart\nbuild-1: done\n');
  expect(readFileSync(logFile, 'utf8')).toContain('build-1: done');
  rmSync(directory, { recursive: true });
});

test('a run has changed something once a host begins the first step of its change, and not before', () => {
  const progress = createProgress({ io: screenIo().io, now });
  const host = progress.host('build-1');
  for (const phase of ['connect', 'facts', 'plan', 'issue']) host.phase(phase);
  expect(progress.hasChanged()).toBe(false);
  host.phase(FIRST_STEP);
  expect(progress.hasChanged()).toBe(true);
  expect(STEPS[0]).toBe(FIRST_STEP);
});

test('silent says nothing', () => {
  const { io, raw } = screenIo();
  const progress = createProgress({ io, now, silent: true, live: true });
  progress.host('a').phase('x');
  progress.host('a').done();
  progress.note('n');
  progress.close();
  expect(raw()).toBe('');
});

test('on a terminal: a line for each host at work, finished ones above, nothing left at the end but those', async () => {
  const { io, lines } = screenIo();
  const progress = createProgress({ io, now, live: true, rows: () => 12 });
  const [one, two] = [progress.host('build-1'), progress.host('web')];
  one.phase('facts');
  two.phase('facts');
  one.phase('restart the daemon');
  expect((await lines()).map((line) => line.slice(2).replace(/\s+\d+ s$/, ''))).toEqual([
    'build-1  restart the daemon',
    expect.toSay('looking-host', 'web'),
  ]);
  progress.note('a note');
  two.failed('no answer');
  expect((await lines()).map((line) => line.replace(/\s+[\d.]+ s$/, ''))).toEqual([
    'a note',
    '✖ web  no answer',
    expect.stringMatching(/^. build-1 {2}restart the daemon$/),
  ]);
  one.done('3 changes');
  progress.close();
  expect((await lines()).map((line) => line.replace(/\s+[\d.]+ s$/, ''))).toEqual([
    'a note',
    '✖ web  no answer',
    '✔ build-1  3 changes',
  ]);
});

test('200 hosts: never more lines than the screen has, and every result once', async () => {
  const { io, lines } = screenIo(60, 12);
  const progress = createProgress({ io, now, live: true, rows: () => 12 });
  const names = Array.from({ length: 200 }, (_, index) => `host-${String(index).padStart(3, '0')}`);
  const hosts = names.map((name) => progress.host(name));
  for (const host of hosts)
    host.phase('a phase with a long text that does not fit on the line of a narrow screen at all');
  const working = await lines();
  expect(working).toHaveLength(10);
  expect(working.at(-1)).toMatch(/^200 hosts at work/);
  for (const [index, host] of hosts.entries()) (index % 10 === 0 ? host.failed : host.done)('end');
  progress.close();
  const results = await lines();
  expect(results).toHaveLength(200);
  expect(results.map((line) => line.slice(2, 10)).sort()).toEqual(names);
});

test('a question gets a clean screen, and the lines come back after it', async () => {
  const { io, lines } = screenIo();
  const progress = createProgress({ io, now, live: true });
  const host = progress.host('build-1');
  host.phase('connect');
  await progress.suspend(async () => {
    expect(await lines()).toEqual([]);
    host.phase('facts');
    expect(await lines()).toEqual([]);
  });
  expect((await lines())[0]).toMatch(/build-1 {2}looking at the host/);
  progress.close();
});

test('what is said while a question is up comes after it, once', async () => {
  const { io, lines } = screenIo();
  const progress = createProgress({ io, now, live: true });
  progress.host('build-1').phase('facts');
  progress.host('build-2').phase('facts');
  await progress.suspend(async () => {
    io.err('? Password: ');
    progress.host('build-1').done('planned');
    progress.note('a note');
    await progress.suspend(async () => {});
    expect((await lines()).map((line) => line.trimEnd())).toEqual(['? Password:']);
    io.err('*****\n');
  });
  progress.close();
  const said = (await lines()).map((line) => line.replace(/\s+[\d.]+ s$/, ''));
  expect(said).toEqual(['? Password: *****', '✔ build-1  planned', 'a note']);
});

test('a long result is broken between words', async () => {
  const { io, lines } = screenIo(40);
  const progress = createProgress({ io, now, live: true });
  const host = progress.host('build-1');
  host.phase('facts');
  host.failed('no answer to the connection attempt within 10 s, and then nothing more');
  progress.close();
  expect((await lines()).map((line) => line.replace(/\s+[\d.]+ s$/, ''))).toEqual([
    expect.toSay('no-answer-connection', 'build-1'),
    expect.toSay('attempt-within-then-nothing', '10'),
    '  more',
  ]);
});

test('every phase of a run and every step of a change has words', () => {
  const src = new URL('../../src/', import.meta.url);
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const phases = files.flatMap((file) => {
    return [...readFileSync(new URL(file, src), 'utf8').matchAll(/\.phase\('([^']+)'\)/g)].map(
      ([, phase]) => phase ?? '',
    );
  });
  expect(phases).toContain('connect');
  const known = Object.keys(PHASE_WORDS);
  for (const phase of [...STEPS, ...phases]) expect(known).toContain(phase);
});

test('a note does not stand between the rows of a table', () => {
  const { io, raw } = screenIo();
  const progress = createProgress({ io: { ...io, outIsTerminal: true }, now, live: true });
  progress.print('NAME\n');
  progress.note('a note');
  progress.print('web\n');
  expect(raw()).toBe('');
  progress.close();
  expect(raw()).toBe('a note\n');
});

test('a redrawn line at the top of the screen leaves nothing in the history of tmux', () => {
  const { io, raw } = screenIo();
  const progress = createProgress({ io, now, live: true });
  progress.host('a').phase('facts');
  progress.host('a').phase('plan');
  progress.close();
  // tmux scrolls the screen into its history at an ED from the top left corner (screen-write.c).
  expect(raw()).toContain('\u001b[J');
  expect(raw()).not.toMatch(/\r\u001b\[J/);
});

test('a note is as wide as the terminal, unless it has a command to paste', () => {
  const { io, raw } = screenIo();
  const progress = createProgress({ io, now });
  progress.note('words '.repeat(20).trim());
  progress.note(`then on each of the hosts: docker-tls apply ${'build-1.example.org '.repeat(3).trim()}`);
  progress.note(`export DOCKER_HOST=unix://${'/directory'.repeat(8)}/docker.sock`);
  const lines = raw().trimEnd().split('\n');
  expect(lines.slice(0, -2).every((line) => line.length <= 60)).toBe(true);
  expect(lines.slice(-2)).toEqual([
    expect.stringMatching(/^then .*docker-tls apply .*org$/),
    expect.stringMatching(/^export .*sock$/),
  ]);
});

test('what a host says is cleaned', () => {
  const { io, raw } = screenIo();
  const progress = createProgress({ io, now, verbose: true });
  progress.host('a\u001b[2J').phase('b\u0007\nc');
  progress.note('\u009b31mx');
  expect(raw()).toBe('a: b ⏎ c\n31mx\n');
});

test('who is at work, for the last word after a second Ctrl-C', () => {
  const { io } = screenIo();
  const progress = createProgress({ io, now });
  progress.host('a').phase('restart');
  progress.host('b').phase('facts');
  progress.host('b').done();
  expect(progress.running()).toEqual([{ host: 'a', phase: 'restart', elapsedMs: expect.any(Number) }]);
});

test('a host that pauses is neither done nor failed, has no tick, and counts only once it goes on', async () => {
  const { io, lines } = screenIo();
  const progress = createProgress({ io, now, live: true });
  const names = Array.from({ length: 7 }, (_, index) => `h${index}`);
  for (const name of names) progress.host(name).phase('plan');
  for (const name of names) progress.host(name).pause();
  progress.host('h0').pause('Debian, Docker 26');
  for (const name of names) progress.host(name).phase('verify');
  progress.host('h0').done();
  const text = (await lines()).join('\n');
  expect(text).toContain('· h0  Debian, Docker 26');
  expect(text).toSay('hosts-work-done', '6', '1');
  expect(text.match(/✔/g)).toHaveLength(1);
  progress.close();
});

test('clocks stand still while a person is asked', async () => {
  const { io } = screenIo();
  const progress = createProgress({ io, now });
  const host = progress.host('h');
  const began = performance.now();
  host.phase('connect');
  await progress.suspend(() => new Promise((resolve) => setTimeout(resolve, 300)));
  expect(progress.askedMs()).toBeGreaterThanOrEqual(290);
  const [line] = progress.running();
  expect(line?.elapsedMs).toBeLessThanOrEqual(performance.now() - began - progress.askedMs());
  progress.close();
});

test.each(
  [true, false].flatMap((tellsWidthLate) => [
    { what: 'clears the screen', code: '\u001b[H\u001b[2J', tellsWidthLate },
    { what: 'clears it and what scrolled away', code: '\u001b[H\u001b[2J\u001b[3J', tellsWidthLate },
    { what: 'resets itself', code: '\u001bc', tellsWidthLate },
  ]),
)('a terminal that $what meanwhile has no line left at the end ($tellsWidthLate)', async ({ code, tellsWidthLate }) => {
  const { io, lines, write } = screenIo();
  const progress = createProgress({ io, now, live: true, tellsWidthLate });
  const hosts = ['build-1', 'build-2', 'build-3'].map((name) => progress.host(name));
  for (const host of hosts) host.phase('facts');
  write(code);
  for (const host of hosts) host.phase('restart');
  expect(await lines()).toHaveLength(3);
  for (const host of hosts) host.done('done');
  progress.close();
  expect((await lines()).map((line) => line.slice(0, 9))).toEqual(['✔ build-1', '✔ build-2', '✔ build-3']);
});

test('nor has one that becomes narrower and wider again', async () => {
  const { io, lines, resize } = screenIo(100, 20);
  const progress = createProgress({ io, now, live: true, reflows: true });
  const hosts = ['build-1', 'build-2', 'build-3'].map((name) => progress.host(name));
  progress.note('a note');
  for (const width of [24, 100, 40, 21, 60]) {
    for (const host of hosts) host.phase(`a phase that takes more than ${width} columns to say what it does`);
    await lines();
    resize(width);
    for (const host of hosts) host.phase('restart');
    expect((await lines()).filter((line) => / build-\d /.test(line))).toHaveLength(3);
  }
  for (const host of hosts) host.done('done');
  progress.close();
  expect((await lines()).map((line) => line.slice(0, 9))).toEqual(['a note', '✔ build-1', '✔ build-2', '✔ build-3']);
});

test.each([
  ['cuts', { windowsPty: { backend: 'conpty', buildNumber: 19_000 } } as const],
  ['breaks', {}],
])('a terminal that becomes narrower, and %s its lines unannounced, loses no result', async (_, more) => {
  const { io, lines, resize } = screenIo(100, 20, more);
  const progress = createProgress({ io, now, live: true });
  const hosts = ['build-1', 'build-2', 'build-3'].map((name) => progress.host(name));
  progress.host('build-0').done('done');
  progress.note('a note');
  for (const host of hosts) host.phase('a phase that takes more than thirty columns to say what it does');
  await lines();
  resize(30);
  for (const host of hosts) host.phase('restart');
  for (const host of hosts) host.done('done');
  progress.close();
  const results = (await lines()).map((line) => line.slice(0, 9)).filter((line) => /^[✔a]/.test(line));
  expect(results).toEqual(['✔ build-0', 'a note', '✔ build-1', '✔ build-2', '✔ build-3']);
});

test.each([
  [{ TERM: 'tmux-256color' }, true, false],
  [{ TERM: 'xterm-256color', TMUX: '/tmp/tmux-0/default,1,0' }, true, false],
  [{ TERM: 'xterm-256color', VTE_VERSION: '7600' }, false, true],
  [{ TERM: 'xterm-256color', TMUX: '' }, false, false],
])('what %j tells of the terminal', (env, tellsWidthLate, reflows) => {
  expect(resizingOf(env)).toEqual({ tellsWidthLate, reflows });
});
