/** Help texts: the commands' data, laid out by commander. Pure. */

import { Help, type Option, Command as Page } from 'commander';
import { optionFlag } from '../core/domain/option-flag.ts';
import type { Group } from '../core/domain/setting.ts';
import type { CommandEntry, CommandPage } from './command.ts';
import { commandGroups, firstCommands, type ListedGroup } from './commands.ts';
import { createParser } from './options.ts';

/** The headings of a page, in order; options without a heading belong to the command's main subject. */
export const HELP_GROUPS: readonly string[] = [
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
/** Groups explained on one command's page; other pages list only the names of their options. */
export const EXPLAINED_BY: Readonly<Partial<Record<string, string>>> = {
  Hosts: 'apply',
  Connection: 'setup',
  Secrets: 'setup',
  Output: 'setup',
} satisfies Partial<Record<Group, string>>;

/** The first page: the commands of the first day, then the groups of the others, on at most 30 lines. */
export function renderOverview(
  program: string,
  commands: readonly CommandEntry[],
  { columns, sharedStore }: { readonly columns: number; readonly sharedStore: boolean },
): string {
  const page = listPage(program, firstCommands(commands)).description(
    'Mutual TLS for remote Docker daemons: set up over SSH, checked, reversible, renewed before it expires.',
  );
  const groups = commandGroups(commands).map(({ name, summary, shared, entries }) => [
    name,
    shared && !sharedStore ? summary : entries.map((entry) => entry.name.replace(/^(client|ca) /, '')).join(', '),
  ]);
  const width = Math.max(0, ...groups.map(([name = '']) => name.length));
  const layout = new Help();
  layout.helpWidth = columns;
  return render(page, columns, [
    `More commands (${program} help GROUP):`,
    ...groups.map(([name = '', text = '']) => layout.formatItem(name, width, text, layout)),
    '',
    `Start here:  ${program} setup root@HOST`,
    `One command: ${program} COMMAND --help; version: ${program} -V`,
  ]);
}

/** The page of a group, or of commands with the same first word, for instance `rotate`. */
export function renderGroup(
  program: string,
  { summary, entries }: Pick<ListedGroup, 'summary' | 'entries'>,
  columns: number,
): string {
  return render(listPage(program, entries).description(`${summary}.`), columns, [
    `One command: ${program} COMMAND --help`,
  ]);
}

/** `topic`: one of the command's; without it, its options are not shown. */
export function renderCommand(
  program: string,
  command: CommandPage,
  columns: number,
  { alias, topic }: { readonly alias?: string | undefined; readonly topic?: string | undefined } = {},
): string {
  const { about, examples = [] } = (topic === undefined ? undefined : command.topics?.[topic]) ?? command;
  const page = createParser(command, `${program} ${command.name}`)
    .usage([...argumentWords(command), '[OPTION…]'].join(' '))
    .description(
      [
        `${command.summary}.`,
        ...(about ? ['', about] : []),
        ...(alias ? ['', `The same: ${program} ${alias}`] : []),
      ].join('\n'),
    );
  for (const [key, { topics }] of Object.entries(command.options))
    if (topics !== undefined && (topic === undefined || !topics.includes(topic)))
      (page.options as Option[]).find(({ long }) => long === optionFlag(key))?.hideHelp();
  const { name, topics = {} } = command;
  const more = Object.keys(topics).map((one) => `  ${program} ${name} --help ${one}`);
  const after = examples.length > 0 ? ['Examples:', ...examples.map((line) => `  ${line}`)] : [];
  return render(
    page,
    columns,
    [...(topic === undefined && more.length > 0 ? ['More options:', ...more, ''] : []), ...after],
    { program, name },
  );
}

function listPage(program: string, entries: readonly Pick<CommandEntry, 'name' | 'summary'>[]): Page {
  const page = new Page(program);
  page.helpOption(false).helpCommand(false).usage('COMMAND [OPTION…]');
  for (const { name, summary } of entries) page.addCommand(new Page(name).description(summary));
  return page;
}

export function argumentWords({ args }: CommandPage): string[] {
  return Object.entries(args).map(([name, { many, required }]) => {
    const word = `${name.toUpperCase()}${many ? '…' : ''}`;
    return required ? word : `[${word}]`;
  });
}

/** `-i, --identity FILE…`; options without a letter align with the names of the others. */
export function optionTerm({ flags, short, parseArg }: Option): string {
  return `${short ? '' : '    '}${flags.replace(/[<>]/g, '')}${parseArg ? '…' : ''}`;
}

export function helpGroup({ helpGroupHeading = '' }: Option): string {
  return helpGroupHeading.replace(/:$/, '');
}

/** `program` and `name`: the command of the page. The first page explains no options, and a group's page lists none. */
function render(
  page: Page,
  columns: number,
  after: readonly string[],
  { program, name }: { readonly program?: string; readonly name?: string } = {},
): string {
  const layout = new Help();
  layout.helpWidth = columns;
  const all = (page.options as Option[]).sort(
    (a, b) => HELP_GROUPS.indexOf(helpGroup(a)) - HELP_GROUPS.indexOf(helpGroup(b)),
  );
  const shown = all.filter(({ hidden }) => !hidden);
  const explainer = (option: Option): string | undefined => {
    const other = EXPLAINED_BY[helpGroup(option)] ?? (page.commands.length > 0 ? 'setup' : undefined);
    return program === undefined || other === name ? undefined : other;
  };
  const brief = shown.filter((option) => explainer(option) !== undefined);
  const paragraphs = HELP_GROUPS.flatMap((group) => {
    const flags = brief.filter((option) => helpGroup(option) === group).map(({ long }) => long);
    return flags.length > 0 ? [layout.formatItem(`${group}:`, 11, flags.join(', '), layout).slice(2)] : [];
  });
  page.configureHelp({
    helpWidth: columns,
    subcommandTerm: (sub) => sub.name(),
    argumentTerm: (argument) => argument.name().toUpperCase(),
    optionTerm,
    visibleOptions: () => shown.filter((option) => !brief.includes(option)),
  });
  const pages = [...new Set(brief.map(explainer))].map((command) => `${program} ${command} --help`);
  const more = paragraphs.length > 0 ? [...paragraphs, `  (see ${pages.join(', ')})`, ''] : [];
  return `${[page.helpInformation().trimEnd(), '', ...more, ...after].join('\n').trimEnd()}\n`;
}
