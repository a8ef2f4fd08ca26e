/** Roles of this store: the built-in ones, and those that its hosts have rules for. */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import { BUILT_IN_ROLES, type Role, rolesOf } from '../domain/roles.ts';

/** A role that hosts define differently has the rules of all of them. Fails with E_ROLE. */
export async function knownRoles(context: ActionContext): Promise<readonly Role[]> {
  const { hosts } = await storeOf(context).read();
  const rules = [...hosts.values()].flatMap(({ record }) => record.roles ?? []);
  return [...BUILT_IN_ROLES, ...rolesOf([...new Set(rules)])];
}
