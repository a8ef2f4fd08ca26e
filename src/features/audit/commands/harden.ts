/** `harden [HOST…]`: adds fixes to hosts that are set up, with the usual plan, apply, verify and rollback. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { FILE, RUN_OPTIONS } from '../../../cli/host-options.ts';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import type { Prompts } from '../../../core/actions/ask.ts';
import { type HostsOptions, openHosts } from '../../../core/actions/open-hosts.ts';
import type { Changed } from '../../../core/actions/results.ts';
import { hostsIntent } from '../../../core/domain/trust/wanted-hosts.ts';
import { hangText } from '../../../core/domain/words.ts';
import { change } from '../../../core/engine/change.ts';
import type { ChangeDocument } from '../../../core/render/change-document.ts';
import { type RenderContext, renderChange } from '../../../core/render/change-result.ts';
import { coloursOf } from '../../../core/render/colours.ts';
import { costLines } from '../../../core/render/host-outcome.ts';
import { renderTable, tableWidth } from '../../../core/render/table.ts';
import { usage } from '../../../errors/errors.ts';
import { checkReport } from '../adapters/report-file.ts';
import type { FixName } from '../domain/fix-names.ts';
import { type Fix, NEVER, needsYes, type Risk } from '../domain/fixes.ts';
import {
  FIXES,
  leftOutOn,
  leftOutWords,
  PROFILE_AUTH_TRIES,
  PROFILES,
  profilesOf,
  UNLISTED_PROFILES,
} from '../domain/hardening/hardening.ts';
import {
  BANNER_EXAMPLE,
  bannerProblem,
  fixesByFlags,
  type HardenFlags,
  hardenedHost,
  unmadeWords,
} from '../domain/hardening/hardening-choice.ts';
import { PACKAGES } from '../domain/packages.ts';
import type { Subject } from '../domain/report/report.ts';
import { type ScoreDocument, scoreDocument } from '../domain/report/report-document.ts';
import { auditOf } from '../engine/harden-host.ts';
import { addPackages, type HostPackages, refusePackages } from './harden-packages.ts';
import { auditNow, type HardenedScores, scoresOf, scoreTable, writeHardenReport } from './harden-report.ts';

/** With --list the fixes, otherwise the change or its plan. */
export type HardenDocument =
  | HardenListDocument
  | (ChangeDocument & {
      /** The requested fixes. */
      readonly fixes: readonly string[];
      /** Installed, or in a dry run to be installed. */
      readonly packages: readonly HostPackagesDocument[];
      /** Fixes skipped because of their cost. */
      readonly skippedFixes: readonly string[];
      /** Before and after the change; a score is absent if the host was not audited then. None in a dry run. */
      readonly scores: readonly {
        readonly host: string;
        readonly before?: ScoreDocument;
        readonly after?: ScoreDocument;
      }[];
      /** Path of the report. */
      readonly report?: string;
    });

type HostPackagesDocument = {
  readonly host: string;
  /** In the host's order, with dependencies; sizes in bytes. */
  readonly packages: readonly {
    readonly name: string;
    readonly version: string;
    readonly download: number;
    readonly disk: number;
  }[];
  /** Requested packages that are there already. */
  readonly present: readonly string[];
  readonly warnings: readonly string[];
};

