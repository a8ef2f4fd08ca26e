/** Owns `harden [HOST…]`: makes fixes part of hosts that are set up, through the same plan, apply, verify, roll back. */

import { apply } from '../../actions/apply.ts';
import { type Fix, type FixName, NEVER, needsYes, type Risk } from '../../domain/audit/fixes.ts';
import { destinationWords, nameOf } from '../../domain/destination.ts';
import {
  chooseFixes,
  FIXES,
  leftOutOn,
  PROFILE_AUTH_TRIES,
  PROFILES,
  profilesOf,
  recordHardening,
} from '../../domain/plan/hardening.ts';
import { shellQuote } from '../../domain/quote.ts';
import { completeHost, type HostSpec } from '../../domain/settings.ts';
import { BANNER_TEXT } from '../../domain/values.ts';
import { hangText } from '../../domain/words.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';
import { auditNow, writeHardenReport } from '../harden-report.ts';
import { usage } from '../options.ts';
import type { Prompts } from '../prompts.ts';
import { renderChange } from '../render/change.ts';
import { coloursOf } from '../render/colours.ts';
import { costLines } from '../render/outcome.ts';
import { tableWidth } from '../render/table.ts';
import { openHosts, RUN_OPTIONS } from '../run.ts';

const BANNER_EXAMPLE =
  'Authorized users only. Use of this system is monitored and recorded. Unauthorized access is prohibited and may be prosecuted by law.';

const RISK_WORDS: Readonly<Record<Risk, string>> = { none: 'no risk', low: 'low risk', yes: 'takes a yes of its own' };

/** Measured on a lab host (a container) by scripts/lynis.mjs: 60 before. */
const PROFILE_SUMMARY =
  'a set of fixes (default: cis). Lynis index of a Debian 13 container, 60 fresh: minimal and cis 61, article 62, lynis 73 (77 with every --accept)';

export const command = defineCommand({
  name: 'harden',
  summary: 'Fix audit findings (planned, verified, rolled back on failure)',
  about:
    'Fixes that can break existing access are skipped unless you pass --accept NAME (--list says which, and what each costs). A later apply keeps the fixes; rollback and remove undo them.',
  examples: [
    'docker-tls harden build-1 --profile minimal --dry-run',
    'docker-tls harden build-1 --accept icc --keep-docker-group ci --yes',
  ],
  args: { hosts: { summary: 'hosts; default: all', many: true, completes: 'host' } },
  options: {
    ...RUN_OPTIONS,
    only: { kind: 'list', value: 'FIX', summary: 'only these fixes' },
    profile: {
      kind: 'choice',
      choices: PROFILES,
      value: 'NAME',
      summary: PROFILE_SUMMARY,
    },
    accept: { kind: 'list', value: 'FIX', summary: 'accept what this fix costs (see --list)' },
    keepDockerGroup: { kind: 'list', value: 'USER', summary: 'this user stays in the docker group' },
    maxAuthTries: {
      kind: 'number',
      min: 1,
      max: 99,
      value: 'N',
      summary: 'MaxAuthTries (default: 4; profile article: 2, lynis: 3)',
    },
    banner: { kind: 'text', value: 'TEXT', summary: 'the words of the fix banner, in one line' },
    report: {
      kind: 'text',
      value: 'FILE',
      summary: 'write before, after and what it cost as HTML',
      completes: 'file',
    },
    list: { kind: 'flag', summary: 'show the fixes and their costs; needs no host' },
  },
  async run(context) {
    const { args, options, global, runtime } = context;
    const columns = tableWidth(runtime.io);
    if (options.list) return listFixes(columns);
    const only = options.only.map((name) => fixNamed(name, '--only'));
    const choice = chooseFixes({
      only,
      profile: options.profile ?? 'cis',
      accepted: options.accept.map((name) => fixNamed(name, '--accept')),
    });
    if (choice.notChosen.length > 0)
      throw usage(`--accept ${choice.notChosen.join(',')}: not among the fixes that are chosen`, [
        `docker-tls harden --only ${choice.notChosen.join(',')} --accept ${choice.notChosen.join(',')}`,
        'docker-tls harden --list',
      ]);
    if (options.maxAuthTries !== undefined && !choice.fixes.includes('sshd'))
      throw usage('--max-auth-tries: the fix sshd, which it is about, is not among those that are chosen', [
        `docker-tls harden --only sshd --max-auth-tries ${options.maxAuthTries}`,
      ]);
    if (choice.fixes.length === 0)
      throw usage('no fix is left to make', [...choice.leftOut.map(leftOutWords), 'docker-tls harden --list']);
    const banner = await bannerText(options.banner, choice.fixes, only.includes('banner'), context.prompts);
    const tries = choice.fixes.includes('sshd') ? PROFILE_AUTH_TRIES[options.profile ?? 'cis'] : undefined;
    const settings = {
      keepInDockerGroup: options.keepDockerGroup,
      maxAuthTries: options.maxAuthTries ?? tries,
      banner,
    };
    const { run, request, state } = await openHosts(context, args.hosts, options);
    const hosts = request.hosts.map((spec) => {
      const record = state.hosts.get(spec.name)?.record;
      if (record === undefined) throw notSetUp(spec);
      const entries = [...(spec.harden ?? []), ...(record.harden ?? []), ...choice.fixes];
      // Another user of the same host may harden it: what is known of the host stays.
      const base = { ...completeHost(record), ...spec, address: spec.address };
      return { ...base, harden: recordHardening(entries, settings) };
    });
    const leftOut = leftOutOn(
      choice.leftOut,
      hosts.map(({ harden }) => harden),
    );
    const { report } = options;
    if (report !== undefined && global.dryRun)
      throw usage('--report is of a change that was made: not with --dry-run', ['docker-tls audit --out FILE.html']);
    const before = report === undefined ? [] : await auditNow(run, state, hosts);
    const changed = await apply({ ...request, reason: 'harden', hosts, addHardening: true }, run);
    const { result, text, ...rest } = renderChange(changed, context);
    const saved =
      report === undefined
        ? undefined
        : await writeHardenReport({
            ...{ out: report, run, before, changed, leftOut },
            after: await auditNow(run, changed.state, hosts),
          });
    const costs = changed.results.flatMap((one) => (one.kind === 'done' ? costLines(one.value) : []));
    const wordless = choice.fixes.includes('banner') && hosts.some(({ harden }) => !harden.includes('banner'));
    const unmade = [
      ...leftOut.map(leftOutWords),
      ...(wordless ? ['left out: banner, since its words are yours; to make it: --banner TEXT'] : []),
    ];
    const lines = [...costs, ...unmade].map((line) => coloursOf(runtime.io).yellow(hangText(line, columns, 2)));
    return {
      ...rest,
      result: {
        fixes: choice.fixes,
        leftOut: leftOut.map((fix) => fix.name),
        ...(result as object),
        ...(saved === undefined ? {} : { report: saved }),
      },
      text: [text, ...lines, ...(saved === undefined ? [] : [`The report is in ${saved}`])].join('\n'),
    };
  },
});

