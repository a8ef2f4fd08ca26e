/**
 * The command reference: docs/lists/reference.md and the man pages, made from the commands as commander has them. Pure.
 * Man pages: `node scripts/generate-man.mjs DIR`. The page in docs/: `UPDATE_DOCS=1 npx vitest run test/core/unit/docs-links.test.ts`.
 */

import '../src/features.ts';

import type { Option, Command as Parser } from 'commander';
import type { Command, CommandEntry } from '../src/cli/command.ts';
import { COMMANDS, commandGroups } from '../src/cli/commands.ts';
import { GLOBAL_OPTIONS } from '../src/cli/global-options.ts';
import { argumentWords, EXPLAINED_BY, HELP_GROUPS, helpGroup, optionTerm } from '../src/cli/help.ts';
import { createParser, parserOption } from '../src/cli/options.ts';
import { offeredWords } from '../src/core/seams/seam.ts';
import { SETTING_PLACES } from '../src/core/seams/setting-places.ts';

/** A command beside its parser, from which its options and arguments are read. */
export type ReferencePage = {
  readonly command: Command;
  readonly parser: Parser;
  readonly entry: CommandEntry;
};

const EXIT_STATUSES: readonly (readonly [string, string])[] = [
  ['0', 'done, or nothing to do'],
  ['1', 'a bug in docker-tls, or the output could not be written'],
  [
    '2',
    `the command line${offeredWords(SETTING_PLACES, ', the fleet file')} or an answer is wrong; nothing was changed`,
  ],
  ['3', 'a check found something (such as --check), or the change needs an explicit yes'],
  ['4', 'a host is unreachable or unsuitable'],
  ['5', 'the change failed on a host and was rolled back'],
  ['6', 'the change failed on a host, and so did its rollback'],
  ['7', 'verification failed'],
  ['130', 'interrupted'],
];

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['DOCKER_TLS_HOME', 'the store, where --home is not given'],
  ['DOCKER_TLS_CA_PASSPHRASE', 'the passphrase of the CA key, where --ca-passphrase-file is not given'],
  ['DOCKER_CONFIG', 'the directory of the Docker CLI (default: ~/.docker); the store is its subdirectory tls'],
  ['NO_COLOR', 'no colours'],
];

/** Every command of the list, loaded, in the order of the groups: what the two renderers take. */
export async function loadReference(entries: readonly CommandEntry[] = COMMANDS): Promise<ReferencePage[]> {
  const pages = await Promise.all(
    entries.map(async (entry) => {
      const command = await entry.load();
      return { command, entry, parser: createParser(command, `docker-tls ${command.name}`) };
    }),
  );
  // A feature's commands come last in the list, even those of a group of the core.
  return groupsOf(pages).flatMap((group) => group.pages);
}

/** The groups of the first page, the commands without one first. */
function groupsOf(pages: readonly ReferencePage[]) {
  const groups = commandGroups(pages.map(({ entry }) => entry)).map(({ name, entries }) => ({
    name,
    pages: pages.filter(({ entry }) => entries.includes(entry)),
  }));
  const others = pages.filter((page) => !groups.some((group) => group.pages.includes(page)));
  // A feature's command of a verb of the core stands beside the others of that verb.
  const verbs = others.map(({ entry }) => entry.name.split(' ')[0]);
  const verb = ({ entry }: ReferencePage) => verbs.indexOf(entry.name.split(' ')[0]);
  return [{ name: 'first', pages: others.toSorted((a, b) => verb(a) - verb(b)) }, ...groups].filter(
    (group) => group.pages.length > 0,
  );
}

/** The options that are shown, in the order of their groups. */
function optionsIn({ parser }: ReferencePage): Option[] {
  const shown = (parser.options as Option[]).filter(({ hidden }) => !hidden);
  return shown.sort((a, b) => HELP_GROUPS.indexOf(helpGroup(a)) - HELP_GROUPS.indexOf(helpGroup(b)));
}

function usageOf({ command }: ReferencePage): string {
  return ['docker-tls', command.name, ...argumentWords(command), '[OPTION…]'].join(' ');
}

/** Described once, after the commands. */
const SHARED = Object.keys(EXPLAINED_BY);

