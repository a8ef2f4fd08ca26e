/** Final cleaning of text for documents: printable, well-formed Unicode for XML, URIs and UTF-8, and escapes for markup. */

import { printable } from '../../../../errors/errors.ts';

/** Like `printable`, with U+FFFD for lone surrogates (from a cut) and for the two code points that XML 1.0 forbids. */
export function clean(text: string, limit?: number): string {
  return printable(text, limit).replace(
    /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\ufffe\uffff]/g,
    '\ufffd',
  );
}

/** Cleaned, and safe in content and double-quoted attributes of HTML and XML; each has its own escape for an apostrophe. */
export function escapeMarkup(text: string, apostrophe: '&#39;' | '&apos;'): string {
  return clean(text)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, apostrophe);
}
