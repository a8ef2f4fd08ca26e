/** `role list`: the roles that a client can have. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { coloursOf } from '../../../core/render/colours.ts';
import { renderTable } from '../../../core/render/table.ts';
import { knownRoles } from '../actions/known-roles.ts';
import { type Role, rootLines } from '../domain/roles.ts';

export type RoleListDocument = { readonly roles: readonly ListedRoleDocument[] };

type ListedRoleDocument = {
  readonly name: string;
  readonly about: string;
  /** Every request is allowed. */
  readonly full: boolean;
  readonly lines: number;
  /** A client with this role can become root on the host. */
  readonly root: boolean;
};

export const command = defineCommand({
  scope: ['store'],
  about: 'A role says which requests of the Docker API a client may send. docs/roles.md lists what each shows.',
  examples: ['docker-tls role list', 'docker-tls role show monitor'],
  args: {},
  options: {},
  async run(context): Promise<CommandResult<RoleListDocument>> {
    const { io } = context.runtime;
    const roles = (await knownRoles(context)).map(listedRole);
    const text = renderTable(
      [{ title: 'ROLE' }, { title: 'LINES', align: 'right' }, { title: 'ROOT' }, { title: 'ALLOWS', shrinkTo: 20 }],
      roles.map(({ name, about, full, lines, root }) => [name, full ? 'all' : lines, root ? 'yes' : 'no', about]),
      { columns: io.columns, titleStyle: coloursOf(io).dim },
    );
    return { exit: 0, result: { roles }, text };
  },
});

function listedRole(role: Role): ListedRoleDocument {
  const { name, about, full, patterns } = role;
  return { name, about, full, lines: patterns.length, root: full || rootLines(role).length > 0 };
}