type HardenListDocument = {
  readonly fixes: readonly {
    readonly name: string;
    readonly title: string;
    /** `high`: it breaks existing access. */
    readonly risk: 'none' | 'low' | 'high';
    /** What users of the host lose. */
    readonly cost?: string;
    readonly profiles: readonly string[];
    /** Needs `--accept NAME`. */
    readonly needsAccept: boolean;
  }[];
  readonly packages: readonly { readonly name: string; readonly title: string; readonly risk: string }[];
  /** Settings that no fix makes. */
  readonly never: readonly { readonly setting: string; readonly why: string }[];
};

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    'Fixes that can break existing access need --accept NAME (--list: which, and what each costs). A later apply keeps the fixes; rollback and remove undo them.',
  examples: [
    'docker-tls harden build-1 --profile minimal --dry-run',
    'docker-tls harden build-1 --accept icc --keep-docker-group ci --yes',
  ],
  args: { hosts: { summary: 'hosts (default: all)', many: true, completes: 'host' } },
  options: {
    ...RUN_OPTIONS,
    only: { kind: 'list', value: 'FIX', summary: 'only these fixes' },
    profile: {
      kind: 'choice',
      choices: PROFILES,
      unlisted: UNLISTED_PROFILES,
      summary: 'set of fixes (default: cis)',
    },
    accept: { kind: 'list', value: 'FIX', summary: 'accept what this fix costs (see --list)' },
    install: { kind: 'list', value: 'PACKAGE', summary: 'install this package (see --list)' },
    keepDockerGroup: { kind: 'list', value: 'USER', summary: 'this user stays in the docker group' },
    maxAuthTries: {
      kind: 'number',
      min: 1,
      max: 99,
      value: 'N',
      summary: 'MaxAuthTries (default: 4; 3 with profile lynis)',
    },
    banner: { kind: 'text', value: 'TEXT', summary: 'the words of the fix banner, in one line' },
    report: { ...FILE, summary: 'write before, after and what it cost as HTML' },
    list: { kind: 'flag', summary: 'show the fixes and their costs; needs no host' },
  },
  async run(context) {
    const { args, options } = context;
    return options.list ? renderFixes(context) : renderHardened(await harden(context, args.hosts, options), context);
  },
});

type HardenOptions = HostsOptions &
  HardenFlags & { readonly keepDockerGroup: readonly string[]; readonly report?: string | undefined };

type Hardened = {
  readonly changed: Changed;
  readonly fixes: readonly FixName[];
  readonly packages: readonly HostPackages[];
  /** Fixes skipped because of their cost. */
  readonly leftOut: readonly Fix[];
  /** Other requested fixes that were not applied. */
  readonly unmade: readonly string[];
  /** Path of the report. */
  readonly report: string | undefined;
  /** None in a dry run. */
  readonly scores: readonly HardenedScores[];
};

async function harden(context: ActionContext, names: readonly string[], options: HardenOptions): Promise<Hardened> {
  const { profile = 'cis', report, install } = options;
  refusePackages(install, options.accept, context.global.yes && !context.global.dryRun);
  const { fixes, ...choice } = fixesByFlags(options);
  const banner = await bannerText(options, fixes, context.prompts);
  const tries = fixes.includes('sshd') ? PROFILE_AUTH_TRIES[profile] : undefined;
  const maxAuthTries = options.maxAuthTries ?? tries;
  const settings = { keepInDockerGroup: options.keepDockerGroup, maxAuthTries, banner };
  const { run, request, state } = await openHosts(context, names, options);
  const hosts = request.hosts.map((spec) => hardenedHost(spec, state, fixes, settings));
  if (report !== undefined && run.dryRun)
    throw usage('--report is of a change that was made: not with --dry-run', ['docker-tls audit --out FILE.html']);
  if (report !== undefined) await checkReport(report, run.runtime.cwd);
  const packages = install.length === 0 ? [] : await addPackages(context, hosts, install, options.accept, run);
  const lynis = report !== undefined;
  let before: readonly Subject[] | undefined;
  const changed = await change(hostsIntent({ ...request, reason: 'harden', hosts, addHardening: true }), {
    ...run,
    // After the yes: its probes make certificates.
    async beforeChange(planned) {
      const opened = new Map(planned.flatMap((one) => (one.kind === 'done' ? [[one.host, one.value.opened]] : [])));
      before = await auditNow(run, state, hosts, { lynis, factsOf: (host) => auditOf(opened.get(host)) });
    },
  });
  const plans = [...changed.results, ...(changed.planned?.hosts ?? [])].flatMap((one) =>
    one.kind === 'done' ? [one.value.plan] : [],
  );
  const leftOut = leftOutOn(
    choice.leftOut,
    hosts.map(({ name, harden }) => ({ entries: harden, unmade: plans.find(({ host }) => host === name)?.unmade })),
  );
  const after = run.dryRun ? [] : await auditNow(run, changed.state, hosts, { lynis });
  // No host was to change.
  before ??= after;
  const saved =
    report === undefined ? undefined : await writeHardenReport({ out: report, run, before, after, changed, leftOut });
  const unmade = unmadeWords(hosts, fixes, options.maxAuthTries);
  return { changed, fixes, packages, leftOut, unmade, report: saved, scores: scoresOf(before, after) };
}

