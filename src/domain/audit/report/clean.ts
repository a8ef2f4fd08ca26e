/** Owns the last cleaning of text for documents: printable, and well-formed Unicode, which XML, URIs and UTF-8 ask for. */

import { printable } from '../../../errors/errors.ts';

/** As printable, with U+FFFD for lone surrogates (a cut can make one) and for the two code points that XML 1.0 has no place for. */
export function clean(text: string, limit?: number): string {
  return printable(text, limit).replace(
    /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\ufffe\uffff]/g,
    '\ufffd',
  );
}
