/** Preflight of mounts: read-only file systems, and files that are mount points and cannot be replaced. */

import { sudoCommand } from '../quote.ts';
import { isFileKind } from './file-change.ts';
import type { Preflight } from './preflight-config.ts';

export function checkMounts({ login, facts, plan, add }: Preflight): void {
  const mountOf = (path: string): (typeof facts.mounts)[number] | undefined =>
    facts.mounts
      .filter((mount) => mount.path === '/' || path === mount.path || path.startsWith(`${mount.path}/`))
      .reduce<(typeof facts.mounts)[number] | undefined>(
        (best, mount) => (best === undefined || mount.path.length >= best.path.length ? mount : best),
        undefined,
      );
  const replaced = (plan?.files ?? []).filter(({ kind }) => isFileKind(kind));
  const protects = plan?.containers.how === 'temporary' || plan?.containers.how === 'switched-on';
  const files = [...replaced.map(({ path }) => path), ...(plan && protects ? [plan.daemonJson.path] : [])];
  const seen = new Set<string>();
  for (const path of [...files, facts.places.current, facts.places.dropIns, `${facts.places.state}/txn`]) {
    const mount = mountOf(path);
    if (mount === undefined || seen.has(mount.path)) continue;
    if (mount.path === path && files.includes(path))
      add('E_MOUNTED_FILE', `${path} is a mount point, so docker-tls cannot replace it`, [
        `see where it comes from: ${sudoCommand(login, 'findmnt', path)}`,
        `change it there, or give the host its own file: ${sudoCommand(login, 'umount', path)}`,
      ]);
    else if (mount.readOnly)
      add('E_READ_ONLY', `${mount.path} is mounted read-only, and ${path} has to be written`, [
        `see how it is mounted: ${sudoCommand(login, 'findmnt', mount.path)}`,
        `make it writable until the next boot: ${sudoCommand(login, 'mount', '-o', 'remount,rw', mount.path)}`,
      ]);
    else continue;
    seen.add(mount.path);
  }
}
