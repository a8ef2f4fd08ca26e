/** Owns `harden [HOST…]`: makes fixes part of hosts that are set up, through the same plan, apply, verify, roll back. */

import { type Fix, type FixName, needsYes } from '../../domain/audit/fixes.ts';
import { destinationWords, nameOf } from '../../domain/destination.ts';
import {
  ARTICLE_AUTH_TRIES,
  chooseFixes,
  FIXES,
  leftOutOn,
  PROFILES,
  profilesOf,
  recordHardening,
} from '../../domain/plan/hardening.ts';
import { hasChanges } from '../../domain/plan/plan.ts';
import { shellQuote } from '../../domain/quote.ts';
import { completeHost, type HostSpec } from '../../domain/settings.ts';
import { hangText, plural } from '../../domain/words.ts';
import { applyHosts, planHosts } from '../../engine/fleet-apply.ts';
import { errorsOf, exitOfResults } from '../../engine/pool.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';
import { RUN_OPTIONS, startRun } from '../fleet-session.ts';
import { usage } from '../options.ts';
import { agree } from '../prompts.ts';
import { coloursOf } from '../render/colours.ts';
import { costLines, outcomeJson, renderOutcome, renderResults } from '../render/outcome.ts';
import { renderPlan } from '../render/plan.ts';
import { tableWidth } from '../render/table.ts';
import { storeOf } from '../store.ts';

export const command = defineCommand({
  name: 'harden',
  summary: 'Fix audit findings (planned, verified, rolled back on failure)',
  about: `Without --only and --profile: every fix that audit knows. Fixes that can break existing access are skipped unless you pass --accept NAME: ${FIXES.filter(
    (fix) => fix.needsYes,
  )
    .map((fix) => fix.name)
    .join(', ')}.\nA later apply keeps the fixes; rollback and remove undo them.`,
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
      summary: 'a set of fixes (default: cis)',
    },
    accept: { kind: 'list', value: 'FIX', summary: 'accept what this fix costs (see --list)' },
    keepDockerGroup: { kind: 'list', value: 'USER', summary: 'this user stays in the docker group' },
    maxAuthTries: {
      kind: 'number',
      min: 1,
      max: 99,
      value: 'N',
      summary: 'MaxAuthTries (default: 4; profile article: 2)',
    },
    list: { kind: 'flag', summary: 'show the fixes and their costs; needs no host' },
  },
  async run(context) {
    const { args, options, global, runtime, prompts, progress } = context;
    const colours = coloursOf(runtime.io);
    if (options.list) return listFixes(tableWidth(context.runtime.io));
    const choice = chooseFixes({
      only: options.only.map((name) => fixNamed(name, '--only')),
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
    const article = options.profile === 'article' && choice.fixes.includes('sshd') ? ARTICLE_AUTH_TRIES : undefined;
    const settings = {
      keepInDockerGroup: options.keepDockerGroup,
      maxAuthTries: options.maxAuthTries ?? article,
    };
    if (choice.fixes.length === 0)
      throw usage('no fix is left to make', [...choice.leftOut.map(leftOutWords), 'docker-tls harden --list']);
    const columns = tableWidth(runtime.io);
    const yellowLine = (line: string): string => colours.yellow(hangText(line, columns, 2));
    const run = await startRun(context, args.hosts, options, 'harden');
    const { hosts } = await storeOf({ global, runtime }).read();
    const specs = run.specs.map((spec) => {
      const record = hosts.get(spec.name)?.record;
      if (record === undefined) throw notSetUp(spec);
      const entries = [...(spec.harden ?? []), ...(record.harden ?? []), ...choice.fixes];
      // Another user of the same host may harden it: what is known of the host stays.
      const base = { ...completeHost(record), ...spec, address: spec.address };
      return { ...base, harden: recordHardening(entries, settings) };
    });
    const leftOut = leftOutOn(
      choice.leftOut,
      specs.map(({ harden }) => harden),
    );
    const left = leftOut.map(leftOutWords);
    const open = async (how?: { readonly save: boolean }) => ({ ...(await run.open(how)), addHardening: true });
    const fleet = { parallel: global.parallel, signal: runtime.signal };
    if (!global.yes || global.dryRun) {
      const planned = await planHosts(specs, await open(), fleet, progress);
      const plans = planned.flatMap((result) => (result.kind === 'done' ? [result.value] : []));
      const text = [
        ...plans.map((one) => renderPlan(one, colours, global.verbose, columns)),
        ...(left.length > 0 ? [left.map(yellowLine).join('\n')] : []),
      ].join('\n\n');
      if (global.dryRun) {
        return {
          exit: exitOfResults(planned, runtime.signal),
          result: {
            fixes: choice.fixes,
            leftOut: leftOut.map((fix) => fix.name),
            hosts: planned.map((one) => (one.kind === 'done' ? { host: one.host, plan: one.value.plan } : one)),
          },
          text,
          errors: errorsOf(planned),
        };
      }
      const changed = plans.filter((one) => hasChanges(one.plan)).length;
      if (changed > 0) {
        await prompts.show(`\n${text}\n\n`);
        const message = `Make these changes on ${changed} of ${plural(specs.length, 'host')}?`;
        await agree(prompts, message);
      }
    }
    const results = await applyHosts(specs, await open({ save: true }), fleet, progress);
    const only = results.length === 1 ? results[0] : undefined;
    const said = results.flatMap((one) => (one.kind === 'done' ? costLines(one.value) : []));
    const text = [
      only?.kind === 'done' ? renderOutcome(only.value, colours) : renderResults(results, colours, columns),
      ...[...said, ...left].map(yellowLine),
    ].join('\n');
    return {
      exit: exitOfResults(results, runtime.signal),
      result: {
        fixes: choice.fixes,
        leftOut: leftOut.map((fix) => fix.name),
        hosts: results.map(outcomeJson),
      },
      text,
      errors: errorsOf(results),
    };
  },
});

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
    exit: 2,
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
        `${fix.name}  (${fix.profiles.join(', ')})`,
        `    ${hangText(fix.title, columns, 4)}`,
        ...(fix.cost
          ? [`    ${hangText(`costs: ${fix.cost}${fix.needsYes ? ` (needs --accept ${fix.name})` : ''}`, columns, 4)}`]
          : []),
      ].join('\n'),
    )
    .join('\n');
  return { exit: 0 as const, result: { fixes }, text };
}
