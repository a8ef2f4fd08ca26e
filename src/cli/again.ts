/** The typed command with another host or client, for hints to paste. Every other word stays. */

import { optionFlag } from '../core/domain/option-flag.ts';
import { shellQuote } from '../core/domain/quote.ts';
import type { Again } from '../errors/errors.ts';
import type { Command, OptionSpec } from './command.ts';
import { commandOptions } from './global-options.ts';

/** `typed`: the words after the command's name. `--home` is dropped, because every hint gets it. */
export function typedAgain(command: Command, typed: readonly string[]): Again {
  const valued = new Set(
    Object.entries<OptionSpec>(commandOptions(command)).flatMap(([key, spec]) =>
      spec.kind === 'flag' ? [] : [optionFlag(key), ...(spec.short ? [`-${spec.short}`] : [])],
    ),
  );
  return ({ host, instead, client }) => {
    const words: string[] = [];
    let replaced = host === undefined;
    const dropped = client === undefined ? ['--home'] : ['--home', '--client'];
    const end = typed.includes('--') ? typed.indexOf('--') : typed.length;
    for (let index = 0; index < end; index += 1) {
      const word = typed[index] as string;
      const option = valued.has(word) ? typed.slice(index, index + 2) : [word];
      index += option.length - 1;
      if (dropped.includes(word.split('=')[0] as string)) continue;
      const wrong = !replaced && word === instead;
      words.push(...(wrong ? [host as string] : option));
      replaced ||= wrong;
    }
    const added = client === undefined ? [] : ['--client', client];
    const all = [...(replaced ? [] : [host as string]), ...words, ...added, ...typed.slice(end)];
    return ['docker-tls', command.name, ...all.map((word) => shellQuote(word))].join(' ');
  };
}
