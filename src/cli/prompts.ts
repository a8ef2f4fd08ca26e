/**
 * Prompts to the user. inquirer is loaded at the first question; questions go to stderr, one at a time, also when several hosts ask.
 * Without a terminal, or with `--yes`, a question is an error that names the flag to use instead.
 */

import type { Key } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import pico from 'picocolors';
import type { AnswerSource, Prompts } from '../core/actions/ask.ts';
import { Secret } from '../core/domain/secret.ts';
import { wrapLines, wrapText } from '../core/domain/words.ts';
import { coloursOf } from '../core/render/colours.ts';
import type { Io, SshQuestions } from '../core/runtime.ts';
import { dropTypedAhead, hideTyping } from '../core/typing.ts';
import { DockerTlsError, interrupted, printable } from '../errors/errors.ts';
import type { HintPrefix } from './hint-prefix.ts';

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
  const terminal = options.io.inIsTerminal && options.io.errIsTerminal;
  const interactive = terminal && !options.yes;
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
    if (!interactive) return Promise.reject(noTerminal(question.message, source, terminal));
    return inTurn(() => {
      // Questions queued when another one was cancelled.
      if (options.signal.aborted) throw asInterruption(options);
      hideTyping();
      if (explain !== undefined) options.io.err(renderExplanation(words(explain), options.io));
      return put<T>(question, options);
    });
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
      const choices = given.map(({ name, description, typedAs: _, ...choice }) => ({
        ...choice,
        name: words(name),
        description: description && words(description),
      }));
      const question = { type: 'select', message, choices, default: fallback, loop: false, pageSize: 10 };
      const answer = await ask<(typeof given)[number]['value']>(question, source);
      if (given.some(({ typedAs }) => typedAs))
        options.answered?.(source.flag, given.find(({ value }) => value === answer)?.typedAs ?? []);
      return answer;
    },
  };
  return { ...prompts, ssh: interactive ? sshQuestions(prompts) : undefined };
}

/** The questions of an ssh login. Answers are kept: 20 hosts with the same key cause one question. */
function sshQuestions(prompts: Omit<Prompts, 'ssh'>): SshQuestions {
  const passphrases = new Map<string, Promise<Secret>>();
  /** By user; the password that each host got last. */
  const sudo = new Map<string, Promise<Secret>>();
  const tried = new Map<string, Promise<Secret>>();
  return {
    hostKey({ host, address, type, fingerprint }) {
      const [name, dialled] = [printable(host), printable(address)];
      const at = dialled === name ? '' : ` (${dialled})`;
      return prompts.confirm({
        explain:
          `${name}${at} is not a known host. It shows this ${printable(type)} key:\n  ${printable(fingerprint)}\n` +
          'Compare, on a console of the host:\n  cat /etc/ssh/ssh_host_*_key.pub | ssh-keygen -lf -',
        message: 'Is that its key?',
        default: false,
        flag: '--host-key accept-new',
      });
    },
    passphrase({ file, again = false }) {
      if (again) passphrases.delete(file);
      return once(passphrases, file, () =>
        prompts.password({
          explain: again ? `${printable(file)} was not unlocked by that one.` : undefined,
          message: `Passphrase of ${printable(file)}:`,
          flag: 'an ssh agent (ssh-add FILE)',
        }),
      );
    },
    password({ host, prompt, echo, why }) {
      const question = {
        message: `${printable(host)}: ${printable(prompt)}`,
        flag: '-i FILE',
        explain: why === undefined ? undefined : printable(why),
      };
      return echo
        ? prompts.input(question).then((text) => new Secret(text))
        : prompts.password({ ...question, allowEmpty: true });
    },
    touch({ host, key }) {
      void prompts.show(`${printable(host)}: touch the security key ${printable(key)}\n`).catch(() => undefined);
    },
    sudoPassword({ host, user, of = user, again = false }) {
      // The host itself names the account. The password of another account goes only to the host that it was typed for.
      const key = of === user ? JSON.stringify([user]) : JSON.stringify([user, of, host]);
      const at = JSON.stringify([user, of, host]);
      // If other hosts rejected it as well, one of them has already asked again.
      if (again && sudo.get(key) === tried.get(at)) sudo.delete(key);
      const other = of === user ? '' : ` of ${printable(of)}`;
      const where =
        of === user ? `every host of this run whose sudo asks ${printable(user)} for one` : 'that host alone';
      const answer = once(sudo, key, () =>
        prompts.password({
          explain: again
            ? `sudo on ${printable(host)} did not take that one.`
            : `${printable(user)} is not root, and sudo on ${printable(host)} wants a password${other}. It is sent to sudo alone, ` +
              `on ${where}, and kept nowhere.`,
          message: `Password${other} for sudo of ${printable(user)}${of === user ? '' : ` on ${printable(host)}`}:`,
          flag: '--sudo-password-file FILE',
        }),
      );
      tried.set(at, answer);
      return answer;
    },
  };
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

/** Caches the answer; after a failure, the next caller asks again. */
function once(answers: Map<string, Promise<Secret>>, key: string, ask: () => Promise<Secret>): Promise<Secret> {
  const known = answers.get(key);
  if (known) return known;
  const requested = ask();
  answers.set(key, requested);
  requested.catch(() => answers.delete(key));
  return requested;
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

function noTerminal(message: string, { flag, key }: AnswerSource, terminal: boolean): DockerTlsError {
  const question = printable(message).replace(/[?:]\s*$/, '');
  const ways = key === undefined ? flag : `${flag}, or ${key} in the fleet file`;
  return new DockerTlsError(
    'E_NO_TERMINAL',
    terminal
      ? `an answer is missing, and --yes asks nothing: ${question}`
      : `an answer is missing, and there is no terminal to ask for it: ${question}`,
    { hints: [`give ${ways}`] },
  );
}
