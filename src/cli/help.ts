/** Owns the help texts, made from the commands' data. Pure. */

import type { Group } from '../domain/settings.ts';
import { padText, wrapText } from '../domain/words.ts';
import { type ArgumentSpecs, type Command, type OptionSpec, type OptionSpecs, optionFlag } from './command.ts';
import type { CommandEntry } from './commands.ts';
import { commonOptions, GLOBAL_OPTIONS } from './options.ts';

const GROUPS = ['Connection', 'Host', 'Certificate', 'Safety', 'Docker CLI'] as const satisfies readonly Group[];

/** The first page: every command with its line; groups stand together, in the order of the list. */
export function renderOverview(program: string, commands: readonly CommandEntry[], columns: number): string {
  return [
    'Mutual TLS for remote Docker daemons: set up over SSH, checked, reversible, renewed before it expires.',
    '',
    `Usage: ${program} COMMAND [OPTION…]`,
    '',
    'Commands:',
    ...rows(
      commands.map(({ name, summary }) => [name, summary]),
      columns,
    ),
    '',
    'Options of every command:',
    ...optionRows(GLOBAL_OPTIONS, columns),
    '',
    `Start here:  ${program} setup root@HOST`,
    `One command: ${program} COMMAND --help`,
    '',
  ].join('\n');
}

/** The page of a group, for instance `rotate`. */
export function renderGroup(program: string, group: string, entries: readonly CommandEntry[], columns: number): string {
  return [
    `Usage: ${program} ${group} COMMAND [OPTION…]`,
    '',
    'Commands:',
    ...rows(
      entries.map(({ name, summary }) => [name, summary]),
      columns,
    ),
    '',
    `One command: ${program} ${group} COMMAND --help`,
    '',
  ].join('\n');
}

/** The page of one command. */
export function renderCommand(program: string, command: Command, columns: number): string {
  const args = Object.entries(command.args);
  const lines = [`Usage: ${[program, command.name, ...usageWords(command)].join(' ')}`, '', `${command.summary}.`];
  if (command.about) lines.push('', ...command.about.split('\n').flatMap((line) => wrapText(line, columns)));
  if (args.length > 0) {
    lines.push(
      '',
      'Arguments:',
      ...rows(
        args.map(([name, spec]) => [name.toUpperCase(), withChoices(spec.summary, spec.choices)]),
        columns,
      ),
    );
  }
  const shown = Object.entries(command.options).filter(([, { hidden }]) => !hidden);
  // What has no heading is what this command is about.
  for (const group of [undefined, ...GROUPS]) {
    const own = Object.fromEntries(shown.filter(([, spec]) => spec.group === group));
    if (Object.keys(own).length > 0) lines.push('', `${group ?? 'Options'}:`, ...optionRows(own, columns));
  }
  lines.push('', 'Options of every command:', ...optionRows(commonOptions(command), columns));
  if (command.examples) lines.push('', 'Examples:', ...command.examples.map((line) => `  ${line}`));
  return `${lines.join('\n')}\n`;
}

function usageWords(command: Command): string[] {
  return [...argumentWords(command.args), '[OPTION…]'];
}

function argumentWords(args: ArgumentSpecs): string[] {
  return Object.entries(args).map(([name, spec]) => {
    const word = `${name.toUpperCase()}${spec.many ? '…' : ''}`;
    return spec.required ? word : `[${word}]`;
  });
}

function optionRows(options: OptionSpecs, columns: number): string[] {
  return rows(
    Object.entries(options)
      .filter(([, spec]) => !spec.hidden)
      .map(([key, spec]) => [optionWord(key, spec), spec.summary]),
    columns,
  );
}

function optionWord(key: string, spec: OptionSpec): string {
  const word = spec.kind === 'choice' ? spec.choices.join('|') : spec.kind === 'duration' ? 'TIME' : 'VALUE';
  const value = spec.kind === 'flag' ? '' : ` ${spec.value ?? word}`;
  return `${spec.short ? `-${spec.short}, ` : '    '}${optionFlag(key)}${value}${spec.kind === 'list' ? '…' : ''}`;
}

function withChoices(summary: string, choices: readonly string[] | undefined): string {
  return choices && choices.length > 0 ? `${summary}: ${choices.join(', ')}` : summary;
}

/** Two columns, the second wrapped; a first column that is too wide gets a line of its own. */
function rows(pairs: readonly (readonly [string, string])[], columns: number): string[] {
  const width = Math.min(30, Math.max(0, ...pairs.map(([left]) => left.length)));
  return pairs.flatMap(([left, right]) => {
    const [first = '', ...rest] = wrapText(right, Math.max(30, columns - width - 4));
    const indent = ' '.repeat(width + 4);
    const body = rest.map((line) => indent + line);
    return left.length > width
      ? [`  ${left}`, indent + first, ...body]
      : [`  ${padText(left, width)}  ${first}`, ...body];
  });
}
