/** Groups of an Ansible inventory: the hosts of each group and its parents. Pure. */

import { type Fields, textsAt } from '../../../core/domain/json.ts';

/**
 * Hosts that are in a group, in group order, each with all its groups. Parent groups include the hosts of their children; cycles are safe.
 */
export function hostGroups(inventory: Fields): ReadonlyMap<string, readonly string[]> {
  const groups = Object.entries(inventory).filter(([group]) => group !== '_meta');
  const parents = new Map<string, string[]>();
  for (const [group, value] of groups)
    for (const child of textsAt(value, 'children')) parents.set(child, [...(parents.get(child) ?? []), group]);
  const found = new Map<string, Set<string>>();
  for (const [group, value] of groups) {
    const all = withParents(group, parents);
    for (const host of Array.isArray(value) ? textsAt(value) : textsAt(value, 'hosts')) {
      const known = found.get(host) ?? new Set();
      for (const one of all) known.add(one);
      found.set(host, known);
    }
  }
  return new Map([...found].map(([host, all]) => [host, [...all]]));
}

function withParents(group: string, parents: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set([group]);
  // Iteration over a set includes elements added during it.
  for (const one of found) for (const parent of parents.get(one) ?? []) found.add(parent);
  return found;
}