/** What it says is the owner's to decide: no text, no banner. */
async function bannerText(
  given: string | undefined,
  fixes: readonly FixName[],
  named: boolean,
  prompts: Prompts,
): Promise<string | undefined> {
  if (!fixes.includes('banner')) {
    if (given === undefined) return undefined;
    throw usage('--banner: the fix banner is not among those that are chosen', ['docker-tls harden --only banner']);
  }
  const one = 'it has to be one line of text, without \\';
  if (given === undefined)
    return named || prompts.interactive
      ? prompts.input({
          message: 'Text of the banner',
          default: BANNER_EXAMPLE,
          validate: (text) => BANNER_TEXT.test(text) || one,
          flag: '--banner TEXT',
        })
      : undefined;
  if (BANNER_TEXT.test(given)) return given;
  throw usage(`--banner: ${one}`, [`--banner ${shellQuote(BANNER_EXAMPLE)}`]);
}

function leftOutWords({ name, cost }: Fix): string {
  return `left out: ${name}, since ${cost}; to make it all the same: --accept ${name}`;
}

function fixNamed(name: string, flag: string): FixName {
  const fix = FIXES.find((one) => one.name === name);
  if (fix !== undefined) return fix.name;
  throw usage(`${flag} ${name}: there is no such fix`, [
    name === 'tls' ? 'docker-tls setup HOST' : `there are: ${FIXES.map((one) => one.name).join(', ')}`,
  ]);
}

function notSetUp({ name, ssh }: HostSpec): DockerTlsError {
  const named = name === nameOf(ssh.destination) ? '' : ` --name ${shellQuote(name)}`;
  return new DockerTlsError({
    code: 'E_NOT_SET_UP',
    where: name,
    message: 'it is not set up yet; hardening is part of the same change and its rollback',
    hints: [`docker-tls setup ${shellQuote(destinationWords(ssh))}${named}`],
  });
}

function listFixes(columns: number | undefined) {
  const fixes = FIXES.map((fix) => ({
    ...fix,
    profiles: profilesOf(fix.name),
    needsYes: needsYes(fix.name),
  }));
  const text = fixes
    .map((fix) =>
      [
        `${fix.name}  (${fix.profiles.join(', ')}; ${RISK_WORDS[fix.risk]})`,
        `    ${hangText(fix.title, columns, 4)}`,
        ...(fix.cost
          ? [
              `    ${hangText(`costs: ${fix.cost}${fix.risk === 'yes' ? ` (needs --accept ${fix.name})` : ''}`, columns, 4)}`,
            ]
          : []),
      ].join('\n'),
    )
    .join('\n');
  const never = NEVER.map(({ setting, why }) => `    ${hangText(`${setting}: ${why}`, columns, 6)}`);
  return {
    exit: 0 as const,
    result: { fixes, never: NEVER },
    text: [text, 'never, by no fix and no profile:', ...never].join('\n'),
  };
}
