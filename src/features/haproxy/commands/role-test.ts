/** `role test ROLE REQUEST`: whether a role allows a request. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { printable } from '../../../errors/errors.ts';
import { knownRoles } from '../actions/known-roles.ts';
import { allows, checkRequest, findRole } from '../domain/roles.ts';

export type RoleTestDocument = {
  readonly role: string;
  readonly request: string;
  readonly allowed: boolean;
  /** The line that allows it; `everything` for the role full. */
  readonly line?: string;
};

export const command = defineCommand({
  scope: ['store'],
  about:
    'Uses the expressions that HAProxy gets. The exit status is 0 if the role allows the request, and 3 if it does not.',
  examples: ['docker-tls role test monitor "GET /v1.45/containers/json"', 'docker-tls role test read "GET /info"'],
  args: {
    role: { summary: 'the role', required: true },
    request: { summary: 'method and path', required: true },
  },
  options: {},
  /** Fails with E_ROLE_UNKNOWN, E_USAGE (exit 2). */
  async run(context): Promise<CommandResult<RoleTestDocument>> {
    const { args } = context;
    const role = findRole(await knownRoles(context), args.role);
    const request = checkRequest(args.request);
    const line = allows(role, request);
    const text = line === undefined ? `no: no line of ${role.name} allows ${printable(request)}` : `yes: ${line}`;
    return {
      exit: line === undefined ? 3 : 0,
      result: { role: role.name, request, allowed: line !== undefined, line },
      text,
    };
  },
});
