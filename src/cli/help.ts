/** Owns the help texts: the commands' data, laid out by commander. Pure. */

import { Help, type Option, Command as Page } from 'commander';
import type { Group } from '../domain/settings.ts';
import type { Command } from './command.ts';
import type { CommandEntry } from './commands.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';
import { createParser, parserOption } from './options.ts';

/** The headings of a page, in their order; what has none is what the command is about. */
export const GROUPS: readonly string[] = [
  'Options',
  'Hosts',
  'Connection',
  'Host',
  'Certificate',
  'Docker CLI',
  'Secrets',
  'Safety',
  'Output',
] satisfies (Group | 'Options')[];
/** Groups that `setup` explains: on the pages of other commands the names of their options are enough. */
export const SHORT: readonly string[] = ['Connection', 'Secrets', 'Output'] satisfies Group[];

/** The first page: every command with its line; each group in one place, in the order of the list. */
export function renderOverview(program: string, commands: readonly CommandEntry[], columns: number): string {
  const page = listPage(program, commands).description(
    'Mutual TLS for remote Docker daemons: set up over SSH, checked, reversible, renewed before it expires.',
  );
  for (const [key, spec] of Object.entries(GLOBAL_OPTIONS)) page.addOption(parserOption(key, spec));
  const next = [`Start here:  ${program} setup root@HOST`, `One command: ${program} COMMAND --help`];
  return render(page, columns, next, `${program} setup --help`);
}

/** The page of a group, for instance `rotate`. */
export function renderGroup(program: string, group: string, entries: readonly CommandEntry[], columns: number): string {
  return render(listPage(program, entries, group), columns, [`One command: ${program} ${group} COMMAND --help`]);
}

/** The page of one command. */
export function renderCommand(program: string, command: Command, columns: number, alias?: string): string {
  const page = createParser(command, `${program} ${command.name}`)
    .usage([...argumentWords(command), '[OPTION…]'].join(' '))
    .description(
      [
        `${command.summary}.`,
        ...(command.about ? ['', command.about] : []),
        ...(alias ? ['', `The same: ${program} ${alias}`] : []),
      ].join('\n'),
    );
  const { name, examples = [] } = command;
  const after = examples.length > 0 ? ['Examples:', ...examples.map((line) => `  ${line}`)] : [];
  return render(page, columns, after, name === 'setup' ? undefined : `${program} setup --help`);
}

function listPage(program: string, entries: readonly CommandEntry[], group?: string): Page {
  const page = new Page(group === undefined ? program : `${program} ${group}`);
  page.helpOption(false).helpCommand(false).usage('COMMAND [OPTION…]');
  for (const { name, summary } of entries) page.addCommand(new Page(name).description(summary));
  return page;
}

export function argumentWords({ args }: Command): string[] {
  return Object.entries(args).map(([name, { many, required }]) => {
    const word = `${name.toUpperCase()}${many ? '…' : ''}`;
    return required ? word : `[${word}]`;
  });
}

/** `-i, --identity FILE…`; what has no letter is where the names of the others are. */
export function optionTerm({ flags, short, parseArg }: Option): string {
  return `${short ? '' : '    '}${flags.replace(/[<>]/g, '')}${parseArg ? '…' : ''}`;
}

export function groupOf({ helpGroupHeading = '' }: Option): string {
  return helpGroupHeading.replace(/:$/, '');
}

/** `explained`: the command whose page explains the groups in SHORT; undefined: this one. A page of commands explains no option. */
function render(page: Page, columns: number, after: readonly string[], explained?: string): string {
  const layout = new Help();
  layout.helpWidth = columns;
  const all = (page.options as Option[]).sort((a, b) => GROUPS.indexOf(groupOf(a)) - GROUPS.indexOf(groupOf(b)));
  const shown = all.filter(({ hidden }) => !hidden);
  const brief = (option: Option): boolean =>
    explained !== undefined && (page.commands.length > 0 || SHORT.includes(groupOf(option)));
  const paragraphs = GROUPS.flatMap((group) => {
    const flags = shown.filter((option) => brief(option) && groupOf(option) === group).map(({ long }) => long);
    return flags.length > 0 ? [layout.formatItem(`${group}:`, 11, flags.join(', '), layout).slice(2)] : [];
  });
  page.configureHelp({
    helpWidth: columns,
    subcommandTerm: (sub) => sub.name(),
    argumentTerm: (argument) => argument.name().toUpperCase(),
    optionTerm,
    visibleOptions: () => shown.filter((option) => !brief(option)),
  });
  const more = paragraphs.length > 0 ? [...paragraphs, `  (see ${explained})`, ''] : [];
  return `${[page.helpInformation().trimEnd(), '', ...more, ...after].join('\n').trimEnd()}\n`;
}
