import { PassThrough } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { hintPrefix } from '../../src/cli/hint-prefix.ts';
import { createPrompts } from '../../src/cli/prompts.ts';

const ENTER = '\r';

function setting(options: { terminal?: boolean; yes?: boolean; signal?: AbortSignal; changed?: boolean } = {}) {
  const { terminal = true, yes = false, signal = new AbortController().signal } = options;
  const input = new PassThrough();
  const output = new PassThrough();
  // inquirer ends its output stream; stderr ignores that.
  output.end = () => output;
  let screen = '';
  let suspended = false;
  const suspend = async <T>(work: () => Promise<T>): Promise<T> => {
    suspended = true;
    return work().finally(() => {
      suspended = false;
    });
  };
  output.on('data', (chunk) => {
    screen += stripVTControlCharacters(String(chunk)).replace(/\s+/g, ' ');
  });
  const io = {
    out() {},
    err(text: string) {
      if (!suspended) throw new Error(`beside the live progress, which wipes it: ${text}`);
      screen += text;
    },
    outIsTerminal: terminal,
    errIsTerminal: terminal,
    inIsTerminal: terminal,
    columns: 80,
    colour: false,
  };
  const words = hintPrefix('docker-tls', '/srv/tls');
  const hasChanged = () => options.changed === true;
  const answered: string[][] = [];
  const note = (flag: string, words: readonly string[]) => void answered.push([flag, ...words]);
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const interrupt = (reason: Error) => stop.abort(reason);
  const prompts = createPrompts({
    io,
    yes,
    signal: both,
    suspend,
    interrupt,
    hasChanged,
    words,
    answered: note,
    input,
    output,
  });
  /** Types once the text is on the screen. */
  async function type(after: string, keys: string): Promise<void> {
    for (let tries = 0; !screen.includes(after); tries += 1) {
      if (tries > 3000) throw new Error(`"${after}" did not come: ${screen}`);
      await wait(10);
    }
    screen = screen.slice(screen.indexOf(after) + after.length);
    input.write(keys);
  }
  return { prompts, type, answered, input, screen: () => screen, signal: both };
}

test('answers of every kind', async () => {
  const { prompts, type } = setting();
  const typed = prompts.input({ message: 'Address?', default: 'build-1', flag: '--address ADDR' });
  await type('Address?', `x${ENTER}`);
  expect(await typed).toBe('x');
  const agreed = prompts.confirm({ message: 'Go on?', flag: '--yes' });
  await type('Go on?', ENTER);
  expect(await agreed).toBe(false);
  const choices = [
    { value: 1, name: 'one' },
    { value: 2, name: 'two' },
  ];
  const chosen = prompts.select({ message: 'Which?', choices, default: 2, flag: '--which' });
  await type('two', ENTER);
  expect(await chosen).toBe(2);
});

test('a command in a question is for the store that is meant', async () => {
  const { prompts, type } = setting();
  const choices = [{ value: 1, name: 'end here: docker-tls ca show', description: 'as does docker-tls apply' }];
  const explain = 'If it is lost: docker-tls ca create --no-ca-passphrase';
  const chosen = prompts.select({ explain, message: 'Which?', choices, flag: '--which' });
  await type('docker-tls --home /srv/tls ca create --no-ca-passphrase', '');
  await type('docker-tls --home /srv/tls ca show', '');
  await type('docker-tls --home /srv/tls apply', ENTER);
  expect(await chosen).toBe(1);
});

