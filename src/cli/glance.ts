/**
 * Pre-scan of the arguments before parsing, and the options of a command. It does not load commander, so that completion and the simplest
 * commands start fast.
 */

import { optionFlag } from '../core/domain/option-flag.ts';
import type { Command, OptionSpec, OptionSpecs } from './command.ts';
import { GLOBAL_OPTIONS, MEANS_SOMETHING_FOR } from './global-options.ts';

/** Facts known before the command is: output form, colour, and the words that may name the command. */
export type Glance = {
  readonly json: boolean;
  readonly colour: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
  readonly help: boolean;
  readonly version: boolean;
  /** The value of --home, as typed. */
  readonly home: string | undefined;
  /** Positions in argv of the first two words that are neither options nor values of the common options. */
  readonly words: readonly number[];
};

/** Scans the arguments without validating them, so that every error already has the requested output form. */
export function glance(argv: readonly string[]): Glance {
  const valued = new Set(
    Object.entries<OptionSpec>(GLOBAL_OPTIONS).flatMap(([key, spec]) =>
      spec.kind === 'flag' ? [] : [optionFlag(key), ...(spec.short ? [`-${spec.short}`] : [])],
    ),
  );
  const end = argv.indexOf('--');
  const open = end < 0 ? argv : argv.slice(0, end);
  const words: number[] = [];
  for (let index = 0; index < open.length && words.length < 2; index += 1) {
    const word = open[index] as string;
    if (valued.has(word)) index += 1;
    else if (!word.startsWith('-') || word === '-') words.push(index);
  }
  const home = open.findLastIndex((word) => word === '--home' || word.startsWith('--home='));
  const before = words[0] === undefined ? open : open.slice(0, words[0]);
  return {
    json: open.includes('--json'),
    colour: !open.includes('--no-color'),
    verbose: open.includes('-v') || open.includes('--verbose'),
    quiet: open.includes('-q') || open.includes('--quiet'),
    help: open.includes('--help') || open.includes('-h'),
    version: before.includes('--version'),
    home: (open[home] === '--home' ? open[home + 1] : open[home]?.slice('--home='.length)) || undefined,
    words,
  };
}

/** Every option of a command: its own, and the common ones in its scope. */
export function optionsOf({ scope, options }: Pick<Command, 'scope' | 'options'>): OptionSpecs {
  const common = Object.entries<OptionSpec>(GLOBAL_OPTIONS).filter(([key]) => {
    const scopes = MEANS_SOMETHING_FOR[key as keyof typeof GLOBAL_OPTIONS]?.scopes;
    return scopes === undefined || scopes.some((one) => scope.includes(one));
  });
  return { ...Object.fromEntries(common), ...options };
}
