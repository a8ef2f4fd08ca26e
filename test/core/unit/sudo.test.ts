/** sudo passwords: which one is sent, how often, and when none. A stand-in plays sudo's side of the frame. */

import { expect, test } from 'vitest';
import type { Channel, ChannelEnd, ExecContext, SudoKnowledge } from '../../../src/core/adapters/ssh/channel.ts';
import { runScript } from '../../../src/core/adapters/ssh/exec.ts';
import { Secret } from '../../../src/core/domain/secret.ts';

const RIGHT = 'correct horse';

type Host = {
  readonly context: ExecContext;
  /** Passwords that reached sudo. */
  readonly passwords: string[];
  /** Questions to the person: for the first time (false), or again (true). */
  readonly asked: boolean[];
};

/** A host whose sudo requires a password, and a person who types one after the other. */
function hostWith({ typed, sudo = {} }: { typed?: readonly string[]; sudo?: SudoKnowledge }): Host {
  const passwords: string[] = [];
  const asked: boolean[] = [];
  const ask = {
    sudoPassword: async ({ of, again = false }: { of?: string; again?: boolean }) => {
      // `Defaults rootpw`: sudo names the account.
      expect(of).toBe('root');
      asked.push(again);
      return new Secret(typed?.[asked.length - 1] ?? '');
    },
  };
  const options = {
    host: 'build-1',
    destination: 'build-1',
    ...(typed && { ask }),
  } as unknown as ExecContext['options'];
  const open = async (words: readonly string[]): Promise<Channel> => sudoChannel(words, passwords);
  return {
    passwords,
    asked,
    context: { options, user: 'ada', login: { destination: 'build-1' }, operator: 'ada', open, sudo, waiting: {} },
  };
}

/** Like `sudo -S`, which asks without limit in this test, and `sudo -n`. */
function sudoChannel(words: readonly string[], passwords: string[]): Channel {
  const [first = '', second = '', mode] = words.slice(-4);
  const mark = `${first}${second}`;
  let say: (stream: 'stdout' | 'stderr', chunk: Buffer) => void = () => {};
  let end: (end: ChannelEnd) => void = () => {};
  const ended = new Promise<ChannelEnd>((resolve) => {
    end = resolve;
  });
  const both = (text: string) => {
    say('stdout', Buffer.from(text));
    say('stderr', Buffer.from(text));
  };
  // As sudo(8): the prompt of -p, with %p for the account of the password.
  const prompt = / -p "(.*?)\$1\$2:ask" /.exec(words.join(' '))?.[1]?.replace('%p', 'root');
  const ask = () => say('stderr', Buffer.from(`${prompt}${mark}:ask`));
  let root = false;
  return {
    ended,
    onOutput(listener) {
      say = listener;
      setImmediate(() => {
        both(`${mark}:shell\n`);
        if (mode !== 'never-ask') return ask();
        say('stderr', Buffer.from('sudo: a password is required\n'));
        end({ status: 1 });
      });
    },
    write(bytes) {
      const text = Buffer.from(bytes).toString();
      if (root || text === '\n') return;
      if (text.startsWith(mark)) return;
      passwords.push(text.trimEnd());
      root = text.trimEnd() === RIGHT;
      setImmediate(() => {
        if (root) both(`${mark}:run\n${mark}:end 0\n`);
        else ask();
      });
    },
    endInput() {},
    close() {},
    kill: () => end({ signal: 'TERM' }),
  };
}

const REQUEST = { phase: 'test', script: 'true', asRoot: true, timeoutMs: 10_000 };

test('a person who mistypes it is asked again, and what was wrong is not sent twice', async () => {
  const host = hostWith({ typed: ['one', 'two', RIGHT] });
  expect(await runScript(host.context, REQUEST)).toMatchObject({ status: 0 });
  expect([host.passwords, host.asked]).toEqual([
    ['one', 'two', RIGHT],
    [false, true, true],
  ]);
  // It was correct: the next run does not ask.
  host.passwords.length = 0;
  expect(await runScript(host.context, REQUEST)).toMatchObject({ status: 0 });
  expect([host.passwords, host.asked.length]).toEqual([[RIGHT], 3]);
});

test('no person is asked more often than sudo itself asks', async () => {
  const host = hostWith({ typed: ['one', 'two', 'three', 'four'] });
  await expect(runScript(host.context, REQUEST)).rejects.toMatchObject({ code: 'E_SUDO_REFUSED', exit: 4 });
  expect(host.passwords).toEqual(['one', 'two', 'three']);
});

test('a password that was given beforehand and is wrong is sent once, and forgotten', async () => {
  const sudo: SudoKnowledge = { password: new Secret('wrong') };
  const host = hostWith({ sudo });
  await expect(runScript(host.context, REQUEST)).rejects.toMatchObject({
    ...{ code: 'E_SUDO_REFUSED', exit: 4 },
    message: 'sudo did not take that password: it asks for the one of root',
    hints: ['--ask-sudo-password', expect.toSay('rootpw-targetpw-runaspw', 'ada')],
  });
  expect([host.passwords, sudo.password]).toEqual([['wrong'], undefined]);
});

test('without a password and a person to ask, the error says which option gives one', async () => {
  const host = hostWith({});
  await expect(runScript(host.context, REQUEST)).rejects.toMatchObject({
    code: 'E_SUDO_PASSWORD',
    hints: expect.arrayContaining(['--ask-sudo-password']),
  });
  expect(host.passwords).toEqual([]);
});

test('a host on which sudo asked for nothing and then does is tried again with a question', async () => {
  const sudo: SudoKnowledge = { asks: false };
  const host = hostWith({ typed: [RIGHT], sudo });
  expect(await runScript(host.context, REQUEST)).toMatchObject({ status: 0 });
  expect(host.passwords).toEqual([RIGHT]);
});