/** The owner decides the text: without a text, no banner. */
async function bannerText(
  { banner, only }: HardenFlags,
  fixes: readonly FixName[],
  prompts: Prompts,
): Promise<string | undefined> {
  if (banner !== undefined || !fixes.includes('banner') || !(only.includes('banner') || prompts.interactive))
    return banner;
  return prompts.input({
    message: 'Text of the banner',
    default: BANNER_EXAMPLE,
    validate: bannerProblem,
    flag: '--banner TEXT',
    typedAs: (text) => ['--banner', text],
  });
}

const RISK_WORDS: Readonly<Record<Risk, string>> = { none: 'none', low: 'low', yes: '--accept' };

export function renderHardened(
  { changed, fixes, packages, leftOut, unmade, report, scores }: Hardened,
  around: RenderContext,
): CommandResult<HardenDocument> {
  const { io } = around.runtime;
  const { result, text, ...rest } = renderChange(changed, around);
  const costs = changed.results.flatMap((one) => (one.kind === 'done' ? costLines(one.value) : []));
  const lines = [...costs, ...leftOut.map(leftOutWords), ...unmade].map((line) =>
    coloursOf(io).yellow(hangText(line, tableWidth(io), 2)),
  );
  const compared = scores.length === 0 ? [] : ['', scoreTable(scores, tableWidth(io))];
  const installs = packages.flatMap(({ host, lines: [first = '', ...more], warnings }) => [
    ...[`${host}: ${first}`, ...more],
    ...warnings,
  ]);
  const warned = packages.flatMap(({ host, warnings }) => warnings.map((warning) => `${host}: ${warning}`));
  return {
    ...rest,
    result: {
      fixes,
      packages: packages.map(hostPackagesDocument),
      skippedFixes: leftOut.map((fix) => fix.name),
      ...result,
      scores: scores.map(({ host, before, after }) => ({
        host,
        before: before && scoreDocument(before),
        after: after && scoreDocument(after),
      })),
      report,
    },
    attention: [...warned, rest.attention ?? ''].filter((part) => part !== '').join('\n'),
    text: [
      ...installs,
      text,
      ...lines,
      ...compared,
      ...(report === undefined ? [] : [`The report is in ${report}`]),
    ].join('\n'),
  };
}

function hostPackagesDocument({ host, install, present, warnings }: HostPackages): HostPackagesDocument {
  const packages = install.map(({ name, version, download, disk }) => ({ name, version, download, disk }));
  return { host, packages, present, warnings };
}

function renderFixes({ runtime }: RenderContext): CommandResult<HardenListDocument> {
  const columns = tableWidth(runtime.io);
  const fixes = FIXES.map((fix) => ({
    ...fix,
    profiles: profilesOf(fix.name),
    needsYes: needsYes(fix.name),
  }));
  const table = renderTable(
    [{ title: 'FIX' }, { title: 'RISK' }, { title: 'PROFILES' }, { title: 'WHAT IT DOES', wraps: true }],
    fixes.map(({ name, risk, profiles, title }) => [
      name,
      RISK_WORDS[risk],
      profiles.filter((profile) => !UNLISTED_PROFILES.includes(profile)).join(', '),
      title,
    ]),
    { columns, titleStyle: coloursOf(runtime.io).dim },
  );
  const costs = fixes.flatMap(({ name, cost }) =>
    cost === undefined ? [] : [`    ${hangText(`${name}: ${cost}`, columns, 6)}`],
  );
  const never = NEVER.map(({ setting, why }) => `    ${hangText(`${setting}: ${why}`, columns, 6)}`);
  const packages = PACKAGES.map(({ name, title, risk }) => `    ${hangText(`${name}: ${title}; ${risk}`, columns, 6)}`);
  return {
    exit: 0,
    result: {
      fixes: fixes.map(({ name, title, risk, cost, profiles, needsYes: needsAccept }) => {
        return { name, title, risk: risk === 'yes' ? 'high' : risk, cost, profiles, needsAccept };
      }),
      packages: PACKAGES.map(({ name, title, risk }) => ({ name, title, risk })),
      never: NEVER.map(({ setting, why }) => ({ setting, why })),
    },
    text: [
      table,
      'costs for users of the host:',
      ...costs,
      'packages, by --install PACKAGE --accept PACKAGE only:',
      ...packages,
      'never, by no fix and no profile:',
      ...never,
    ].join('\n'),
  };
}
