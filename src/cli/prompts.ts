/**
 * Prompts to the user. inquirer is loaded at the first question; questions go to stderr, one at a time, also when several hosts ask.
 * Without a terminal, or with `--yes`, a question is an error that names the flag to use instead.
 */

import type { Key } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import pico from 'picocolors';
import { type AnswerSource, noAnswer, type Prompts } from '../core/actions/ask.ts';
import { Secret } from '../core/domain/secret.ts';
import { textWidth, wrapLines, wrapText } from '../core/domain/words.ts';
import { coloursOf } from '../core/render/colours.ts';
import type { Io } from '../core/runtime.ts';
import { dropTypedAhead, hideTyping } from '../core/typing.ts';
import { DockerTlsError, interrupted } from '../errors/errors.ts';
import type { HintPrefix } from './hint-prefix.ts';
import { sshQuestions } from './ssh-questions.ts';

export type PromptsOptions = {
  readonly io: Io;
  readonly yes: boolean;
  readonly signal: AbortSignal;
  /** Ends the run with its signal: Ctrl-C at one question cancels the whole run. */
  interrupt(reason: DockerTlsError): void;
  /** Hides the live progress while a question is open. */
  suspend<T>(work: () => Promise<T>): Promise<T>;
  /** Whether the run has changed anything so far. */
  hasChanged(): boolean;
  /** Rewrites commands into the form that this user types. */
  readonly words?: HintPrefix;
  /** Gets the words that give an answer on the command line; none for a default, which replaces an earlier answer as well. */
  answered?(flag: string, words: readonly string[]): void;
  readonly input?: Readable;
  readonly output?: Writable;
};

type AnyQuestion = { readonly type: string; readonly message: string } & Readonly<Record<string, unknown>>;

export function createPrompts(options: PromptsOptions): Prompts {
  const interactive = options.io.inIsTerminal && options.io.errIsTerminal && !options.yes;
  const words = (text: string): string =>
    text
      .split('\n')
      .map(options.words ?? String)
      .join('\n');
  let queue: Promise<unknown> = Promise.resolve();

  /** Asks one question at a time; the next waits until this one has settled. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = queue.then(() => options.suspend(work));
    queue = turn.catch(() => undefined);
    return turn;
  }

  function ask<T>(question: AnyQuestion, { explain, ...source }: AnswerSource & { explain?: string }): Promise<T> {
    if (!interactive) return Promise.reject(noAnswer(question.message, source, options.io, options.yes));
    return inTurn(() => {
      // Questions queued when another one was cancelled.
      if (options.signal.aborted) throw asInterruption(options);
      hideTyping();
      if (explain !== undefined) options.io.err(renderExplanation(words(explain), options.io));
      return put<T>({ ...question, message: broken(question) }, options);
    });
  }

  /** The message, broken between words: inquirer breaks anywhere. What follows on its last line counts as a word. */
  function broken({ type, message, default: fallback }: AnyQuestion): string {
    const behind = type === 'confirm' ? '(y/N) Yes' : type === 'input' && fallback ? `(${fallback}) ` : '';
    const blank = '█'.repeat(textWidth(behind));
    return indented(`${message} ${blank}`).replace(/ *█*$/, '');
  }

  /** Lines of a question: two columns are for its mark, one for the cursor. */
  function indented(text: string): string {
    return wrapText(text.trimEnd(), Math.max(30, options.io.columns - 3)).join('\n  ');
  }

  /** Problems with an answer, wrapped between words; two columns are reserved for the mark. */
  function wrapped(validate: (text: string) => true | string | Promise<true | string>) {
    return async (text: string): Promise<true | string> => {
      const found = await validate(text);
      const lines = (line: string): string[] => wrapText(line, Math.max(30, options.io.columns - 3));
      return found === true ? true : words(found).split('\n').flatMap(lines).join('\n');
    };
  }

  const prompts: Omit<Prompts, 'ssh'> = {
    interactive,
    show: (text, title = '') =>
      inTurn(async () =>
        options.io.err(wrapLines(`${title && coloursOf(options.io).bold(title)}${text}`, options.io.columns)),
      ),
    async confirm({ message, default: fallback = false, typedAs, ...source }) {
      if (options.yes) return true;
      const answer = await ask<boolean>({ type: 'confirm', message, default: fallback }, source);
      if (typedAs) options.answered?.(source.flag, answer ? typedAs(answer) : []);
      return answer;
    },
    async input({ message, default: fallback, validate, typedAs, ...source }) {
      const check = validate && wrapped(validate);
      const answer = await ask<string>({ type: 'input', message, default: fallback, validate: check }, source);
      if (typedAs) options.answered?.(source.flag, answer === fallback ? [] : typedAs(answer));
      return answer;
    },
    async password({ message, confirm, allowEmpty, validate, explain, ...source }) {
      let why = explain;
      for (;;) {
        const first = await ask<string>({ type: 'password', message, mask: '*' }, { ...source, explain: why });
        // inquirer would keep a rejected answer in its line, where the mask hides that the next one is appended.
        const found = first === '' && !allowEmpty ? 'It is empty.' : (validate?.(first) ?? true);
        if (found !== true) {
          why = found;
          continue;
        }
        if (!confirm || first === '') return new Secret(first);
        const again = await ask<string>({ type: 'password', message: 'The same again:', mask: '*' }, source);
        if (first === again) return new Secret(first);
        why = 'They are not the same.';
      }
    },
    select: async ({ message, choices: given, default: fallback, ...source }) => {
      const choices = given.map(({ name, description, disabled, typedAs: _, ...choice }) => {
        // inquirer writes the reason behind the name.
        const [whole, last] = /^(.*) (\S+)$/s.exec(indented(`${words(name)} ${disabled}`))?.slice(1) ?? [];
        return {
          ...choice,
          ...(disabled ? { name: whole, disabled: last } : { name: indented(words(name)) }),
          short:
            textWidth(`${message} ${name}`) > options.io.columns - 3 ? `\n  ${indented(words(name))}` : words(name),
          description: description && wrapText(words(description), Math.max(30, options.io.columns - 1)).join('\n'),
        };
      });
      const question = { type: 'select', message, choices, default: fallback, loop: false, pageSize: 10 };
      const answer = await ask<(typeof given)[number]['value']>(question, source);
      if (given.some(({ typedAs }) => typedAs))
        options.answered?.(source.flag, given.find(({ value }) => value === answer)?.typedAs ?? []);
      return answer;
    },
  };
  return { ...prompts, ssh: interactive ? sshQuestions(prompts) : undefined };
}

