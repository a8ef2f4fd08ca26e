/** The last cleaning of text for documents: printable, well-formed Unicode, which XML, URIs and UTF-8 ask for, and what markup escapes. */

import { printable } from '../../../../errors/errors.ts';

/** As printable, with U+FFFD for lone surrogates (a cut can make one) and for the two code points that XML 1.0 has no place for. */
export function clean(text: string, limit?: number): string {
  return printable(text, limit).replace(
    /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\ufffe\uffff]/g,
    '\ufffd',
  );
}

/** Cleaned, and safe in the content and the double-quoted attributes of HTML and XML; each has its own word for an apostrophe. */
export function escapeMarkup(text: string, apostrophe: '&#39;' | '&apos;'): string {
  return clean(text)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, apostrophe);
}
