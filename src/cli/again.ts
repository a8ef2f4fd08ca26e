/** The typed command with another host, client or option, for hints to paste. Every other word stays. */

import { optionFlag } from '../core/domain/option-flag.ts';
import { shellQuote } from '../core/domain/quote.ts';
import type { Again, Hint } from '../errors/errors.ts';
import type { Command, OptionSpec } from './command.ts';
import { commandOptions } from './global-options.ts';

type Change = Parameters<Again>[0];

export type Whole = {
  /** Completes a hint: an option by the typed command that takes it, "the same command" by that command. */
  readonly whole: (hint: Hint) => Hint;
  /** Adds the answer to the question of a flag, as the words that give it; a later answer replaces it. */
  readonly answered: (flag: string, words: readonly string[]) => void;
};

/** `typed`: the words after the command's name. `--home` is dropped, because every hint gets it. */
export function typedAgain(command: Command, typed: readonly string[]): Again & Whole {
  const valued = new Set(
    Object.entries<OptionSpec>(commandOptions(command)).flatMap(([key, spec]) =>
      spec.kind === 'flag' ? [] : [optionFlag(key), ...(spec.short ? [`-${spec.short}`] : [])],
    ),
  );
  const alone = new Set(
    Object.entries<OptionSpec>(commandOptions(command)).flatMap(([key, spec]) =>
      spec.kind === 'text' && spec.optional ? [optionFlag(key)] : [],
    ),
  );
  /** The word, and its value if it has one. */
  const withValue = (words: readonly string[], index: number): readonly string[] => {
    const word = words[index] as string;
    const next = words[index + 1];
    // As commander decides: `-` is a value.
    const stands = alone.has(word) && (next === undefined || (next.length > 1 && next.startsWith('-')));
    const takes = valued.has(word) && !stands;
    return words.slice(index, index + (takes ? 2 : 1));
  };
  const answers = new Map<string, readonly string[]>();
  const again = ({ host, instead, client, option }: Change): string => {
    const behind = typed.includes('--') ? typed.slice(typed.indexOf('--')) : [];
    const given = [...[...answers.values()].flat(), ...typed.slice(0, typed.length - behind.length)];
    const words: string[] = [];
    let replaced = host === undefined;
    const dropped = ['--home', ...(client === undefined ? [] : ['--client']), ...(option?.split(' ', 1) ?? [])];
    for (let index = 0; index < given.length; index += 1) {
      const word = given[index] as string;
      const option = withValue(given, index);
      index += option.length - 1;
      if (dropped.includes(word.split('=')[0] as string)) continue;
      const wrong = !replaced && word === instead;
      words.push(...(wrong ? [host as string] : option));
      replaced ||= wrong;
    }
    const added = client === undefined ? [] : ['--client', client];
    const all = [...(replaced ? [] : [host as string]), ...words, ...added].map((word) => shellQuote(word));
    const rest = behind.map((word) => shellQuote(word));
    return ['docker-tls', command.name, ...all, ...(option === undefined ? [] : [option]), ...rest].join(' ');
  };
  const flags = new Set(Object.keys(commandOptions(command)).map(optionFlag));
  const whole = (hint: Hint): Hint => {
    if (typeof hint !== 'string') return hint;
    if (flags.has(hint.split(' ', 1)[0] as string)) return again({ option: hint });
    return hint.replace(/run the same command again$/, () => `run again: ${again({})}`);
  };
  const answered = (flag: string, words: readonly string[]): void => void answers.set(flag, words);
  return Object.assign(again, { whole, answered });
}
