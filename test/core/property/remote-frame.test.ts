/** Frame for scripts: random scripts and binary input arrive unharmed through real shells; noise and chunking change nothing. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandWords, FrameReader, type Mark, requestHead } from '../../../src/core/adapters/ssh/frame.ts';
import { shellQuote } from '../../../src/core/domain/quote.ts';

const MARK: Mark = { first: '0123456789abcdef', second: 'fedcba9876543210' };

/** Shells that are /bin/sh on some systems (each acts so when called as `sh`), and login shells that only pass the command on. */
const SYSTEM_SHELLS = ['dash', 'bash', 'busybox'];
const LOGIN_SHELLS = ['/bin/bash', '/usr/bin/dash', '/usr/bin/fish', '/usr/bin/tcsh', '/usr/bin/zsh'].filter(
  existsSync,
);

type Answer = { status: number | undefined; stdout: Buffer; stderr: string };

function read(stdout: Buffer, stderr: Buffer): Answer {
  const out = new FrameReader(MARK);
  const err = new FrameReader(MARK);
  out.push(stdout);
  err.push(stderr);
  expect([out.stage, err.stage]).toEqual(['ended', 'ended']);
  return { status: out.status, stdout: out.output(), stderr: err.output().toString('utf8') };
}

const WORDS = commandWords(MARK, 'plain', 'ops');

/** The unmodified command, except for the /bin/sh and the start of its PATH. */
function start(shell: string, input: Buffer, path = ''): { stdout: Buffer; stderr: Buffer } {
  const words = WORDS.map((word) => (word.startsWith('PATH=') ? word.replace('=', `=${path}`) : word));
  const at = words.indexOf('/bin/sh');
  return spawnSync('/usr/bin/env', ['-a', 'sh', ...words.slice(1, at), shell, ...words.slice(at + 1)], { input });
}

function runIn(shell: string, script: string, input: Uint8Array, path?: string): Answer {
  const result = start(
    shell,
    Buffer.concat([Buffer.from('a line that was not asked for\n'), requestHead(MARK, script), input]),
    path,
  );
  return read(result.stdout, result.stderr);
}

/** Any text that a script may quote, including the bytes that dash uses internally; no NUL. */
const anyText = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({
      unit: fc.constantFrom('\\', "'", '"', '$', '`', '\n', ' ', '%', '!', '\u0081', '\u0088', '*', '~', '#', '}', ';'),
      maxLength: 30,
    }),
  )
  .map((text) => text.replaceAll('\0', '').replace(/[\ud800-\udfff]/g, ''));

describe.each(SYSTEM_SHELLS.filter((file) => spawnSync('which', [file]).status === 0))('%s', (shell) => {
  it('gets script and input unharmed', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.uint8Array({ maxLength: 3000 }),
        fc.integer({ min: 0, max: 255 }),
        (text, bytes, status) => {
          const script = `printf '%s' ${shellQuote(text)}; head -c ${bytes.length}; printf '|'; cat; exit ${status}`;
          const answer = runIn(shell, script, Buffer.concat([bytes, Buffer.from('rest')]));
          const wanted = Buffer.concat([Buffer.from(text), bytes, Buffer.from('|rest')]);
          expect(answer.stdout.equals(wanted)).toBe(true);
          expect(answer.status).toBe(status);
          expect(answer.stderr).toBe('');
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is not held by what a login may use of memory, as root', () => {
    const words = [...WORDS.slice(0, WORDS.indexOf('/bin/sh')), shell, ...WORDS.slice(WORDS.indexOf('/bin/sh') + 1)];
    const limited = `ulimit -S -v 4000000; exec "$@"`;
    const { stdout, stderr } = spawnSync(
      '/bin/sh',
      ['-c', limited, 'sh', '/usr/bin/env', '-a', 'sh', ...words.slice(1)],
      {
        input: requestHead(MARK, 'ulimit -v; [ -O / ]'),
      },
    );
    const { stdout: limit, status } = read(stdout, stderr);
    expect(limit.toString()).toBe(status === 0 ? 'unlimited\n' : '4000000\n');
  });

  it('gets a script of 300 kB and input of 2 MB', () => {
    const input = Buffer.alloc(2_000_000, 'xyz\0\n');
    const answer = runIn(
      shell,
      `${'# a long line of comment\n'.repeat(12_000)}head -c 1999999 | wc -c; cat | wc -c`,
      input,
    );
    expect(answer.stdout.toString().trim().split(/\s+/)).toEqual(['1999999', '1']);
  });

  it('does nothing when only a part of the script arrives', () => {
    const script = 'echo first\necho second\ncat <<END\nthird\nEND\necho fourth';
    const head = requestHead(MARK, script);
    for (let length = 40; length < head.length - 3; length += 3) {
      const result = start(shell, head.subarray(0, length));
      const answer = read(result.stdout, result.stderr);
      expect(answer.stdout.toString()).toBe('');
      expect(answer.status).not.toBe(0);
    }
  });

  it.each([
    ['exit 3', 3],
    ['false', 1],
    ['set -eu; false; echo not here', 1],
    ['if', 2],
    ['trap "echo bye" EXIT; exit 9', 9],
    ['exec sh -c "exit 5"', 5],
    ['kill -9 $(sh -c "echo \\$PPID")', 137],
    ['exec >/dev/null 2>&1; exit 4', 4],
    ['', 0],
  ])('verifies the end of: %s', (script, status) => {
    const answer = runIn(shell, script, new Uint8Array());
    expect(answer.status === status || (script === 'if' && answer.status !== 0)).toBe(true);
  });
});

