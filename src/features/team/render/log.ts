/** Output of a shared store's history. */

import type { CommandResult } from '../../../cli/command.ts';
import { printable } from '../../../errors/errors.ts';
import type { StoreLogEntry } from '../actions/team-store.ts';

export function renderLog(entries: readonly StoreLogEntry[]): CommandResult {
  const lines = entries.flatMap(({ revision, at, who, subject, lines, signature }) => [
    `${at.toISOString().slice(0, 16).replace('T', ' ')}  ${who}  ${revision.slice(0, 10)}${signature === undefined ? '' : `  (${signature})`}`,
    `    ${subject}`,
    ...(lines.length > 1 ? lines.map((line) => `      ${line}`) : []),
  ]);
  return {
    exit: 0,
    result: { entries },
    text: lines.length === 0 ? 'Nothing was changed yet.' : lines.map((line) => printable(line)).join('\n'),
  };
}
