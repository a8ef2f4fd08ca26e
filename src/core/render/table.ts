/** Aligned tables for users. Pure. Cells are cleaned here, so text from a host may be passed unchanged. */

import { printable } from '../../errors/errors.ts';
import { cutText, hangText, padText, textWidth } from '../domain/words.ts';

/** A cell: text, or text with a function that colours it after cleaning and cutting. */
export type Cell = string | number | { readonly text: string | number; readonly style?: (text: string) => string };

export type Column = {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Minimum width when the table has to shrink; columns without it keep their full width. */
  readonly shrinkTo?: number;
  /** Of the last column: what does not fit goes on below. */
  readonly wraps?: boolean;
  /** Priority for removal when shrinking is not enough: the highest goes first. */
  readonly leaveOut?: number;
};

type TableOptions = {
  readonly columns?: number;
  readonly titleStyle?: (text: string) => string;
};

const GAP = 2;

/** A table with rows added one by one. */
export type OpenTable = { readonly head: string; row(cells: readonly Cell[]): string };

/** Lines with a line end each; an empty text without rows. If the terminal is too narrow, shrinkable columns are cut and others removed. */
export function renderTable(
  all: readonly Column[],
  every: readonly (readonly Cell[])[],
  options: TableOptions = {},
): string {
  if (every.length === 0) return '';
  const { head, row } = openTable(all, every, options);
  return [head, ...every.map(row)].join('');
}

/** A table printed line by line: columns are as wide as `every` row needs, and wider cells of later rows are cut. */
export function openTable(
  all: readonly Column[],
  every: readonly (readonly Cell[])[],
  options: TableOptions = {},
): OpenTable {
  const full = all.map(({ title }, index) =>
    Math.max(textWidth(title), ...every.map((row) => textWidth(cellText(row[index] ?? '')))),
  );
  const kept = keptColumns(all, full, options);
  const columns = kept.map((index) => all[index] as Column);
  const wanted = kept.map((index) => full[index] as number);
  const widths = shrink(columns, wanted, options.columns);
  const titleStyle = options.titleStyle ?? ((text: string) => text);
  const head = columns.map(({ title }, index) => place(title, columns, widths, index, titleStyle));
  const last = columns.length - 1;
  const start = widths.slice(0, last).reduce((sum, width) => sum + width + GAP, 0);
  const line = (cells: readonly string[]) => `${cells.join(' '.repeat(GAP)).trimEnd()}\n`;
  return {
    head: line(head),
    row(cells) {
      const shown = kept.map((index) => cells[index] ?? '');
      return line(
        shown.map((cell, index) =>
          index === last && columns[last]?.wraps
            ? cellStyle(cell)(hangText(cellText(cell), options.columns, start))
            : place(cellText(cell), columns, widths, index, cellStyle(cell)),
        ),
      );
    },
  };
}

/** The indices of the columns that fit. `wanted`: their uncut widths. */
function keptColumns(
  columns: readonly Column[],
  wanted: readonly number[],
  { columns: room = Number.POSITIVE_INFINITY }: TableOptions,
): readonly number[] {
  const least = wanted.map((width, index) => Math.min(width, columns[index]?.shrinkTo ?? width));
  let kept = [...columns.keys()];
  const width = (): number => kept.reduce((sum, index) => sum + (least[index] as number) + GAP, -GAP);
  const order = (index: number): number => columns[index]?.leaveOut ?? 0;
  while (width() > room) {
    const last = Math.max(...kept.map(order));
    if (last === 0) break;
    kept = kept.filter((index) => order(index) !== last);
  }
  return kept;
}

function place(
  text: string,
  columns: readonly Column[],
  widths: readonly number[],
  index: number,
  style: (text: string) => string,
): string {
  const width = widths[index] as number;
  const cut = cutText(text, width);
  // The space is outside of the colour, so that only the text is coloured or underlined.
  const space = padText('', width - textWidth(cut));
  if (columns[index]?.align === 'right') return space + style(cut);
  return index === columns.length - 1 ? style(cut) : style(cut) + space;
}

/** Shrinks columns that may shrink, always the widest first, until the table fits. */
function shrink(columns: readonly Column[], wanted: readonly number[], room: number | undefined): number[] {
  const widths = [...wanted];
  if (room === undefined) return widths;
  let excess = widths.reduce((sum, width) => sum + width, 0) + GAP * (widths.length - 1) - room;
  while (excess > 0) {
    let widest = -1;
    for (const [index, { shrinkTo }] of columns.entries()) {
      if (shrinkTo === undefined || (widths[index] as number) <= shrinkTo) continue;
      if (widest < 0 || (widths[index] as number) > (widths[widest] as number)) widest = index;
    }
    if (widest < 0) break;
    widths[widest] = (widths[widest] as number) - 1;
    excess -= 1;
  }
  return widths;
}

function cellText(cell: Cell): string {
  return printable(String(typeof cell === 'object' ? cell.text : cell), 400);
}

function cellStyle(cell: Cell): (text: string) => string {
  return (typeof cell === 'object' ? cell.style : undefined) ?? ((text) => text);
}

/** The maximum width of a table: the terminal's. Without a terminal it is unlimited, because a program or a file gets it. */
export function tableWidth(io: { readonly outIsTerminal: boolean; readonly columns: number }): number | undefined {
  return io.outIsTerminal ? io.columns : undefined;
}
