/** HTML escaping: the only way to put text into the page. */

import { escapeMarkup } from './clean.ts';

/** HTML created by this program; other text enters only through `text`. */
export type Html = { readonly html: string };

/** Safe in content and in double-quoted attributes (HTML Living Standard 13.1.2.3, 13.1.4). */
function escapeHtml(value: string): string {
  return escapeMarkup(value, '&#39;').replace(/`/g, '&#96;');
}

type Part = string | number | Html | undefined | readonly Html[];

function render(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return String(part);
  return 'html' in part ? part.html : part.map((item) => item.html).join('');
}

/** Template tag: escapes every inserted value unless this tag created it. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: strings.reduce((whole, piece, index) => whole + render(parts[index - 1]) + piece) };
}

/** Anchor name from any text: letters, digits and dashes. */
export function anchor(...parts: readonly (string | number)[]): string {
  return parts
    .map((part) => String(part).replace(/[^A-Za-z0-9.]/g, (character) => `-${character.codePointAt(0)?.toString(16)}-`))
    .join('_');
}
