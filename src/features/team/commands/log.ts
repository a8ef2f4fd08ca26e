/** `log`: history of a shared store. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { hangText } from '../../../core/domain/words.ts';
import { tableWidth } from '../../../core/render/table.ts';
import { printable } from '../../../errors/errors.ts';
import { sharedStoreOf } from '../actions/team-session.ts';
import { readLog } from '../store/signed-log.ts';

export type LogDocument = {
  readonly entries: readonly {
    readonly revision: string;
    readonly at: Date;
    /** `operator (user@computer)`; of a commit that no operator signed, its author. */
    readonly who: string;
    /** The command and its subject. */
    readonly subject: string;
    /** The changes. */
    readonly lines: readonly string[];
    /** The operator whose key signed all of this; absent if nobody of the store did. */
    readonly signedBy?: string;
  }[];
};

export const command = defineCommand({
  scope: ['store'],
  about:
    'The operator of each change is the one whose key signed it. Commits of others are marked: they changed nothing that docker-tls read.',
  examples: ['docker-tls log', 'docker-tls log --limit 100'],
  args: {},
  options: { limit: { kind: 'number', min: 1, max: 10_000, value: 'N', summary: 'this many changes (default: 20)' } },
  async run(context): Promise<CommandResult<LogDocument>> {
    const entries = await readLog(sharedStoreOf(context), context.options.limit ?? 20);
    const columns = tableWidth(context.runtime.io);
    // A subject begins with a command, and is no line to paste: without this it would stay whole.
    const hung = (text: string, indent: number) => ' '.repeat(indent) + hangText(printable(text), columns, indent + 2);
    const lines = entries.flatMap(({ revision, at, who, subject, lines, signedBy }) => [
      hung(
        `${at.toISOString().slice(0, 16).replace('T', ' ')}  ${who}  ${revision.slice(0, 10)}${signedBy === undefined ? '  NOT SIGNED BY AN OPERATOR' : ''}`,
        0,
      ),
      hung(subject, 4),
      // The subject of one change has its line, unless that is too long.
      ...(lines.every((line) => subject.endsWith(line)) ? [] : lines.map((line) => hung(line, 6))),
    ]);
    return {
      exit: 0,
      result: { entries },
      text: lines.length === 0 ? 'Nothing was changed yet.' : lines.join('\n'),
    };
  },
});
