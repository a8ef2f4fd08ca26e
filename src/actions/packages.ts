/** Owns `harden --install`: what packages would bring to each host, and their installation once somebody has said yes to that. */

import { type PackagesPlan, packagesWords } from '../domain/audit/packages.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { Run } from '../engine/intent.ts';
import { installPackages, lookAtPackages } from '../engine/packages.ts';
import { type HostResult, overHosts } from '../engine/pool.ts';
import { sshOptions } from '../engine/steps/connect.ts';

export type InstalledPackages = {
  readonly plan: PackagesPlan;
  /** For people: what is installed, and what is to be said of it. */
  readonly lines: readonly string[];
};

/** Looks at every host first; then `agree` is asked once, with what each would get; then they are installed. A dry run only looks. */
export async function addPackages(
  hosts: readonly HostSpec[],
  names: readonly string[],
  run: Run,
  agree: (lines: readonly string[]) => Promise<void>,
): Promise<HostResult<InstalledPackages>[]> {
  const { runtime, progress, parallel, dryRun } = run;
  const over = <T>(specs: readonly HostSpec[], work: Parameters<typeof overHosts<T>>[4]) =>
    overHosts(specs, { parallel, signal: runtime.signal }, progress, runtime.now, work);
  const looked = await over(hosts, async (spec, line): Promise<InstalledPackages> => {
    line.phase('packages');
    await using session = await runtime.connect(sshOptions(spec, run));
    const plan = await lookAtPackages(session, names, runtime.signal);
    line.pause();
    return { plan, lines: packagesWords(plan, names).map((text) => `${spec.name}: ${text}`) };
  });
  const failed = looked.filter(({ kind }) => kind !== 'done');
  if (dryRun || failed.length > 0) return looked;
  const plans = new Map(looked.flatMap((one) => (one.kind === 'done' ? [[one.host, one.value] as const] : [])));
  const lacking = hosts.filter(({ name }) => (plans.get(name)?.plan.install.length ?? 0) > 0);
  if (lacking.length === 0) return looked;
  await agree([...plans.values()].flatMap(({ lines }) => lines));
  const installed = await over(lacking, async (spec, line): Promise<InstalledPackages> => {
    line.phase('packages');
    const { plan, lines } = plans.get(spec.name) as InstalledPackages;
    await using session = await runtime.connect(sshOptions(spec, run));
    const said = await installPackages(session, plan, names);
    line.pause();
    return { plan, lines: [...lines, ...said.map((text) => `${spec.name}: ${text}`)] };
  });
  return looked.map((one) => installed.find(({ host }) => host === one.host) ?? one);
}
