/** Owns `harden`: fixes become part of hosts that are set up, through the same plan, apply, verify, roll back. */

import type { Fix, FixName } from '../domain/audit/fixes.ts';
import { destinationWords, nameOf } from '../domain/destination.ts';
import {
  authTriesOf,
  chooseFixes,
  FIXES,
  leftOutOn,
  leftOutWords,
  PROFILE_AUTH_TRIES,
  type Profile,
  recordHardening,
} from '../domain/plan/hardening.ts';
import { shellQuote } from '../domain/quote.ts';
import { completeHost, type HostSpec } from '../domain/settings.ts';
import { hostsIntent } from '../domain/trust/wanted-hosts.ts';
import { BANNER_TEXT } from '../domain/values.ts';
import { change } from '../engine/change.ts';
import { DockerTlsError, usage } from '../errors/errors.ts';
import type { ActionContext } from './action-context.ts';
import { checkReport } from './files.ts';
import { auditNow, writeHardenReport } from './harden-report.ts';
import { type HostsOptions, openHosts } from './open-hosts.ts';
import { addPackages, type HostPackages, refusePackages } from './packages.ts';
import type { Prompts } from './prompts.ts';
import type { Changed } from './results.ts';

const BANNER_EXAMPLE =
  'Authorized users only. Use of this system is monitored and recorded. Unauthorized access is prohibited and may be prosecuted by law.';

export type HardenOptions = HostsOptions & {
  readonly only: readonly string[];
  readonly profile?: Profile | undefined;
  readonly accept: readonly string[];
  readonly install: readonly string[];
  readonly keepDockerGroup: readonly string[];
  readonly maxAuthTries?: number | undefined;
  readonly banner?: string | undefined;
  readonly report?: string | undefined;
};

export type Hardened = {
  readonly changed: Changed;
  readonly fixes: readonly FixName[];
  readonly packages: readonly HostPackages[];
  /** Fixes that were skipped for what they cost. */
  readonly leftOut: readonly Fix[];
  /** What else was asked for and is not made. */
  readonly unmade: readonly string[];
  /** Where the report is. */
  readonly report: string | undefined;
};

export async function harden(
  context: ActionContext,
  names: readonly string[],
  options: HardenOptions,
): Promise<Hardened> {
  const { profile = 'cis', report, install } = options;
  refusePackages(install, options.accept, context.global.yes && !context.global.dryRun);
  const only = options.only.map((name) => fixNamed(name, '--only'));
  const { fixes, ...choice } = chooseFixes({
    only,
    profile,
    accepted: options.accept.filter((name) => !install.includes(name)).map((name) => fixNamed(name, '--accept')),
  });
  refuseChoice(options, { fixes, ...choice });
  const banner = await bannerText(options.banner, fixes, only.includes('banner'), context.prompts);
  const tries = fixes.includes('sshd') ? PROFILE_AUTH_TRIES[profile] : undefined;
  const maxAuthTries = options.maxAuthTries ?? tries;
  const settings = { keepInDockerGroup: options.keepDockerGroup, maxAuthTries, banner };
  const { run, request, state } = await openHosts(context, names, options);
  const hosts = request.hosts.map((spec) => {
    const record = state.hosts.get(spec.name)?.record;
    if (record === undefined) throw notSetUp(spec);
    const entries = [...(spec.harden ?? []), ...(record.harden ?? []), ...fixes];
    // Another user of the same host may harden it: what is known of the host stays.
    const base = { ...completeHost(record), ...spec, address: spec.address };
    return { ...base, harden: recordHardening(entries, settings) };
  });
  if (report !== undefined && run.dryRun)
    throw usage('--report is of a change that was made: not with --dry-run', ['docker-tls audit --out FILE.html']);
  if (report !== undefined) await checkReport(report, run.runtime.cwd);
  const packages = install.length === 0 ? [] : await addPackages(context, hosts, install, options.accept, run);
  const before = report === undefined ? [] : await auditNow(run, state, hosts);
  const changed = await change(hostsIntent({ ...request, reason: 'harden', hosts, addHardening: true }), run);
  const plans = [...changed.results, ...(changed.planned?.hosts ?? [])].flatMap((one) =>
    one.kind === 'done' ? [one.value.plan] : [],
  );
  const leftOut = leftOutOn(
    choice.leftOut,
    hosts.map(({ name, harden }) => ({ entries: harden, unmade: plans.find(({ host }) => host === name)?.unmade })),
  );
  const saved =
    report === undefined
      ? undefined
      : await writeHardenReport({
          ...{ out: report, run, before, changed, leftOut },
          after: await auditNow(run, changed.state, hosts),
        });
  const unmade = unmadeWords(hosts, fixes, options.maxAuthTries);
  return { changed, fixes, packages, leftOut, unmade, report: saved };
}

function unmadeWords(
  hosts: readonly { readonly name: string; readonly harden: readonly string[] }[],
  fixes: readonly FixName[],
  maxAuthTries: number | undefined,
): string[] {
  const wordless = fixes.includes('banner') && hosts.some(({ harden }) => !harden.includes('banner'));
  const stricter = maxAuthTries === undefined ? [] : hosts.filter(({ harden }) => authTriesOf(harden) < maxAuthTries);
  return [
    ...(wordless ? ['left out: banner, since its words are yours; to make it: --banner TEXT'] : []),
    ...stricter.map(
      ({ name, harden }) =>
        `${name}: MaxAuthTries stays ${authTriesOf(harden)}, as an earlier run asked for; to allow more: docker-tls rollback ${shellQuote(name)}`,
    ),
  ];
}

function refuseChoice(
  { maxAuthTries }: HardenOptions,
  { fixes, leftOut, notChosen }: ReturnType<typeof chooseFixes>,
): void {
  if (notChosen.length > 0)
    throw usage(`--accept ${notChosen.join(',')}: not among the fixes that are chosen`, [
      `docker-tls harden --only ${notChosen.join(',')} --accept ${notChosen.join(',')}`,
      'docker-tls harden --list',
    ]);
  if (maxAuthTries !== undefined && !fixes.includes('sshd'))
    throw usage('--max-auth-tries: the fix sshd, which it is about, is not among those that are chosen', [
      `docker-tls harden --only sshd --max-auth-tries ${maxAuthTries}`,
    ]);
  if (fixes.length === 0)
    throw usage('no fix is left to make', [...leftOut.map(leftOutWords), 'docker-tls harden --list']);
}

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

function fixNamed(name: string, flag: string): FixName {
  const fix = FIXES.find((one) => one.name === name);
  if (fix !== undefined) return fix.name;
  throw usage(`${flag} ${name}: there is no such fix`, [
    name === 'tls' ? 'docker-tls setup HOST' : `there are: ${FIXES.map((one) => one.name).join(', ')}`,
  ]);
}

function notSetUp({ name, ssh }: HostSpec): DockerTlsError {
  const named = name === nameOf(ssh.destination) ? '' : ` --name ${shellQuote(name)}`;
  return new DockerTlsError(
    'E_NOT_SET_UP',
    'it is not set up yet; hardening is part of the same change and its rollback',
    { where: name, hints: [`docker-tls setup ${shellQuote(destinationWords(ssh))}${named}`] },
  );
}
