/** The common options, which commands take them, and a scan of the arguments before parsing that loads no library. */

import { optionFlag } from '../core/domain/option-flag.ts';
import { FLEET_FILES } from '../core/seams/fleet-files.ts';
import { offered } from '../core/seams/seam.ts';
import { SHARED_STORE } from '../core/seams/stores.ts';
import type { Command, OptionSpec, OptionSpecs, Scope } from './command.ts';

export const GLOBAL_OPTIONS = {
  ...offered(FLEET_FILES, {
    file: {
      kind: 'text',
      group: 'Hosts',
      short: 'f',
      value: 'FILE',
      summary: 'the fleet file (fleet.yaml)',
      completes: 'file',
    },
  } as const),
  json: { kind: 'flag', group: 'Output', summary: 'one JSON document on stdout' },
  yes: { kind: 'flag', group: 'Safety', short: 'y', summary: 'answer yes to every question; never prompt' },
  dryRun: { kind: 'flag', group: 'Safety', summary: 'show the changes without making them' },
  parallel: {
    kind: 'number',
    group: 'Hosts',
    value: 'N',
    min: 1,
    max: 1000,
    summary: 'hosts at the same time (default: 10 per CPU)',
  },
  home: {
    kind: 'text',
    group: 'Output',
    value: 'DIR',
    summary: 'the store (default: DOCKER_TLS_HOME, ~/.docker/tls)',
    completes: 'directory',
  },
  ...offered(SHARED_STORE, {
    store: {
      kind: 'text',
      group: 'Output',
      value: 'URL',
      summary: 'a store that a team shares, such as git+ssh://… or etcd://… (default: DOCKER_TLS_STORE)',
    },
    trustStoreSettings: {
      kind: 'list',
      group: 'Output',
      value: 'ID',
      summary:
        'accept settings of a shared store that this computer would follow, by the id that a plan or an error shows',
    },
  } as const),
  log: { kind: 'text', group: 'Output', value: 'FILE', summary: 'append what happens, with times', completes: 'file' },
  diff: { kind: 'flag', group: 'Output', summary: 'plans with the content of every file; never a secret' },
  quiet: {
    kind: 'flag',
    group: 'Output',
    short: 'q',
    summary: 'only errors, and findings that need attention (for cron and CI)',
  },
  noColor: { kind: 'flag', group: 'Output', summary: 'no colours (also NO_COLOR)' },
  verbose: { kind: 'flag', group: 'Output', short: 'v', summary: 'say more: every host of a plan, the stack of a bug' },
  help: { kind: 'flag', group: 'Output', short: 'h', summary: 'show help' },
} as const satisfies OptionSpecs;

type CommonOption = keyof typeof GLOBAL_OPTIONS;

/** The scopes in which a common option applies, and the error text elsewhere; options not listed apply everywhere. */
export const MEANS_SOMETHING_FOR: Readonly<
  Partial<Record<CommonOption, { readonly scopes: readonly Scope[]; readonly otherwise: string }>>
> = {
  file: { scopes: ['fleet'], otherwise: 'reads no fleet file' },
  yes: { scopes: ['changes'], otherwise: 'changes nothing' },
  dryRun: { scopes: ['changes'], otherwise: 'changes nothing' },
  parallel: { scopes: ['hosts'], otherwise: 'does not reach several hosts' },
  home: { scopes: ['store'], otherwise: 'opens no store' },
  store: { scopes: ['store'], otherwise: 'opens no store' },
  trustStoreSettings: { scopes: ['changes', 'hosts', 'host'], otherwise: 'changes nothing and reaches no host' },
  log: { scopes: ['hosts', 'host'], otherwise: 'reaches no host' },
  diff: { scopes: ['plans'], otherwise: 'shows no plan of a host' },
};

/** Facts known before the command is: output form, colour, and the words that may name the command. */
export type Glance = {
  readonly json: boolean;
  readonly colour: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
  readonly help: boolean;
  /** Position in argv of the word directly behind `--help`. */
  readonly behindHelp: number | undefined;
  readonly version: boolean;
  /** The values of --home and --store, as typed. */
  readonly home: string | undefined;
  readonly store: string | undefined;
  /**
   * Positions in argv of the first words that are neither options nor values of the common options: at most four, `help`, the two words of
   * a command, and a topic. Values of the command's own options are among them: which options take a value is known only later.
   */
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
  for (let index = 0; index < open.length && words.length < 4; index += 1) {
    const word = open[index] as string;
    if (valued.has(word)) index += 1;
    else if (!word.startsWith('-') || word === '-') words.push(index);
  }
  const given = (flag: string) => {
    const at = open.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`));
    return (open[at] === flag ? open[at + 1] : open[at]?.slice(flag.length + 1)) || undefined;
  };
  const helpAt = open.findIndex((word) => word === '--help' || word === '-h');
  const behind = helpAt < 0 ? undefined : open[helpAt + 1];
  const before = words[0] === undefined ? open : open.slice(0, words[0]);
  return {
    json: open.includes('--json'),
    colour: !open.includes('--no-color'),
    verbose: open.includes('-v') || open.includes('--verbose'),
    quiet: open.includes('-q') || open.includes('--quiet'),
    help: helpAt >= 0,
    behindHelp: behind === undefined || behind.startsWith('-') ? undefined : helpAt + 1,
    version: before.includes('--version') || before.includes('-V') || (open.length === 1 && open[0] === '-v'),
    home: given('--home'),
    store: given('--store'),
    words,
  };
}

/** Every option of a command: its own, and the common ones in its scope. */
export function commandOptions({ scope, options }: Pick<Command, 'scope' | 'options'>): OptionSpecs {
  const common = Object.entries<OptionSpec>(GLOBAL_OPTIONS).filter(([key]) => {
    const scopes = MEANS_SOMETHING_FOR[key as keyof typeof GLOBAL_OPTIONS]?.scopes;
    return scopes === undefined || scopes.some((one) => scope.includes(one));
  });
  return { ...Object.fromEntries(common), ...options };
}

/** The choices that help and completion offer. */
export function listedChoices(spec: OptionSpec): readonly string[] {
  return spec.kind === 'choice' ? spec.choices.filter((choice) => !spec.unlisted?.includes(choice)) : [];
}
