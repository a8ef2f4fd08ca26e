/** Text typed between two questions, while no question reads the keys, is not shown; afterwards the terminal is restored. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildQuestions } from '../support/question.ts';
import { KEYS } from '../support/terminal.ts';

/** A command that asks for two passphrases. The work in between ends after a typed line, so that no line comes too late. */
const PROGRAM = `
import { spawnSync } from 'node:child_process';
import { main } from './src/cli/main.ts';
const command = { name: 'ask', summary: '', scope: ['changes'], args: { ending: { summary: '' } }, options: {}, async run({ args, prompts }) {
  const first = await prompts.password({ message: 'First:', flag: '--flag' });
  spawnSync('sh', ['-c', 'echo between >&2; read -r line'], { stdio: 'inherit' });
  if (args.ending === 'throws') setTimeout(() => { throw new Error('a bug'); });
  const shown = args.ending === 'shows' ? await prompts.input({ message: 'Shown:', flag: '--flag' }) : '';
  if (shown !== '') return { exit: 0, result: {}, text: 'shown: ' + shown };
  const second = await prompts.password({ message: 'Second:', flag: '--flag' });
  return { exit: 0, result: {}, text: 'answers of ' + first.revealText().length + ' and ' + second.revealText().length };
} };
const exit = await main(['ask', process.argv[2]], {}, [{ name: 'ask', summary: '', load: async () => command }]);
if (process.argv[2] !== 'stays') process.exit(exit);
spawnSync('stty', ['-a'], { stdio: 'inherit' });
`;

let questions: Awaited<ReturnType<typeof buildQuestions>>;

beforeAll(async () => {
  questions = await buildQuestions(PROGRAM);
});
afterAll(() => questions?.remove());

test('a passphrase that is typed ahead is on no screen', async () => {
  const terminal = questions.ask('asks');
  await terminal.answer('First:', `one${KEYS.enter}`);
  // The second line waits for the question.
  await terminal.answer('between', `typed-ahead${KEYS.enter}typed-as-well${KEYS.enter}`);
  await terminal.answer('Second:', `second${KEYS.enter}`);
  await terminal.see('answers of 3 and 6');
  expect(terminal.frames.join('\n')).not.toContain('typed');
});

test.each([
  ['without its end', ''],
  ['with its end', KEYS.enter],
])('a passphrase that is typed ahead, %s, does not answer a question whose answer is shown', async (_, end) => {
  const terminal = questions.ask('shows');
  await terminal.answer('First:', `one${KEYS.enter}`);
  await terminal.answer('between', `typed-ahead${KEYS.enter}typed-as-well${end}`);
  await terminal.answer('Shown:', `answer${KEYS.enter}`);
  await terminal.see('shown: answer');
  expect(terminal.frames.join('\n')).not.toContain('typed');
});

test.each([
  ['the last answer', 'stays', '', `second${KEYS.enter}`],
  ['an error that no code catches', 'throws', '', ''],
  ['Ctrl-C between questions', 'asks', KEYS.ctrlC, ''],
  ['Ctrl-C at a question', 'asks', '', KEYS.ctrlC],
])('%s leaves a terminal that shows what is typed', async (_, ending, between, second) => {
  const terminal = questions.ask(ending, ending === 'stays' ? '' : 'stty -a');
  await terminal.answer('First:', `one${KEYS.enter}`);
  await terminal.answer('between', `typed-ahead${KEYS.enter}${between}`);
  if (second !== '') await terminal.answer('Second:', second);
  await terminal.see(/ -?echo /);
  await terminal.ended;
  expect(terminal.screen()).toMatch(/ echo /);
  expect(terminal.frames.join('\n')).not.toContain('typed');
});

/** Live lines, and then the change of the echo alone. */
const WORKS = `
import { main } from './src/cli/main.ts';
import { hideTyping } from './src/core/typing.ts';
const command = { name: 'work', summary: '', scope: ['changes'], args: {}, options: {}, async run({ progress }) {
  progress.host('build-1').phase('facts');
  await new Promise((resolve) => setTimeout(resolve, 500));
  return { exit: 0, result: {}, text: 'worked' };
} };
if (process.argv[2] === 'lines') await main(['work'], {}, [{ name: 'work', summary: '', load: async () => command }]);
else hideTyping();
console.log('over');
process.kill(process.pid, 'SIGKILL');
`;

test.each(['lines', 'echo'])(
  'in the background of a terminal, as under timeout in a script, %s: nothing stops and the echo stays',
  async (kind) => {
    const works = await buildQuestions(WORKS);
    try {
      const terminal = works.ask(kind, 'echo ended; stty -a; stty echo; timeout 50 "$@"; stty -a; echo finished');
      const screen = await terminal.see('finished', 100_000);
      expect(screen.match(/^over$/gm)).toHaveLength(2);
      // In the foreground only a question switches it off.
      expect(screen.match(/ -?echo /g)).toEqual([kind === 'lines' ? ' echo ' : ' -echo ', ' echo ']);
    } finally {
      works.remove();
    }
  },
);
