/**
 * Candidates for the shell's TAB: from the commands' data, and names of hosts and clients from the store. The answer has the form of
 * cobra's `__complete`, which `docker` also calls on its plugins
 * (https://github.com/spf13/cobra/blob/main/site/content/completions/_index.md).
 */

import { hostname } from 'node:os';
import type { ArgumentSpec, CommandPage, Completes, OptionSpec } from '../../../cli/command.ts';
import { pageOf } from '../../../cli/command-pages.ts';
import { COMMANDS, commandGroups, findCommand } from '../../../cli/commands.ts';
import { commandOptions, GLOBAL_OPTIONS, glance, listedChoices } from '../../../cli/global-options.ts';
import { optionFlag } from '../../../core/domain/option-flag.ts';
import { takeEnvironment } from '../../../core/environment.ts';
import type { Runtime } from '../../../core/runtime.ts';
import { storeDirectory, userName, workingDirectory } from '../../../core/user.ts';
import { storedNames } from '../actions/stored-names.ts';

type Around = Pick<Runtime, 'now' | 'env' | 'cwd' | 'operator' | 'signal'>;
type Candidate = { readonly word: string; readonly summary?: string };

// Cobra's directives for the shell: also offer files, offer no files, offer only directories.
const FILES = 0;
const NO_FILES = 4;
const DIRECTORIES = 16;

type Offer = { readonly candidates: readonly Candidate[]; readonly directive: number };

/** Same as `docker-tls __complete`, for bin/docker-tls.js: it runs at every TAB, so main and its imports are not loaded. */
export function answerShell(words: readonly string[]): Promise<string> {
  const runtime = { now: () => new Date(), env: takeEnvironment(), cwd: workingDirectory() };
  const { signal } = new AbortController();
  return complete(words, { ...runtime, operator: `${userName()}@${hostname()}`, signal });
}

/** Candidates for the last word (which may be empty), one line each with its summary after a tab, then `:directive`. */
export async function complete(words: readonly string[], runtime: Around): Promise<string> {
  const typed = words[0] === 'tls' ? words.slice(1) : words;
  const last = typed.at(-1) ?? '';
  const { candidates, directive } = await offer(typed.slice(0, -1), last, runtime);
  const lines = candidates
    .filter(({ word }) => word.startsWith(last))
    .map(({ word, summary }) => (summary ? `${word}\t${summary}` : word));
  return [...lines, `:${directive}`, ''].join('\n');
}

async function offer(before: readonly string[], last: string, runtime: Around): Promise<Offer> {
  const positions = glance(before).words;
  const words = positions.map((index) => before[index] as string);
  if (words.length === 0 && !last.startsWith('-')) return commandWords('');
  if (words[0] === 'help') return helpWords(words.slice(1));
  const found = words.length === 0 ? undefined : findCommand(words);
  if (found?.kind === 'group' && !last.startsWith('-')) return commandWords(found.name);
  if (found?.kind !== 'command') return { candidates: flagWords(GLOBAL_OPTIONS), directive: NO_FILES };
  const command = await pageOf(found.entry);
  const taken = positions.slice(0, command.name.split(' ').length);
  return offerFor(
    command,
    before.filter((_, index) => !taken.includes(index)),
    last,
    runtime,
  );
}

async function offerFor(
  command: CommandPage,
  before: readonly string[],
  last: string,
  runtime: Around,
): Promise<Offer> {
  const options = commandOptions(command);
  const valued = optionFor(before.at(-1), options);
  if (valued) return values(valued, valued.kind === 'choice' ? listedChoices(valued) : undefined, before, runtime);
  if (last.startsWith('-')) return { candidates: flagWords(options), directive: NO_FILES };
  const specs = Object.values(command.args);
  const given = before.filter((word, index) => !word.startsWith('-') && !optionFor(before[index - 1], options)).length;
  const spec: ArgumentSpec | undefined = specs[given] ?? (specs.at(-1)?.many ? specs.at(-1) : undefined);
  return spec ? values(spec, spec.choices, before, runtime) : { candidates: [], directive: NO_FILES };
}

/** The option that takes the value after `flag`. */
function optionFor(flag: string | undefined, options: Readonly<Record<string, OptionSpec>>): OptionSpec | undefined {
  if (!flag?.startsWith('-')) return undefined;
  return Object.entries(options).find(
    ([key, spec]) => spec.kind !== 'flag' && (flag === optionFlag(key) || flag === `-${spec.short}`),
  )?.[1];
}

async function values(
  spec: { readonly completes?: Completes },
  choices: readonly string[] | undefined,
  before: readonly string[],
  runtime: Around,
): Promise<Offer> {
  if (choices) return { candidates: choices.map((word) => ({ word })), directive: NO_FILES };
  if (spec.completes === 'file') return { candidates: [], directive: FILES };
  if (spec.completes === 'directory') return { candidates: [], directive: DIRECTORIES };
  const names = spec.completes ? await namesIn(spec.completes, before, runtime) : [];
  return { candidates: names.map((word) => ({ word })), directive: NO_FILES };
}

/** Names in the store; none if it cannot be read, because a TAB must not print errors. */
async function namesIn(kind: 'host' | 'client', before: readonly string[], runtime: Around): Promise<string[]> {
  const home = before.includes('--home') ? before[before.lastIndexOf('--home') + 1] : undefined;
  try {
    return [...(await storedNames(kind, { home: storeDirectory(home, runtime), runtime }))];
  } catch {
    return [];
  }
}

function commandWords(group: string): Offer {
  const prefix = group === '' ? '' : `${group} `;
  const words = new Map<string, string>();
  for (const { name, summary } of COMMANDS) {
    if (!name.startsWith(prefix)) continue;
    const [word = '', more] = name.slice(prefix.length).split(' ');
    if (more === undefined) words.set(word, summary);
    else if (!words.has(word)) words.set(word, '');
  }
  return { candidates: [...words].map(([word, summary]) => ({ word, summary })), directive: NO_FILES };
}

/** After `help`: commands and groups, then the second word of a command. */
function helpWords(words: readonly string[]): Offer {
  if (words.length > 0) return commandWords(words.join(' '));
  const { candidates, directive } = commandWords('');
  const groups = commandGroups(COMMANDS).filter(({ name }) => !candidates.some(({ word }) => word === name));
  return { candidates: [...candidates, ...groups.map(({ name, summary }) => ({ word: name, summary }))], directive };
}

function flagWords(options: Readonly<Record<string, OptionSpec>>): Candidate[] {
  return Object.entries(options)
    .filter(([, spec]) => !spec.hidden)
    .map(([key, { summary }]) => ({ word: optionFlag(key), summary }));
}
