/** Parser of git's history of a store branch. */

import type { LogEntry } from './engine.ts';
import { historyOf } from './git-past.ts';

/** Format for `git log -z --format=`: one line each, since names have no line breaks. */
export const LOG_FORMAT = ['%H', '%P', '%aI', '%an <%ae>', '%B'].join('%n');

export function entryOf(text: string): Omit<LogEntry, 'signed'> {
  const [revision = '', parents = '', at = '', author = '', ...body] = text.trimStart().split('\n');
  const [subject = '', ...rest] = body.join('\n').trim().split('\n');
  const by = rest.find((line) => line.startsWith('By: '))?.slice(4);
  const lines = rest.filter((line) => line.startsWith('- ')).map((line) => line.slice(2));
  const history = historyOf(parents.split(' ').filter(Boolean));
  return { revision, history, at: dateOf(at), who: by ?? author, subject, lines };
}

/** A commit can have any text as its date. */
function dateOf(text: string): Date {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? new Date(0) : date;
}
