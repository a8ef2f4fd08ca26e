/** `harden --install`: packages for each host, shown first and installed after confirmation. */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import { declined } from '../../../core/actions/ask.ts';
import type { HostResult } from '../../../core/domain/host-results.ts';
import type { HostSpec } from '../../../core/domain/settings.ts';
import type { Run } from '../../../core/engine/intent.ts';
import { overHosts } from '../../../core/engine/pool.ts';
import { sshOptions } from '../../../core/engine/steps/open-host.ts';
import { usage } from '../../../errors/errors.ts';
import { NOT_OFFERED, PACKAGES, type PackagesPlan, packagesWords } from '../domain/packages.ts';
import { installPackages, lookAtPackages } from '../engine/install-packages.ts';

export type HostPackages = PackagesPlan & {
  readonly host: string;
  /** Installed packages and notes, for users. */
  readonly lines: readonly string[];
  /** Effects of the installation that need attention. */
  readonly warnings: readonly string[];
};

/** Rejects packages that docker-tls does not offer, and with `--yes` those without `--accept`. */
export function refusePackages(names: readonly string[], accepted: readonly string[], yes: boolean): void {
  for (const name of names) {
    if (PACKAGES.some((offer) => offer.name === name)) continue;
    const why = Object.hasOwn(NOT_OFFERED, name) ? `harden does not install it, since ${NOT_OFFERED[name]}` : undefined;
    throw usage(`--install ${name}: ${why ?? 'it is not among the packages that harden installs'}`, [
      `there are: ${PACKAGES.map((offer) => offer.name).join(', ')}`,
    ]);
  }
  const missing = names.filter((name) => !accepted.includes(name));
  if (yes && missing.length > 0)
    throw usage(`--install ${missing.join(',')}: packages need their own consent, and --yes does not give it`, [
      `to see what it brings: add --dry-run`,
      `to install it: --accept ${missing.join(',')}`,
    ]);
}

/** Inspects every host first. Then prompts, unless `--yes` and every name are given, and installs. A dry run only inspects. */
export async function addPackages(
  { prompts }: Pick<ActionContext, 'prompts'>,
  hosts: readonly HostSpec[],
  names: readonly string[],
  accepted: readonly string[],
  run: Run,
): Promise<readonly HostPackages[]> {
  const { runtime, progress, parallel, dryRun } = run;
  const over = async (phase: string, specs: readonly HostSpec[], work: (spec: HostSpec) => Promise<HostPackages>) =>
    allDone(
      await overHosts(specs, { parallel, runtime, progress }, async (spec, line) => {
        line.phase(phase);
        const done = await work(spec);
        line.pause();
        return done;
      }),
    );
  const looked = await over('packages', hosts, async (spec) => {
    await using session = await runtime.connect(sshOptions(spec, run));
    const plan = await lookAtPackages(session, names, runtime.signal);
    return { ...plan, host: spec.name, lines: packagesWords(plan, names), warnings: [] };
  });
  const lacking = looked.filter(({ install }) => install.length > 0);
  if (dryRun || lacking.length === 0) return looked;
  await run.store.requireWritable();
  if (run.asks || names.some((name) => !accepted.includes(name))) {
    await prompts.show(`${lacking.flatMap(({ host, lines }) => [host, ...lines]).join('\n')}\n\n`);
    const message = 'Install these packages?';
    if (!(await prompts.confirm({ message, default: false, flag: `--accept ${names.join(',')} --yes` })))
      throw declined();
  }
  const installed = await over(
    'install',
    hosts.filter(({ name }) => lacking.some(({ host }) => host === name)),
    async (spec) => {
      const plan = lacking.find(({ host }) => host === spec.name) as HostPackages;
      await using session = await runtime.connect(sshOptions(spec, run));
      const warnings = await installPackages(session, plan, names);
      // They stay installed whatever happens to the rest.
      progress.note(`${spec.name}: installed ${plan.install.map(({ name }) => name).join(', ')}`);
      return { ...plan, warnings };
    },
  );
  return looked.map((one) => installed.find(({ host }) => host === one.host) ?? one);
}

/** A failure on one host ends the command before any fix is applied. */
function allDone<T>(results: readonly HostResult<T>[]): T[] {
  const failed = results.find(({ kind }) => kind === 'failed');
  if (failed?.kind === 'failed') throw failed.errors[0];
  return results.flatMap((one) => (one.kind === 'done' ? [one.value] : []));
}
