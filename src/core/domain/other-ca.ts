/** Another issuer's CA that a host accepts, in words. */

import { dateWords } from './words.ts';

export type OtherCa = { readonly subject: string; readonly fingerprint: string; readonly notAfter: Date };

export function otherCaWords({ subject, notAfter }: OtherCa): string {
  return `every client of the CA "${subject}" (until ${dateWords(notAfter)})`;
}
