/** The groups of an Ansible inventory: which hosts are in each, and in those above it. Pure. */

import { type Fields, textsAt } from '../../../core/domain/json.ts';

/** Hosts that are in a group, in the order of the groups, each with all its groups. Groups above a group hold its hosts too; a circle of groups ends. */
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
  // A set goes on over what is added while it is walked.
  for (const one of found) for (const parent of parents.get(one) ?? []) found.add(parent);
  return found;
}