test('answers are noted as words of the command, defaults and a no as none, and never what has no words', async () => {
  const { prompts, type, answered } = setting();
  const name = { message: 'Name:', default: 'web', flag: '--name', typedAs: (text: string) => ['--name', text] };
  for (const [keys, words] of [
    [ENTER, [['--name']]],
    [`x${ENTER}`, [['--name', '--name', 'x']]],
  ] as const) {
    const answer = prompts.input(name);
    await type('Name:', keys);
    await answer;
    expect(answered.splice(0)).toEqual(words);
  }
  for (const [key, words] of [
    ['n', [['--take-over']]],
    ['y', [['--take-over', '--take-over']]],
  ] as const) {
    const agreed = prompts.confirm({ message: 'Over?', flag: '--take-over', typedAs: () => ['--take-over'] });
    await type('Over?', `${key}${ENTER}`);
    await agreed;
    expect(answered.splice(0)).toEqual(words);
  }
  const choices = [
    { value: 1, name: 'through ssh', typedAs: ['--reach', 'ssh'] },
    { value: 2, name: 'by itself' },
  ];
  for (const preset of [1, 2]) {
    const chosen = prompts.select({ message: 'Which?', choices, default: preset, flag: '--reach' });
    await type('by itself', ENTER);
    await chosen;
  }
  const plain = prompts.input({ message: 'Else:', flag: '--else' });
  await type('Else:', `y${ENTER}`);
  await plain;
  expect(answered).toEqual([['--reach', '--reach', 'ssh'], ['--reach']]);
});

test('each hint in an explanation or about an answer is a whole command', async () => {
  const { prompts, type } = setting();
  const explain = 'It does not answer.\ndocker-tls verify web\ndocker-tls status';
  const answer = prompts.input({ explain, message: 'Host:', flag: 'HOST' });
  await type('docker-tls --home /srv/tls verify web', '');
  await type('docker-tls --home /srv/tls status', '');
  await type('Host:', `web${ENTER}`);
  expect(await answer).toBe('web');
});

test('a password is not shown, is asked twice, and asked again when both differ', async () => {
  const { prompts, type, screen } = setting();
  const answer = prompts.password({ message: 'Passphrase?', confirm: true, flag: '--ca-passphrase-file FILE' });
  await type('Passphrase?', `first${ENTER}`);
  await type('The same again:', `other${ENTER}`);
  await type('They are not the same.', '');
  await type('Passphrase?', `hunter2${ENTER}`);
  await type('The same again:', `hunter2${ENTER}`);
  expect((await answer).revealText()).toBe('hunter2');
  expect(screen()).not.toMatch(/hunter2|first|other/);
});

test('an empty password is refused at the question', async () => {
  const { prompts, type } = setting();
  const answer = prompts.password({ message: 'Passphrase?', flag: '--x' });
  await type('Passphrase?', ENTER);
  await type('It is empty.', '');
  await type('Passphrase?', `a${ENTER}`);
  expect((await answer).revealText()).toBe('a');
});

test.each([
  [{ terminal: false }, expect.toSay('no-terminal-ask')],
  [{ yes: true }, expect.toSay('yes-asks-nothing')],
])('with %j a missing answer names its flag', async (how, message) => {
  const { prompts } = setting(how);
  const requested = prompts.input({ message: 'Address?', flag: '--address ADDR', key: 'hosts.build-1.address' });
  await expect(requested).rejects.toMatchObject({
    code: 'E_NO_TERMINAL',
    exit: 2,
    message,
    hints: [expect.stringContaining('--address ADDR')],
  });
  expect([prompts.interactive, prompts.ssh]).toEqual([false, undefined]);
});

test('--yes agrees; no terminal does not', async () => {
  expect(await setting({ yes: true }).prompts.confirm({ message: 'Sure?', flag: '--yes' })).toBe(true);
  expect(await setting({ yes: true, terminal: false }).prompts.confirm({ message: 'Sure?', flag: '--yes' })).toBe(true);
  await expect(setting({ terminal: false }).prompts.confirm({ message: 'Sure?', flag: '--yes' })).rejects.toMatchObject(
    {
      code: 'E_NO_TERMINAL',
    },
  );
});

test('Ctrl-C, the end of the terminal and the end of the run are interruptions', async () => {
  const pressed = setting();
  const first = pressed.prompts.input({ message: 'Address?', flag: '--address' });
  await Promise.all([pressed.type('Address?', '\u0003'), expect(first).rejects.toMatchObject({ exit: 130 })]);

  const gone = setting();
  const second = gone.prompts.input({ message: 'Address?', flag: '--address' });
  await gone.type('Address?', '');
  gone.input.end();
  await expect(second).rejects.toMatchObject({ code: 'E_INTERRUPTED', exit: 130 });

  const controller = new AbortController();
  const stopped = setting({ signal: controller.signal });
  const third = stopped.prompts.input({ message: 'Address?', flag: '--address' });
  await stopped.type('Address?', '');
  controller.abort();
  await expect(third).rejects.toMatchObject({ code: 'E_INTERRUPTED', exit: 130 });
});