it('does not let a head that reads ahead swallow the input', () => {
  // busybox's head reads a whole buffer; this test uses it for every head on the PATH.
  const directory = spawnSync('mktemp', ['-d']).stdout.toString().trim();
  spawnSync('ln', ['-s', spawnSync('which', ['busybox']).stdout.toString().trim(), `${directory}/head`]);
  const answer = runIn(
    'dash',
    'head -c 3; echo; printf "a\\nb\\n" | head -n 1; cat',
    Buffer.from('abcdef'),
    `${directory}:`,
  );
  expect(answer.stdout.toString()).toBe('abc\na\ndef');
});

describe.each(LOGIN_SHELLS)('login shell %s', (shell) => {
  it('hands the command on as it is', () => {
    const command = WORDS.map(shellQuote).join(' ');
    const result = spawnSync(shell, ['-c', command], {
      input: Buffer.concat([requestHead(MARK, 'echo "$#:it\'s"; cat'), Buffer.from('\0binary\xff', 'latin1')]),
    });
    expect(read(result.stdout, result.stderr).stdout).toEqual(Buffer.from("0:it's\n\0binary\xff", 'latin1'));
  });

  it('is not confused by a shell that prints its own command line', () => {
    if (!/bash|dash|zsh/.test(shell)) return;
    const command = WORDS.map(shellQuote).join(' ');
    const result = spawnSync(shell, ['-xvc', command], { input: requestHead(MARK, 'echo clean; echo err >&2') });
    expect(read(result.stdout, result.stderr)).toEqual({ status: 0, stdout: Buffer.from('clean\n'), stderr: 'err\n' });
  });
});

/** Variables that change the behaviour of shells and tools, and names used by our scripts. */
const HOSTILE = {
  ...{
    T: '/tmp',
    STATE: '/tmp',
    UNITS: '/tmp',
    nonce: 'x',
    IFS: 'e/',
    PS4: '$(touch /tmp/pwned)',
    CDPATH: '/usr:/tmp',
  },
  ...{
    POSIXLY_CORRECT: '1',
    GREP_OPTIONS: '-v',
    TAR_OPTIONS: '--delete',
    LS_COLORS: 'x',
    LC_ALL: 'tr_TR.UTF-8',
    LANG: 'tr_TR.UTF-8',
  },
  ...{
    BASH_ENV: '/dev/stderr',
    ENV: '/dev/stderr',
    SHELLOPTS: 'noclobber:xtrace',
    PERL5OPT: '-d',
    PYTHONSTARTUP: '/x',
  },
  ...{
    DOCKER_HOST: 'tcp://192.0.2.1:1',
    DOCKER_CONTEXT: 'x',
    DOCKER_TLS_VERIFY: '1',
    SYSTEMD_LOG_LEVEL: 'debug',
    TZ: 'Asia/Tokyo',
  },
  ...{
    'BASH_FUNC_head%%': '() { echo hijacked; }',
    PATH: '/nonexistent',
    HOME: '/root',
    SUDO_USER: 'other',
    PWD: '/x',
  },
};

