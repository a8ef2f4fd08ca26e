/** What differs by the kind of a host: the core has the entry of systemd, features have those of other kinds. */

/** Kinds of hosts, by service manager or engine. A build without a feature does not know its kinds (host-kind.ts has those that it knows). */
export const KIND_NAMES = ['systemd', 'sysvinit', 'openrc', 'podman', 'rootless'] as const;
export type KindName = (typeof KIND_NAMES)[number];

/** A table by kind. A kind without an entry does as systemd does. */
type ByKind<T> = {
  readonly entries: ReadonlyMap<KindName, T>;
  of(kind: KindName): T;
  /** Adds the entry of a feature, before the facts of any host are read. */
  take(kind: KindName, entry: T): void;
};

export function byKind<T>(systemd: T): ByKind<T> {
  const entries = new Map<KindName, T>([['systemd', systemd]]);
  return {
    entries,
    of: (kind) => entries.get(kind) ?? systemd,
    take: (kind, entry) => {
      entries.set(kind, entry);
    },
  };
}