test('questions of several hosts come one after the other; a passphrase is asked once for a file', async () => {
  const { prompts, type, screen } = setting();
  const ssh = prompts.ssh;
  if (!ssh) throw new Error('nobody to ask');
  const key = { type: 'ssh-ed25519', fingerprint: 'SHA256:abc' };
  const answers = [
    ssh.hostKey({ host: 'a', address: '192.0.2.1', ...key }),
    ssh.passphrase({ file: '/k' }),
    ssh.passphrase({ file: '/k' }),
    ssh.hostKey({ host: 'b\u001b[2J', address: 'b', ...key }),
  ] as const;
  await type('a (192.0.2.1) is not a known host. It shows this ssh-ed25519 key:', '');
  await type('SHA256:abc', '');
  await type('Is that its key? (y/N)', '');
  expect(screen()).not.toMatch(/Passphrase/);
  await type('', `y${ENTER}`);
  await type('Passphrase of /k:', `s${ENTER}`);
  await type('b is not a known host.', '');
  await type('Is that its key?', ENTER);
  const [first, one, same, second] = await Promise.all(answers);
  expect([first, second]).toEqual([true, false]);
  expect([one.revealText(), same]).toEqual(['s', one]);
});

test('Ctrl-C at a question of one host ends the run: what other hosts wait to ask is asked no more', async () => {
  const { prompts, type, screen, signal } = setting();
  const key = { type: 'ssh-ed25519', fingerprint: 'SHA256:abc' };
  const waiting = [
    prompts.ssh?.password({ host: 'a', prompt: 'Password:', echo: false }),
    prompts.ssh?.password({ host: 'b', prompt: 'Password:', echo: false }),
    prompts.ssh?.hostKey({ host: 'c', address: '192.0.2.3', ...key }),
    prompts.ssh?.passphrase({ file: '/k' }),
    prompts.ssh?.sudoPassword?.({ host: 'd', user: 'pat' }),
    prompts.select({ message: 'Which?', choices: [], flag: '--flag' }),
  ].map((question) => expect(question).rejects.toMatchObject({ code: 'E_INTERRUPTED', exit: 130 }));
  await type('a: Password:', '\u0003');
  await Promise.all(waiting);
  expect(screen()).not.toMatch(/b: Password|known host|Passphrase|sudo|Which/);
  expect(signal.reason).toMatchObject({ code: 'E_INTERRUPTED' });
});

test('a passphrase that was wrong is asked for again, and that answer is kept', async () => {
  const { prompts, type } = setting();
  const first = prompts.ssh?.passphrase({ file: '/k' });
  await type('Passphrase of /k:', `s${ENTER}`);
  expect((await first)?.revealText()).toBe('s');
  const again = prompts.ssh?.passphrase({ file: '/k', again: true });
  await type('/k was not unlocked by that one.', `t${ENTER}`);
  expect((await again)?.revealText()).toBe('t');
  expect((await prompts.ssh?.passphrase({ file: '/k' }))?.revealText()).toBe('t');
});

test('the password of one user for sudo is asked for once, whatever the number of hosts', async () => {
  const { prompts, type } = setting();
  const requested = ['a', 'b', 'c'].map((host) => prompts.ssh?.sudoPassword?.({ host, user: 'pat' }));
  await type('Password for sudo of pat:', `sesame${ENTER}`);
  const answers = await Promise.all(requested);
  expect(answers.map((answer) => answer?.revealText())).toEqual(['sesame', 'sesame', 'sesame']);
  // It was wrong: the host that notices first asks, for all.
  const again = ['b', 'a'].map((host) => prompts.ssh?.sudoPassword?.({ host, user: 'pat', again: true }));
  await type('sudo on b did not take that one.', `open${ENTER}`);
  expect((await Promise.all(again)).map((answer) => answer?.revealText())).toEqual(['open', 'open']);
});

