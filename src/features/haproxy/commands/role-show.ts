/** `role show ROLE`: the lines of a role. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { knownRoles } from '../actions/known-roles.ts';
import { findRole, rootLines } from '../domain/roles.ts';

export type RoleShowDocument = {
  readonly name: string;
  readonly about: string;
  /** Every request is allowed; there are no lines. */
  readonly full: boolean;
  readonly lines: readonly string[];
  /** Those with which a client can become root on the host. */
  readonly rootLines: readonly string[];
};

export const command = defineCommand({
  scope: ['store'],
  about:
    'Each line has one or more methods and a path of the Docker API without its version. * stands for a name or an ID, ** for a name with slashes.\nThe lines can be copied into a role of your own.',
  examples: ['docker-tls role show read', 'docker-tls role show monitor --json'],
  args: { role: { summary: 'the role', required: true } },
  options: {},
  /** Fails with E_ROLE_UNKNOWN (exit 2). */
  async run(context): Promise<CommandResult<RoleShowDocument>> {
    const { args } = context;
    const role = findRole(await knownRoles(context), args.role);
    const { name, about, full, patterns } = role;
    const lines = patterns.map(({ text }) => text);
    const root = rootLines(role);
    const marked = lines.map((line) => (root.includes(line) ? `${line}  (root on the host)` : line));
    return {
      exit: 0,
      result: { name, about, full, lines, rootLines: root },
      text: full ? `${name}: ${about}` : marked.join('\n'),
    };
  },
});
