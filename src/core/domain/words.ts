/** Times, counts and lists in messages. Pure: the current time is a parameter. */

import { stripVTControlCharacters } from 'node:util';
import truncatedWidth from 'fast-string-truncated-width';
import stringWidth from 'fast-string-width';
import { wrapAnsi } from 'fast-wrap-ansi';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `1 host`, `3 hosts`; `many` for irregular plurals. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `a`, `a and b`, `a, b and c`; above `limit` entries it ends in `and 5 more`. */
export function listWords(words: readonly string[], limit = Number.POSITIVE_INFINITY): string {
  const shown = words.length > limit ? [...words.slice(0, limit), `${words.length - limit} more`] : words;
  if (shown.length <= 1) return shown.join('');
  return `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

/** Known names, for an unknown-name message: `; known: a, b and 5 more`. */
export function knownWords(names: Iterable<string>): string {
  return `; known: ${listWords([...names], 8) || 'none'}`;
}

/** `3 hosts: a, b, c`. */
export function nameHosts(hosts: readonly { readonly name: string }[]): string {
  if (hosts.length === 0) return 'no host';
  return `${plural(hosts.length, 'host')}: ${hosts.map(({ name }) => name).join(', ')}`;
}

/** Elapsed time in milliseconds: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `3 days`. */
export function durationWords(ms: number): string {
  if (ms < 9.95 * SECOND_MS) return `${(ms / SECOND_MS).toFixed(1)} s`;
  if (ms < MINUTE_MS - 500) return `${Math.round(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return twoUnits(Math.round(ms / SECOND_MS), 60, 'min', 's');
  if (ms < 2 * DAY_MS) return twoUnits(Math.round(ms / MINUTE_MS), 60, 'h', 'min');
  return plural(Math.floor(ms / DAY_MS), 'day');
}

function twoUnits(value: number, per: number, large: string, small: string): string {
  const rest = value % per;
  return rest === 0 ? `${value / per} ${large}` : `${Math.floor(value / per)} ${large} ${rest} ${small}`;
}

/** Day in UTC, `2027-02-01`: the same for every reader. */
export function dateWords(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** Terminal columns of a text; colour codes take none. */
export function textWidth(text: string): number {
  return stringWidth(text);
}

export function padText(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

/** Cuts plain text (without colour codes) to a width, with a trailing `…`. */
export function cutText(text: string, width: number): string {
  if (width <= 0) return '';
  const { index, ellipsed } = truncatedWidth(text, { limit: width, ellipsis: '…', ellipsisWidth: 1 });
  if (!ellipsed) return text;
  // The library cuts one character too late after a non-ASCII character.
  let kept = text.slice(0, index);
  while (textWidth(kept) >= width) kept = kept.slice(0, -1);
  return `${kept}…`;
}

/** Wraps plain text at spaces into lines of at most `width` columns; a longer word gets a separate line. */
export function wrapText(text: string, width: number): string[] {
  // Fast path: most lines fit, and a report on many hosts has thousands.
  if (text.length <= width && /^[!-~](?:[ -~]*[!-~])?$/.test(text)) return [text];
  return wrapAnsi(text, width).split('\n');
}

/** Wraps at `columns` with a hanging indent; without `columns` it stays one line. */
export function hangText(text: string, columns: number | undefined, indent: number): string {
  if (columns === undefined) return text;
  return wrapText(text, Math.max(24, columns - indent)).join(`\n${' '.repeat(indent)}`);
}

/** Lines to paste. */
const COMMAND = /^ +(docker|docker-tls|ssh|sudo|eval|export|unset|systemctl|loginctl) /;

const COLOURED_INDENT = /^((?:\u001b\[[\d;]*m)*)( *)/;

/** Wraps every line at `columns`, with continuation lines indented by two more columns. Commands are not wrapped. */
export function wrapLines(text: string, columns: number): string {
  const lines = text.split('\n').map((line) => {
    if (textWidth(line) <= columns || COMMAND.test(stripVTControlCharacters(line))) return line;
    // A colour may begin before the indent.
    const [, colour = '', indent = ''] = COLOURED_INDENT.exec(line) ?? [];
    const width = Math.max(24, columns - indent.length - 2);
    const [first = '', ...rest] = wrapText(colour + line.slice(colour.length + indent.length), width);
    return [`${indent}${first}`, ...rest.map((part) => `${indent}  ${part}`)].join('\n');
  });
  return lines.join('\n');
}
