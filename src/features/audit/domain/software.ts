/** The facts of what is installed of Docker's parts: packages, what their changelogs name, and versions that compare. */

export type Package = {
  readonly version: string;
  /** What the host's own package index would install; undefined where it cannot say. */
  readonly candidate?: string;
  /** Ids of vulnerabilities that its changelog names; undefined where it has none on the host. */
  readonly named?: ReadonlySet<string>;
  /** The year of the changelog's oldest entry, where older ones were cut off. */
  readonly since?: number;
};

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** `section` gives a section's text; undefined where the host printed none. */
export function parseSoftware(section: (name: string) => string | undefined) {
  const manager = (['deb', 'rpm'] as const).find((one) => section(`packages-${one}`) !== undefined);
  const candidates = new Map(
    lines(section('packages-candidates') ?? '').map((line) => line.split(' ') as [string, string]),
  );
  const packages = new Map<string, Package>();
  for (const line of lines(manager === undefined ? '' : (section(`packages-${manager}`) ?? ''))) {
    const [name = '', version = ''] = line.split(' ');
    const changelog = section(`changelog ${name}`);
    const since = Number(/^since (\d{4})$/m.exec(changelog ?? '')?.[1] ?? 0) || undefined;
    const named = changelog === undefined ? undefined : new Set(lines(changelog));
    packages.set(name, { version, candidate: candidates.get(name), named, since });
  }
  return {
    /** Undefined where neither dpkg nor rpm is there: then it is unknown where a program came from. */
    manager,
    packages: packages as ReadonlyMap<string, Package>,
    firewalld: section('firewalld')?.trim() === 'ActiveState=active',
    /** Kubernetes runs here, and speaks to containerd by its CRI plugin. */
    kubelet: (section('kubelet') ?? '').trim() !== '',
    /** containerd's configuration switches its CRI plugin off. */
    criDisabled: /["'](?:io\.containerd\.grpc\.v1\.)?cri["']/.test(section('containerd-disabled') ?? ''),
    /** Certificates of the swarm node and of its CA, PEM; empty where there is no swarm. */
    swarmNode: section('swarm-node') ?? '',
    swarmCa: section('swarm-ca') ?? '',
  };
}

/** Numbers of a version, then its stage: releases after their candidates (rc), those after betas and alphas. */
export type Version = readonly number[];

const STAGES = ['alpha', 'beta', 'rc'];

/** The upstream part of a version, whatever a distribution put before and behind it (`5:29.0.1-1~debian`, `1.0.0~rc93+ds1`). */
export function parseVersion(text: string): Version | undefined {
  const found = /^(?:\d+:)?v?(\d+(?:\.\d+)*)(?:[-~.]?(alpha|beta|rc)[-.]?(\d*))?/i.exec(text);
  if (found === null) return undefined;
  const numbers = (found[1] ?? '').split('.').map(Number);
  const stage = found[2] === undefined ? STAGES.length : STAGES.indexOf(found[2].toLowerCase());
  return [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0, stage, Number(found[3] ?? 0)];
}

export function compareVersions(a: Version, b: Version): number {
  const at = a.findIndex((number, index) => number !== b[index]);
  return at === -1 ? 0 : (a[at] as number) - (b[at] ?? 0);
}