/** docs/lists/reference.md. */
export function renderReference(pages: readonly ReferencePage[]): string {
  const shared = SHARED.flatMap((group) => {
    const options = new Map<string, Option>();
    for (const option of pages.flatMap(optionsIn)) if (helpGroup(option) === group) options.set(option.flags, option);
    return ['', `### ${group}`, '', ...optionTable([...options.values()])];
  });
  return `${[
    '# Command reference',
    '',
    'Every command and option, as `docker-tls COMMAND --help` and the man pages (`man docker-tls-setup`) have them. As a plugin of the docker CLI the',
    `commands are \`docker tls …\`. Exit statuses are in [errors](errors.md),${offeredWords(SETTING_PLACES, '<!-- fleet --> the fleet file in [fleet](../fleet.md),<!-- /fleet -->')} the documents of \`--json\` in`,
    '[JSON](../json.md).',
    '',
    '| group | commands |',
    '|---|---|',
    ...groupsOf(pages).map(
      (group) =>
        `| ${group.name} | ${group.pages.map(({ command }) => `[${command.name}](#${slug(command.name)})`).join(', ')} |`,
    ),
    ...pages.flatMap(commandSection),
    '',
    '## Options of several commands',
    ...shared,
  ].join('\n')}\n`;
}

function commandSection(page: ReferencePage): string[] {
  const { command } = page;
  const { alias } = page.entry;
  const { about, examples } = textOf(command);
  const options = optionsIn(page);
  const own = options.filter((option) => !SHARED.includes(helpGroup(option)));
  const brief = SHARED.filter((group) => options.some((option) => helpGroup(option) === group));
  const links = brief.map((group) => `[${group}](#${slug(group)})`).join(', ');
  const args = Object.entries(command.args).map(
    ([name, { summary, choices }]) =>
      `| \`${name.toUpperCase()}\` | ${cell(choices ? `${summary}: ${choices.join(', ')}` : summary)} |`,
  );
  return [
    '',
    `## ${command.name}`,
    '',
    `${prose(command.summary)}.`,
    ...about.flatMap((line) => ['', prose(line)]),
    ...(alias ? ['', `The same: \`docker-tls ${alias}\`.`] : []),
    '',
    `    ${usageOf(page)}`,
    ...(args.length + own.length > 0 ? ['', '| | |', '|---|---|', ...args, ...own.map(optionRow)] : []),
    ...(links === '' ? [] : ['', `Options for ${links}.`]),
    ...(examples.length > 0 ? ['', 'Examples:', '', ...examples.map((line) => `    ${line}`)] : []),
  ];
}

/** Its own paragraphs and examples, then those of its topics. */
function textOf({ about = '', examples = [], topics = {} }: Command) {
  const more = Object.entries(topics);
  return {
    about: [...about.split('\n'), ...more.map(([name, topic]) => `${name}: ${topic.about}`)].filter(
      (line) => line !== '',
    ),
    examples: [...examples, ...more.flatMap(([, topic]) => topic.examples)],
  };
}

function optionTable(options: readonly Option[]): string[] {
  return ['| option | |', '|---|---|', ...options.map(optionRow)];
}

function optionRow(option: Option): string {
  return `| \`${optionTerm(option).trim().replaceAll('|', '\\|')}\` | ${cell(option.description)} |`;
}

/** GitHub's anchor of a heading. */
function slug(heading: string): string {
  return heading.toLowerCase().replaceAll(' ', '-');
}

