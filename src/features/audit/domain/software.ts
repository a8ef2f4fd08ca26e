/** Installed Docker components: packages, IDs in their changelogs, and comparable versions. */

export type Package = {
  readonly version: string;
  /** Candidate version in the host's package index; undefined: unknown. */
  readonly candidate?: string;
  /** No source of the host's package index has the candidate, or one has a newer version that apt does not take (a pin). */
  readonly held?: boolean;
  /** IDs of vulnerabilities in the changelog; undefined without one on the host. */
  readonly named?: ReadonlySet<string>;
  /** Year of the changelog's oldest entry, if older ones were cut off. */
  readonly since?: number;
};

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** `section` returns a section's text; undefined if missing. */
export function parseSoftware(section: (name: string) => string | undefined) {
  const manager = (['deb', 'rpm'] as const).find((one) => section(`packages-${one}`) !== undefined);
  const candidates = new Map(
    lines(section('packages-candidates') ?? '').map((line) => {
      const [name = '', candidate, held] = line.split(' ');
      return [name, { candidate, held: held !== undefined }] as const;
    }),
  );
  const packages = new Map<string, Package>();
  for (const line of lines(manager === undefined ? '' : (section(`packages-${manager}`) ?? ''))) {
    const [name = '', version = ''] = line.split(' ');
    const changelog = section(`changelog ${name}`);
    const since = Number(/^since (\d{4})$/m.exec(changelog ?? '')?.[1] ?? 0) || undefined;
    const named = changelog === undefined ? undefined : new Set(lines(changelog));
    packages.set(name, { version, ...candidates.get(name), named, since });
  }
  return {
    /** Undefined without dpkg and rpm: the origin of programs is unknown. */
    manager,
    packages: packages as ReadonlyMap<string, Package>,
    /** When apt last fetched its index, in seconds of the host's clock; undefined without an index. */
    indexedAt: Number(section('packages-index')?.trim()) || undefined,
    firewalld: section('firewalld')?.trim() === 'ActiveState=active',
    /** The host runs Kubernetes: it uses containerd's CRI plugin. */
    kubelet: (section('kubelet') ?? '').trim() !== '',
    /** containerd's configuration disables its CRI plugin. */
    criDisabled: /["'](?:io\.containerd\.grpc\.v1\.)?cri["']/.test(section('containerd-disabled') ?? ''),
    /** Certificates of the swarm node and of its CA, PEM; empty without swarm. */
    swarmNode: section('swarm-node') ?? '',
    swarmCa: section('swarm-ca') ?? '',
  };
}

/** Numbers of a version, then its stage: alpha, beta, release candidate (rc), release. */
export type Version = readonly number[];

const STAGES = ['alpha', 'beta', 'rc'];

/** Upstream part of a version, without the distribution's prefix and suffix (`5:29.0.1-1~debian`, `1.0.0~rc93+ds1`). */
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