/** Dimmed, indented by two columns, with an empty line above. */
function renderExplanation(text: string, io: Io): string {
  const { dim } = pico.createColors(io.colour && io.errIsTerminal);
  const lines = text.split('\n').flatMap((line) => {
    const indent = /^ */.exec(line)?.[0] ?? '';
    return wrapText(line.trim(), Math.max(30, io.columns - 3 - indent.length)).map((part) => `  ${indent}${part}`);
  });
  return `\n${lines.map((line) => dim(line)).join('\n')}\n`;
}

/** Asks until the answer is not a paste of several lines: its first line would be the answer, and the others would be lost. */
async function put<T>(question: AnyQuestion, options: PromptsOptions): Promise<T> {
  for (;;) {
    const { answer, lines } = await putOnce<T>(question, options);
    if (!lines) return answer;
    options.io.err('Several lines were pasted, and none was taken: an answer is one line.\n');
  }
}

async function putOnce<T>(
  question: AnyQuestion,
  options: PromptsOptions,
): Promise<{ readonly answer: T; readonly lines: boolean }> {
  const { default: inquirer } = await import('inquirer');
  const input = options.input ?? process.stdin;
  const ended = new AbortController();
  // inquirer waits forever on a closed terminal. Ctrl-D closes readline, and then inquirer waits while the terminal echoes what is typed.
  // Both count as Ctrl-C.
  const end = () => ended.abort();
  const pressed = (_: unknown, key?: Key) => key?.ctrl && key.name === 'd' && end();
  await dropTypedAhead(input, end);
  let lines = false;
  // A terminal usually delivers a paste at once, and what is typed key by key. Not recognised: a paste that arrives in several reads, as over
  // a slow connection. Its first line is then the answer; dropTypedAhead drops what is there before the next question, and no more.
  const read = (bytes: Buffer | string) => {
    lines ||= /[\r\n][^\r\n]/.test(String(bytes));
  };
  input.on('data', read);
  input.once('end', end).once('close', end).on('keypress', pressed);
  const { validate } = question as { readonly validate?: (text: string) => true | string | Promise<true | string> };
  // A paste whose first line is rejected is over: the answer to the same question that follows is not part of it.
  const checked = async (text: string) => {
    const found = (await validate?.(text)) ?? true;
    if (found !== true) lines = false;
    return found;
  };
  const module = inquirer.createPromptModule({
    input: input as NodeJS.ReadableStream,
    output: (options.output ?? process.stderr) as NodeJS.WritableStream,
    signal: AbortSignal.any([options.signal, ended.signal]),
    skipTTYChecks: true,
  });
  try {
    const answers: Record<string, unknown> = await module([
      { ...question, ...(validate && { validate: checked }), name: 'answer' },
    ] as never);
    return { answer: answers.answer as T, lines };
  } catch (error) {
    if (!stopped(error)) throw error;
    const reason = asInterruption(options);
    options.interrupt(reason);
    throw reason;
  } finally {
    input.off('end', end).off('close', end).off('keypress', pressed).off('data', read);
  }
}

function stopped(error: unknown): boolean {
  return error instanceof Error && ['ExitPromptError', 'AbortPromptError', 'CancelPromptError'].includes(error.name);
}

function asInterruption({ signal, hasChanged }: PromptsOptions): DockerTlsError {
  if (signal.reason instanceof DockerTlsError) return signal.reason;
  return interrupted(`stopped at a question${hasChanged() ? '' : '; nothing was changed on a host or in the store'}`);
}