/** Markdown's own characters as they are meant. */
function prose(text: string): string {
  return text.replace(/[<>*_`[\]\\]/g, '\\$&');
}

function cell(text: string): string {
  return prose(text).replaceAll('|', '\\|');
}

/** The man pages by file name: docker-tls.1, and one for each command. */
export function renderManPages(pages: readonly ReferencePage[], version: string): ReadonlyMap<string, string> {
  const names = pages.map(({ command }) => pageName(command.name));
  return new Map([
    ['docker-tls.1', overviewPage(pages, version)],
    ...pages.map((page, index): [string, string] => [`${names[index]}.1`, commandPage(page, version)]),
  ]);
}

function pageName(command: string): string {
  return `docker-tls-${command.replaceAll(' ', '-')}`;
}

function title(name: string, version: string): string[] {
  return [
    '.\\" Made from the commands by scripts/reference.ts.',
    `.TH ${roff(name.toUpperCase())} 1 "" "docker\\-tls ${roff(version)}" "docker\\-tls"`,
  ];
}

function overviewPage(pages: readonly ReferencePage[], version: string): string {
  const common = Object.entries(GLOBAL_OPTIONS).map(([key, spec]) => parserOption(key, spec));
  return lines([
    ...title('docker-tls', version),
    '.SH NAME',
    'docker\\-tls \\- mutual TLS for remote Docker daemons',
    '.SH SYNOPSIS',
    '.B docker\\-tls',
    roff('COMMAND [OPTION…]'),
    '.br',
    '.B docker tls',
    roff('COMMAND [OPTION…]'),
    '.SH DESCRIPTION',
    roff(
      'docker-tls turns a Docker host that you can reach over SSH into a remote daemon protected by mutual TLS. It verifies the result from your machine, arms an automatic rollback on the host before it changes anything, and renews certificates before they expire.',
    ),
    '.PP',
    'Start with',
    '.BR docker\\-tls\\-setup (1).',
    '.SH COMMANDS',
    ...pages.flatMap(({ command }) => ['.TP', `.BR ${roff(pageName(command.name))} (1)`, roff(command.summary)]),
    '.SH OPTIONS',
    'Every command has these:',
    ...optionEntries(common),
    '.SH EXIT STATUS',
    ...EXIT_STATUSES.flatMap(([status, meaning]) => ['.TP', `.B ${status}`, roff(meaning)]),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, meaning]) => ['.TP', `.B ${roff(name)}`, roff(meaning)]),
    '.SH FILES',
    '.TP',
    `.I ${roff('~/.docker/tls')}`,
    'The store: CA, certificates, keys, and the records of hosts and clients.',
    '.SH SEE ALSO',
    '.BR docker (1),',
    '.BR ssh (1),',
    '.BR dockerd (8)',
  ]);
}

function commandPage(page: ReferencePage, version: string): string {
  const { command } = page;
  const { alias } = page.entry;
  const { about, examples } = textOf(command);
  const options = optionsIn(page);
  const paragraphs = [`${command.summary}.`, ...about, ...(alias ? [`The same: docker-tls ${alias}`] : [])];
  const args = Object.entries(command.args).flatMap(([name, { summary, choices }]) => [
    '.TP',
    `.I ${roff(name.toUpperCase())}`,
    roff(choices ? `${summary}: ${choices.join(', ')}` : summary),
  ]);
  const groups = HELP_GROUPS.flatMap((group) => {
    const entries = options.filter((option) => helpGroup(option) === group);
    return entries.length === 0
      ? []
      : [...(group === 'Options' ? [] : [`.SS ${roff(group)}`]), ...optionEntries(entries)];
  });
  return lines([
    ...title(pageName(command.name), version),
    '.SH NAME',
    `${roff(pageName(command.name))} \\- ${roff(command.summary)}`,
    '.SH SYNOPSIS',
    `.B ${roff(`docker-tls ${command.name}`)}`,
    roff([...argumentWords(command), '[OPTION…]'].join(' ')),
    '.SH DESCRIPTION',
    ...paragraphs.filter((text) => text !== '').flatMap((text, index) => [...(index > 0 ? ['.PP'] : []), roff(text)]),
    ...(args.length > 0 ? ['.SH ARGUMENTS', ...args] : []),
    '.SH OPTIONS',
    ...groups,
    ...(examples.length > 0 ? ['.SH EXAMPLES', '.nf', ...examples.map(roff), '.fi'] : []),
    '.SH SEE ALSO',
    '.BR docker\\-tls (1)',
  ]);
}

function optionEntries(options: readonly Option[]): string[] {
  return options.flatMap((option) => ['.TP', `.B ${roff(optionTerm(option).trim())}`, roff(option.description)]);
}

/** Text of one line of roff: nothing in it is taken as a request or an escape, and hyphens can be pasted (groff_man_style(7)). */
function roff(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('…', '...')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('"', '\\(dq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(
      /[^\u0000-\u007e]/gu,
      (letter) => `\\[u${letter.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
    );
  return escaped.startsWith('.') ? `\\&${escaped}` : escaped;
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
