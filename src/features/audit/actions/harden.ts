/** `harden`: adds fixes to hosts that are set up, with the usual plan, apply, verify and rollback. */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import { type HostsOptions, openHosts } from '../../../core/actions/open-hosts.ts';
import type { Prompts } from '../../../core/actions/prompts.ts';
import type { Changed } from '../../../core/actions/results.ts';
import { hostsIntent } from '../../../core/domain/trust/wanted-hosts.ts';
import { change } from '../../../core/engine/change.ts';
import { usage } from '../../../errors/errors.ts';
import { checkReport } from '../adapters/report.ts';
import type { FixName } from '../domain/fix-names.ts';
import type { Fix } from '../domain/fixes.ts';
import { leftOutOn, PROFILE_AUTH_TRIES } from '../domain/hardening/hardening.ts';
import {
  BANNER_EXAMPLE,
  bannerProblem,
  fixesByFlags,
  type HardenFlags,
  hardenedHost,
  unmadeWords,
} from '../domain/hardening/hardening-choice.ts';
import { auditNow, writeHardenReport } from './harden-report.ts';
import { addPackages, type HostPackages, refusePackages } from './packages.ts';

export type HardenOptions = HostsOptions &
  HardenFlags & { readonly keepDockerGroup: readonly string[]; readonly report?: string | undefined };

export type Hardened = {
  readonly changed: Changed;
  readonly fixes: readonly FixName[];
  readonly packages: readonly HostPackages[];
  /** Fixes skipped because of their cost. */
  readonly leftOut: readonly Fix[];
  /** Other requested fixes that were not applied. */
  readonly unmade: readonly string[];
  /** Path of the report. */
  readonly report: string | undefined;
};

export async function harden(
  context: ActionContext,
  names: readonly string[],
  options: HardenOptions,
): Promise<Hardened> {
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
  });
}