it.each(['/bin/bash', '/usr/bin/dash'])('nothing of the environment of a login by %s reaches a script', (shell) => {
  const result = spawnSync(shell, ['-c', WORDS.map(shellQuote).join(' ')], {
    input: requestHead(MARK, '/usr/bin/env; umask; pwd'),
    env: HOSTILE,
  });
  const lines = read(result.stdout, result.stderr).stdout.toString().trimEnd().split('\n');
  // The shell sets PWD.
  expect(lines.filter((line) => !/^(PWD=\/|_=|SHLVL=|OLDPWD=)/.test(line)).sort()).toEqual([
    '/',
    '0022',
    'HOME=/',
    'LC_ALL=C',
    'OPERATOR=ops',
    expect.stringMatching(/^PATH=\/usr\/sbin:/),
  ]);
});

describe('FrameReader', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  const mark = Buffer.from(`${MARK.first}${MARK.second}`);

  it('gives the same for every way to cut the stream into chunks', () => {
    fc.assert(
      fc.property(bytes, bytes, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (noise, output, cuts) => {
        const stream = Buffer.concat([
          noise,
          mark,
          Buffer.from(':shell\n'),
          noise,
          mark,
          Buffer.from(':run\n'),
          output,
          mark,
          Buffer.from(':end 42\nlate'),
        ]);
        const lines: string[] = [];
        const reader = new FrameReader(MARK, (line) => lines.push(line));
        let at = 0;
        for (let index = 0; at < stream.length; index += 1) {
          const size = cuts[index % cuts.length] ?? 1;
          reader.push(stream.subarray(at, at + size));
          at += size;
        }
        expect(reader.stage).toBe('ended');
        expect(reader.status).toBe(42);
        expect(reader.output().equals(Buffer.from(output))).toBe(true);
        const text = Buffer.from(output).toString('utf8');
        const wanted = Buffer.from(output).length === 0 ? [] : text.split('\n');
        if (wanted.at(-1) === '') wanted.pop();
        expect(lines.join('\n')).toBe(wanted.join('\n'));
      }),
    );
  });

  it('takes marks in the output that are not ours to be output', () => {
    const reader = new FrameReader(MARK);
    reader.push(
      Buffer.concat([
        mark,
        Buffer.from(':run\n'),
        mark,
        Buffer.from(':run\n'),
        mark,
        Buffer.from(':end x\n'),
        mark,
        Buffer.from(':end 1\n'),
      ]),
    );
    expect(reader.status).toBe(1);
    expect(reader.output().toString()).toBe(`${mark}:run\n${mark}:end x\n`);
  });

  it('stops at its limits', () => {
    const limits = { noiseBytes: 10, outputBytes: 10 };
    const noisy = new FrameReader(MARK, undefined, limits);
    noisy.push(Buffer.from('x'.repeat(100)));
    expect(noisy.overflow).toBe('noise');
    const wordy = new FrameReader(MARK, undefined, limits);
    wordy.push(Buffer.concat([mark, Buffer.from(`:run\n${'x'.repeat(100)}`)]));
    expect(wordy.overflow).toBe('output');
  });

  it('counts how often sudo asks, and keeps its words', () => {
    const reader = new FrameReader(MARK);
    reader.push(Buffer.concat([mark, Buffer.from(':shell\nWe trust you.\n'), mark, Buffer.from(':ask')]));
    expect(reader.requested).toBe(1);
    reader.push(Buffer.concat([Buffer.from('Sorry, try again.\n'), mark, Buffer.from(':ask')]));
    expect(reader.requested).toBe(2);
    expect(reader.noise()).toBe('We trust you.\nSorry, try again.\n');
  });

  it.each([
    ['[root] ', 'root'],
    // sudo-rs and others that do not know %p.
    ['[%p] ', undefined],
    ['[sudo: authenticate] Password: ', undefined],
  ])('reads whose password sudo wants from our prompt: %s', (prompt, whose) => {
    for (const cut of [1, 4, prompt.length, prompt.length + 9]) {
      const reader = new FrameReader(MARK);
      const bytes = Buffer.concat([mark, Buffer.from(`:shell\nWe trust you.\n${prompt}`), mark, Buffer.from(':ask')]);
      reader.push(bytes.subarray(0, mark.length + 21 + cut));
      reader.push(bytes.subarray(mark.length + 21 + cut));
      expect([reader.requested, reader.whose]).toEqual([1, whose]);
      expect(reader.noise()).toBe(`We trust you.\n${prompt.includes('sudo') ? prompt : ''}`);
    }
  });
});

it('refuses a script with a NUL', () => {
  expect(() => requestHead(MARK, 'a\0b')).toThrow(TypeError);
});
