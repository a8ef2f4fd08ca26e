/** Owns `harden [HOST…]`: makes fixes part of hosts that are set up, through the same plan, apply, verify, roll back. */

import { apply } from '../../actions/apply.ts';
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
import { shellQuote } from '../../domain/quote.ts';
import { completeHost, type HostSpec } from '../../domain/settings.ts';
import { hangText } from '../../domain/words.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';
import { usage } from '../options.ts';
import { renderChange } from '../render/change.ts';
import { coloursOf } from '../render/colours.ts';
import { costLines } from '../render/outcome.ts';
import { tableWidth } from '../render/table.ts';
import { openHosts, RUN_OPTIONS } from '../run.ts';

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
    const { args, options, runtime } = context;
    const columns = tableWidth(runtime.io);
    if (options.list) return listFixes(columns);
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
    if (choice.fixes.length === 0)
      throw usage('no fix is left to make', [...choice.leftOut.map(leftOutWords), 'docker-tls harden --list']);
    const article = options.profile === 'article' && choice.fixes.includes('sshd') ? ARTICLE_AUTH_TRIES : undefined;
    const settings = {
      keepInDockerGroup: options.keepDockerGroup,
      maxAuthTries: options.maxAuthTries ?? article,
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
    const changed = await apply({ ...request, reason: 'harden', hosts, addHardening: true }, run);
    const { result, text, ...rest } = renderChange(changed, context);
    const costs = changed.results.flatMap((one) => (one.kind === 'done' ? costLines(one.value) : []));
    const lines = [...costs, ...leftOut.map(leftOutWords)].map((line) =>
      coloursOf(runtime.io).yellow(hangText(line, columns, 2)),
    );
    return {
      ...rest,
      result: { fixes: choice.fixes, leftOut: leftOut.map((fix) => fix.name), ...(result as object) },
      text: [text, ...lines].join('\n'),
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
