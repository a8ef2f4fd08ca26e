/** One change of a file in a plan. Its view is data first: changes with equal data look the same. */

import { printable } from '../../errors/errors.ts';
import { kindWords } from '../domain/plan/change-parts.ts';
import type { FileChange } from '../domain/plan/file-change.ts';
import type { Colours } from './colours.ts';
import { diffLines, paintDiff } from './diff.ts';

export type FileView = {
  readonly sign: '+' | '~' | '-';
  readonly words: string;
  /** `edited`, `deleted`, or what it was made: `made a FIFO`. */
  readonly byHand: string | undefined;
  readonly reason: string | undefined;
  /** Removed and added lines, with their context. */
  readonly lines: readonly string[];
};

/** The text of a link in a change. */
const LINK = /^-> [^\n]*$/;

/** `whole`: also the content of new and removed files. */
export function fileView(change: FileChange, whole: boolean): FileView {
  const { kind, path, mode, before, after = '', to = '', drift = false, reason } = change;
  const view = (sign: FileView['sign'], words: string, lines: readonly string[] = []): FileView => ({
    ...{ sign, words: printable(words), byHand: handOf(change), reason, lines },
  });
  const all = (mark: string, text: string) =>
    (text === '' ? [] : text.replace(/\n$/, '').split('\n')).map((line) => mark + line);
  switch (kind) {
    case 'link':
      return view(before === undefined ? '+' : '~', `${path} -> ${to}`);
    case 'absent':
      if (drift) return view('-', path, diffLines(before ?? '', after));
      if (before !== undefined && LINK.test(before)) return view('-', `${path} ${before}`);
      return view('-', path, whole ? all('-', before ?? '') : []);
    case 'file':
      if (before === undefined) return view('+', path, whole ? all('+', after) : []);
      return before === after ? view('~', `${path}  mode ${mode}`) : view('~', path, diffLines(before, after));
    default:
      return view('~', kindWords(change));
  }
}

/** What happened to a file of ours since the last change. */
export function handOf({ drift, before, found, kind }: FileChange): FileView['byHand'] {
  if (drift !== true) return undefined;
  if (found !== undefined) return `made ${found}`;
  return before === undefined && kind !== 'absent' ? 'deleted' : 'edited';
}

export function renderFileView({ sign, words, byHand, reason, lines }: FileView, colours: Colours): string[] {
  const paint = { '+': colours.green, '~': colours.yellow, '-': colours.red }[sign];
  const edited = byHand === undefined ? '' : colours.yellow(`  (${byHand} by hand since)`);
  const why = reason ? colours.dim(`  ${reason}`) : '';
  return [`${paint(sign)} ${words}${edited}${why}`, ...paintDiff(lines, colours)];
}
