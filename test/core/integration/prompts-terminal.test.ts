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
    await terminal.see('E_INTERRUPTED 130', 5000);
    expect(await terminal.ended).toBe(0);
  },
);
