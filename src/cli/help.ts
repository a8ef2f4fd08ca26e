/** Help texts: the commands' data, laid out by commander. Pure. */

import { Help, type Option, Command as Page } from 'commander';
import type { Group } from '../core/domain/setting.ts';
import type { CommandEntry, CommandPage } from './command.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';
import { createParser, parserOption } from './options.ts';

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

/** The first page: every command with its summary; each group in one place, in list order. */
export function renderOverview(program: string, commands: readonly CommandEntry[], columns: number): string {
  const page = listPage(program, commands).description(
    'Mutual TLS for remote Docker daemons: set up over SSH, checked, reversible, renewed before it expires.',
  );
  for (const [key, spec] of Object.entries(GLOBAL_OPTIONS)) page.addOption(parserOption(key, spec));
  const next = [`Start here:  ${program} setup root@HOST`, `One command: ${program} COMMAND --help`];
  return render(page, columns, next, { program });
}

/** The page of a group, for instance `rotate`. */
export function renderGroup(program: string, group: string, entries: readonly CommandEntry[], columns: number): string {
  return render(listPage(program, entries, group), columns, [`One command: ${program} ${group} COMMAND --help`]);
}

export function renderCommand(program: string, command: CommandPage, columns: number, alias?: string): string {
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
  return render(page, columns, after, { program, name });
}

function listPage(program: string, entries: readonly CommandEntry[], group?: string): Page {
  const page = new Page(group === undefined ? program : `${program} ${group}`);
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
