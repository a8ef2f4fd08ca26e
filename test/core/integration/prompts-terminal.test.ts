/** Keys that end a question on a real terminal, for every kind of question. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildQuestions, KINDS } from '../../support/question.ts';
import { KEYS } from '../../support/terminal.ts';

let questions: Awaited<ReturnType<typeof buildQuestions>>;

beforeAll(async () => {
  questions = await buildQuestions();
});
afterAll(() => questions?.remove());

const ENDINGS = [
  ['Ctrl-C', KEYS.ctrlC],
  ['Ctrl-D', KEYS.ctrlD],
  ['Ctrl-D behind a letter', `x${KEYS.ctrlD}`],
] as const;

test.each(KINDS.flatMap((kind) => ENDINGS.map(([name, keys]) => [kind, name, keys] as const)))(
  '%s: %s ends it, and nothing that is typed is shown',
  async (kind, _, keys) => {
    const terminal = questions.ask(kind);
    await terminal.answer('Question:', keys);
    await terminal.see('E_INTERRUPTED 130');
    expect(await terminal.ended).toBe(0);
  },
);

/** Words that no line of 80 columns holds, with choices of the same length. */
const LONG = `
import { createPrompts } from './src/cli/prompts.ts';
const io = { out() {}, err: (text) => process.stderr.write(text), outIsTerminal: true, errIsTerminal: true, inIsTerminal: true, columns: 80, colour: false };
const prompts = createPrompts({ io, yes: false, signal: new AbortController().signal, suspend: (work) => work(), interrupt() {}, hasChanged: () => false });
const words = (count) => Array.from({ length: count }, (_, at) => 'word-number-' + at).join(' ');
const choices = [{ value: 1, name: words(9), description: words(12) }, { value: 2, name: words(8), disabled: words(7) }];
const asked = { message: process.argv[2] === 'confirm' ? words(5) + ' at:' : words(11), default: process.argv[2] === 'input' ? 'a-default-value' : undefined };
prompts[process.argv[2]]({ ...asked, flag: '--flag', choices }).then(() => process.stderr.write('\\nend\\n'));
`;

test('a long question breaks between words, and so do its choices', async () => {
  const long = await buildQuestions(LONG);
  try {
    for (const kind of KINDS) {
      const terminal = long.ask(kind);
      await terminal.answer('word-number-4', kind === 'password' ? 'x' : '');
      await terminal.see(kind === 'select' ? 'word-number-11' : /word-number-10|at: \(y\/N\)|at:\n *\(y\/N\)/);
      const open = terminal.screen();
      terminal.type(KEYS.enter);
      await terminal.see('end');
      for (const screen of [open, terminal.screen()])
        for (const word of screen.match(/\S*word\S*|\S*number\S*|\(y\S*|\(a-\S*/g) ?? [])
          expect(word).toMatch(/^(?:word-number-\d+|\(y\/N\)|\(a-default-value\))$/);
      expect(Math.max(...open.split('\n').map((line) => line.length)), open).toBeLessThanOrEqual(80);
    }
  } finally {
    long.remove();
  }
});