test('the password of another account goes to the host that it was typed for, and to no other', async () => {
  const { prompts, type } = setting();
  const ask = (host: string, user: string, of?: string) => prompts.ssh?.sudoPassword?.({ host, user, of });
  const first = ask('a', 'ops', 'root');
  await type('Password of root for sudo of ops on a:', `sesame${ENTER}`);
  expect((await first)?.revealText()).toBe('sesame');
  // The host itself says whose password it needs.
  const second = ask('b', 'ops', 'root');
  await type('Password of root for sudo of ops on b:', `b-root${ENTER}`);
  expect((await second)?.revealText()).toBe('b-root');
  const third = ask('c', 'bob', 'ops');
  await type('Password of ops for sudo of bob on c:', `c-ops${ENTER}`);
  expect((await third)?.revealText()).toBe('c-ops');
  // For a second connection to the same host.
  expect((await ask('a', 'ops', 'root'))?.revealText()).toBe('sesame');
});

test('a paste of several lines is no answer: it is refused, and asked again', async () => {
  const { prompts, type, screen } = setting();
  const typed = prompts.input({ message: 'Address?', flag: '--address ADDR' });
  await type('Address?', `build-1${ENTER}build-2${ENTER}`);
  await type('an answer is one line', '');
  await type('Address?', `build-3${ENTER}`);
  expect(await typed).toBe('build-3');
  expect(screen()).not.toContain('build-2');
});

test('a paste whose first line is rejected does not spoil the next answer', async () => {
  const { prompts, type, screen } = setting();
  const validate = (text: string) => text === 'good' || 'Not that one.';
  const typed = prompts.input({ message: 'Address?', flag: '--address ADDR', validate });
  await type('Address?', `bad${ENTER}worse${ENTER}`);
  await type('Not that one.', `\u0015good${ENTER}`);
  const settled = await Promise.race([typed, wait(30_000).then(() => screen())]);
  expect(settled).toBe('good');
});

test('a paste of one line with its end is an answer', async () => {
  const { prompts, type } = setting();
  const typed = prompts.password({ message: 'PIN:', flag: '--pin-file FILE' });
  await type('PIN:', `1234\r\n`);
  expect((await typed).revealText()).toBe('1234');
});

test.each([
  [false, 'stopped at a question; nothing was changed on a host or in the store'],
  [true, 'stopped at a question'],
])(
  'Ctrl-C at any question ends the run; it says that nothing was changed unless something was (%s)',
  async (changed, message) => {
    const kinds: ((prompts: ReturnType<typeof setting>['prompts']) => Promise<unknown>)[] = [
      (prompts) => prompts.confirm({ message: 'Q?', flag: '--yes' }),
      (prompts) => prompts.input({ message: 'Q?', flag: '--address NAME' }),
      (prompts) => prompts.password({ message: 'Q?', flag: '--ca-passphrase-file FILE', confirm: true }),
      (prompts) => prompts.select({ message: 'Q?', flag: '--reach ssh', choices: [{ value: 1, name: 'one' }] }),
    ];
    for (const ask of kinds) {
      const { prompts, type, signal } = setting({ changed });
      const asked = ask(prompts).catch((error: unknown) => error);
      await type('Q?', '\u0003');
      expect(await asked).toMatchObject({ code: 'E_INTERRUPTED', message });
      expect(signal.aborted).toBe(true);
    }
  },
);

test('a password that is refused does not stay in the line, where the next one would be appended to it', async () => {
  const { prompts, type } = setting();
  const validate = (text: string) => text.length >= 4 || 'Longer, please.';
  const typed = prompts.password({ message: 'PIN:', flag: '--pin-file FILE', validate });
  await type('PIN:', `12${ENTER}`);
  await type('Longer, please.', '');
  await type('PIN:', `3456${ENTER}`);
  expect((await typed).revealText()).toBe('3456');
});
