/** Lines that are redrawn in place at the end of a terminal's output, also when it is cleared or resized meanwhile. */

import { textWidth } from '../core/domain/words.ts';

type LiveLines = {
  /** The codes that erase the lines; empty if there are none. */
  erase(): string;
  /** The lines as text to print, after `erase`. */
  draw(rows: readonly string[]): string;
};

export type Resizing = {
  /**
   * The terminal breaks lines at its new width before it tells it, as tmux does for a quarter of a second. There, the cursor waits at the
   * beginning of the lines, and no line is broken while they are printed. Elsewhere it waits behind them: xterm.js moves a cursor above lines
   * that it breaks.
   */
  readonly tellsWidthLate?: boolean;
  /** The terminal breaks lines that no longer fit. xterm and the console of Linux cut them. */
  readonly reflows?: boolean;
};

const REFLOWS = [
  'VTE_VERSION',
  'KONSOLE_VERSION',
  'KITTY_WINDOW_ID',
  'ALACRITTY_WINDOW_ID',
  'WT_SESSION',
  'TERM_PROGRAM',
];

/** What the environment tells of the terminal. */
export function resizingOf(env: Readonly<Record<string, string | undefined>>): Resizing {
  return {
    tellsWidthLate: Boolean(env.TMUX) || /^(?:tmux|screen)/.test(env.TERM ?? ''),
    reflows: REFLOWS.some((name) => env[name]),
  };
}

/** `columns`: the width as far as known. */
export function createLiveLines(
  columns: () => number,
  { tellsWidthLate = false, reflows = false }: Resizing,
): LiveLines {
  /** Widths of the lines. */
  let drawn: readonly number[] = [];
  return {
    erase() {
      // Where it is not known that the terminal has broken its lines, more rows up could be those of results: rather, a row stays behind.
      const rowsOf = (width: number) => (reflows ? Math.max(1, Math.ceil(width / columns())) : 1);
      const above = tellsWidthLate ? 0 : drawn.reduce((sum, width) => sum + rowsOf(width), 0);
      // tmux keeps the screen in its history when everything is erased from the top left corner: the first line goes by itself.
      const codes = drawn.length > 0 ? `${up(above)}\r\u001b[K\u001b[C\u001b[J\r` : '';
      drawn = [];
      return codes;
    },
    draw(rows) {
      drawn = rows.map((row) => textWidth(row));
      const lines = rows.map((row) => `${row}\n`).join('');
      return tellsWidthLate && rows.length > 0 ? `\u001b[?7l${lines}\u001b[?7h${up(rows.length)}` : lines;
    },
  };
}

function up(rows: number): string {
  return rows > 0 ? `\u001b[${rows}A` : '';
}
