/**
 * Owns what the arguments say before they are parsed, and which options a command takes. Without commander, so that completion
 * and the plainest commands start fast.
 */

import { optionFlag } from '../domain/option-flag.ts';
import type { Command, OptionSpec, OptionSpecs } from './command.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';

/** What can be known before the command is: output form, colour, and which words may name the command. */
export type Glance = {
  readonly json: boolean;
  readonly colour: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
  readonly help: boolean;
  readonly version: boolean;
  /** What --home says, as it was typed. */
  readonly home: string | undefined;
  /** Positions in argv of the first two words that are neither options nor values of the common options. */
  readonly words: readonly number[];
};

/** Looks over the arguments without judging them: errors of any kind must already come in the form that was asked for. */
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

/** The common options that a command takes. */
function commonOptions({ withoutFleet }: Pick<Command, 'withoutFleet'>): OptionSpecs {
  const { file, ...others } = GLOBAL_OPTIONS;
  return withoutFleet ? others : { file, ...others };
}

/** Every option of a command. */
export function optionsOf(command: Pick<Command, 'withoutFleet' | 'options'>): OptionSpecs {
  return { ...commonOptions(command), ...command.options };
}
