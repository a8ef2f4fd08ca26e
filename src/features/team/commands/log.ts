/** `log`: history of a shared store. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { printable } from '../../../errors/errors.ts';
import { sharedStoreOf } from '../actions/team-session.ts';

export type LogDocument = {
  readonly entries: readonly {
    readonly revision: string;
    readonly at: Date;
    /** `operator (user@computer)`. */
    readonly who: string;
    /** The command and its subject. */
    readonly subject: string;
    /** The changes. */
    readonly lines: readonly string[];
    /** Who signed the commit, if it is signed. */
    readonly signature?: string;
  }[];
};

export const command = defineCommand({
  scope: ['store'],
  examples: ['docker-tls log', 'docker-tls log --limit 100'],
  args: {},
  options: { limit: { kind: 'number', min: 1, max: 10_000, value: 'N', summary: 'this many changes (default: 20)' } },
  async run(context): Promise<CommandResult<LogDocument>> {
    const session = sharedStoreOf(context);
    // Verify the store before trusting its history.
    await session.read();
    const entries = await session.engine.log(context.options.limit ?? 20);
    const lines = entries.flatMap(({ revision, at, who, subject, lines, signature }) => [
      `${at.toISOString().slice(0, 16).replace('T', ' ')}  ${who}  ${revision.slice(0, 10)}${signature === undefined ? '' : `  (${signature})`}`,
      `    ${subject}`,
      ...(lines.length > 1 ? lines.map((line) => `      ${line}`) : []),
    ]);
    return {
      exit: 0,
      result: {
        entries: entries.map(({ revision, at, who, subject, lines, signature }) => {
          return { revision, at, who, subject, lines, signature };
        }),
      },
      text: lines.length === 0 ? 'Nothing was changed yet.' : lines.map((line) => printable(line)).join('\n'),
    };
  },
});
