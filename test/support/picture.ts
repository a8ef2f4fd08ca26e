/** Pictures of docs/pictures: SVG from what a terminal shows, and a timeline of connections. Dark and light follow the reader's setting. */

import type { StyledRun } from './terminal.ts';

export type Screen = readonly (readonly StyledRun[])[];

const COLUMN = 8.4;
const LINE = 18;
const MARGIN = 16;
const FONT = 'ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace';

/** Colours of a terminal, on light and on dark; both have a contrast of 4.5 at least. */
const COLOURS: Readonly<Record<number, readonly [light: string, dark: string]>> = {
  1: ['#b42318', '#ff8a80'],
  2: ['#1a7f37', '#6fdd8b'],
  3: ['#8a5a00', '#f2cc60'],
  4: ['#0550ae', '#79c0ff'],
  5: ['#8250df', '#d2a8ff'],
  6: ['#0b6b75', '#76e3ea'],
};

const rules = (which: 0 | 1): string =>
  Object.entries(COLOURS)
    .map(([colour, pair]) => `.c${colour}{fill:${pair[which]}}`)
    .join('');

const STYLE =
  `text{font:14px ${FONT};fill:#1f2328;white-space:pre}.box{fill:#f6f8fa;stroke:#d0d7de}.b{font-weight:600}.d{fill:#59636e}${rules(0)}` +
  '.line{stroke:#59636e}.dot{fill:#1a7f37}.span{fill:#f2cc60;opacity:.45}' +
  `@media(prefers-color-scheme:dark){text{fill:#e6edf3}.box{fill:#161b22;stroke:#30363d}.d{fill:#9198a1}${rules(1)}.line{stroke:#9198a1}.dot{fill:#6fdd8b}}`;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function lookOf({ colour, bold, dim }: StyledRun): string {
  // Bright colours (8 to 15) are the same as the others; 8 is grey.
  const shade = colour === undefined || colour % 8 === 7 ? '' : colour === 8 || colour === 0 ? 'd' : `c${colour % 8}`;
  return [bold ? 'b' : '', dim ? 'd' : '', shade].filter((name) => name !== '').join(' ');
}

function renderLines(screen: Screen): string {
  return screen
    .map((line, row) => {
      const runs = line.map((run) => {
        const look = lookOf(run);
        return look === '' ? escaped(run.text) : `<tspan class="${look}">${escaped(run.text)}</tspan>`;
      });
      return runs.length === 0 ? '' : `<text x="${MARGIN}" y="${MARGIN + 14 + row * LINE}">${runs.join('')}</text>\n`;
    })
    .join('');
}

function svg(width: number, height: number, title: string, body: string, style = ''): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">\n` +
    `<title>${escaped(title)}</title>\n<style>${STYLE}${style}</style>\n` +
    `<rect class="box" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>\n${body}</svg>\n`
  );
}

/** One screen, or several that follow each other, `seconds` each. Readers who want no motion see the last one. */
export function renderScreens(title: string, screens: readonly Screen[], seconds = 4): string {
  const rows = Math.max(...screens.map((screen) => screen.length));
  const columns = Math.max(...screens.flat().map((line) => line.reduce((sum, { text }) => sum + [...text].length, 0)));
  const width = Math.ceil(columns * COLUMN + 2 * MARGIN);
  const height = rows * LINE + 2 * MARGIN;
  if (screens.length === 1) return svg(width, height, title, renderLines(screens[0] as Screen));
  const share = 100 / screens.length;
  const style =
    `.f{visibility:hidden;animation:f ${screens.length * seconds}s steps(1) infinite}` +
    `@keyframes f{0%{visibility:visible}${share}%{visibility:hidden}}` +
    '@media(prefers-reduced-motion:reduce){.f{animation:none}.f:last-of-type{visibility:visible}}';
  const frames = screens.map(
    (screen, index) => `<g class="f" style="animation-delay:${index * seconds}s">\n${renderLines(screen)}</g>\n`,
  );
  return svg(width, height, title, frames.join(''), style);
}

/** A page as a browser serialises it, cut at `height`: the browser of the reader draws it, in its own dark or light. */
export function renderDocument(title: string, xhtml: string, width: number, height: number): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">\n` +
    `<title>${escaped(title)}</title>\n<foreignObject width="${width}" height="${height}">\n${xhtml}\n</foreignObject></svg>\n`
  );
}

export type Connection = { readonly atMs: number; readonly tookMs: number; readonly refused: boolean };

/** Each connection as a dot, from left to right by its start and upwards by its duration; the restart as a band. */
export function renderTimeline(
  title: string,
  all: readonly Connection[],
  restart: { fromMs: number; toMs: number },
): string {
  const [width, height, left, bottom] = [820, 260, 70, 210];
  const endMs = Math.max(...all.map(({ atMs }) => atMs), restart.toMs);
  const topMs = Math.max(...all.map(({ tookMs }) => tookMs)) * 1.1;
  const x = (ms: number): string => (left + (ms / endMs) * (width - left - 2 * MARGIN)).toFixed(1);
  const y = (ms: number): string => (bottom - (ms / topMs) * (bottom - 60)).toFixed(1);
  const refused = all.filter((one) => one.refused).length;
  const longest = Math.max(...all.map(({ tookMs }) => tookMs));
  const words = (at: readonly [number | string, number], text: string, look = ''): string =>
    `<text x="${at[0]}" y="${at[1]}"${look === '' ? '' : ` class="${look}"`}>${escaped(text)}</text>\n`;
  const band = Number(x(restart.toMs)) - Number(x(restart.fromMs));
  return svg(
    width,
    height,
    title,
    [
      words(
        [MARGIN, 28],
        `${all.length} connections, ${refused} refused; the longest waited ${longest.toFixed(0)} ms`,
        'b',
      ),
      `<rect class="span" x="${x(restart.fromMs)}" y="44" width="${band.toFixed(1)}" height="${bottom - 44}"/>\n`,
      words([x(restart.fromMs), 58], ' dockerd restarts', 'd'),
      `<path class="line" d="M${left} 60V${bottom}H${width - MARGIN}" fill="none"/>\n`,
      words([MARGIN, 72], `${longest.toFixed(0)} ms`, 'd'),
      words([MARGIN, bottom], '0 ms', 'd'),
      words([left, bottom + 24], '0 s', 'd'),
      words([width - 2 * MARGIN - 40, bottom + 24], `${(endMs / 1000).toFixed(1)} s`, 'd'),
      ...all.map(
        ({ atMs, tookMs, refused: not }) =>
          `<circle class="${not ? 'c1' : 'dot'}" cx="${x(atMs)}" cy="${y(tookMs)}" r="2.5"/>`,
      ),
      '\n',
    ].join(''),
  );
}

/** The words of a picture, without what differs from run to run: numbers, dates, addresses, fingerprints. */
export function wordsOf(picture: string): string {
  return picture
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replace(/SHA256:\s*[\w+/]+/g, 'SHA256:X')
    .replace(/\b[\da-f]*:[\da-f:]*:[\da-f:]*\b/g, '::0')
    .replace(/\d+/g, '0')
    .replace(/(?:0[.:-])+0/g, '0')
    .replace(/\s+/g, ' ')
    .trim();
}
