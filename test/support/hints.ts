/** Checks the hints of a run: every command in them is one that docker-tls takes, with options and arguments that it has. */

import { COMMANDS, findCommand } from '../../src/cli/commands.ts';
import { parseOptions } from '../../src/cli/options.ts';

/** Throws if a hint of this output has a command that the parser refuses. */
export async function requireHints({ out, err }: { readonly out: string; readonly err: string }): Promise<void> {
  for (const hint of hintsIn(out, err))
    for (const words of commandsIn(hint)) {
      const problem = await refusal(words);
      if (problem !== undefined) throw new Error(`a hint has a command that is refused: ${hint}\n${problem}`);
    }
}

/** Lines after `hint:`, and hints of a document. */
export function hintsIn(out: string, err: string): string[] {
  const printed = [...err.matchAll(/^ *hint: (.+(?:\n {6}\S.*)*)/gm)].map(([, hint = '']) =>
    hint.replace(/\n {6}/g, ' '),
  );
  return [...new Set([...printed, ...documentHints(out)])];
}

function documentHints(out: string): string[] {
  if (!out.startsWith('{')) return [];
  try {
    const { error } = JSON.parse(out);
    return [error, ...(error?.errors ?? [])].flatMap((one) => one?.hints ?? []);
  } catch {
    return [];
  }
}

const NAMES = [...new Set(COMMANDS.map(({ name }) => name.split(' ')[0]))].join('|');
/** A command to paste: at the start, behind a colon, `then`, `or` or sudo, or in a substitution. Words about a command are none. */
const START = new RegExp(
  `(?:^|: |\`|\\$\\(|\\b(?:then|or|sudo) )docker-tls ((?:--(?:home|store)[ =](?:'[^']*'|\\S+) )*(?:${NAMES})\\b.*)$`,
);

/** The words after `docker-tls` of each command in a hint, as a shell splits them. */
export function commandsIn(hint: string): string[][] {
  const found: string[][] = [];
  for (let rest = hint; ; ) {
    const match = START.exec(rest);
    if (match === null) return found;
    const { words, after } = shellWords(match[1] as string);
    found.push(words);
    rest = after;
  }
}

/** Words up to what ends a command: `|`, `;`, `&`, `)`, `>`, a comment, a comma or colon before more text. */
function shellWords(text: string): { words: string[]; after: string } {
  const words: string[] = [];
  const token = /\s*(?:([|;&)><`]|#\s)|((?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\|;&)><`])+))/gy;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [, end, word] = match;
    if (end !== undefined) return { words, after: text.slice(token.lastIndex) };
    const plain = (word as string).replace(
      /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g,
      (_, one, two, three) => one ?? two?.replace(/\\(.)/g, '$1') ?? three,
    );
    if (/[,:]$/.test(word as string))
      return { words: [...words, plain.slice(0, -1)], after: text.slice(token.lastIndex) };
    words.push(plain);
  }
  return { words, after: '' };
}

async function refusal(words: readonly string[]): Promise<string | undefined> {
  if (words.some((word) => word.includes('…'))) return 'a part of the command is left out';
  let first = 0;
  while (/^--(home|store)(=|$)/.test(words[first] ?? '')) first += words[first]?.includes('=') ? 1 : 2;
  const found = findCommand(words.slice(first, first + 2).filter((word) => !word.startsWith('-')));
  if (found.kind === 'group') return words.includes('--help') ? undefined : `${found.name} is a group`;
  if (found.kind !== 'command') return `no such command: ${words.join(' ')}`;
  const command = await found.entry.load();
  const length = found.entry.name.split(' ').length;
  const rest = [...words.slice(0, first), ...words.slice(first + length)];
  if (rest.includes('--help')) return undefined;
  try {
    parseOptions(command, rest, { env: {}, cwd: '/' });
    return undefined;
  } catch (error) {
    return `${words.join(' ')}: ${(error as Error).message}`;
  }
}
