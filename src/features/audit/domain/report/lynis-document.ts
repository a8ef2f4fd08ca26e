/** Lynis' report in the JSON of an audit. */

import type { LynisAnswer } from '../lynis.ts';

export type LynisDocument =
  | {
      readonly index: number;
      readonly version: string;
      readonly warnings: readonly { readonly test: string; readonly text: string }[];
      /** How many there are. */
      readonly suggestions: number;
      /** Fixes of harden that raise the index. */
      readonly fixes: readonly string[];
    }
  /** Why there is no report. */
  | { readonly missing: string };

export function lynisDocument(lynis: LynisAnswer): LynisDocument {
  if ('missing' in lynis) return { missing: lynis.missing };
  const { index, version, warnings, suggestions, fixes } = lynis;
  return { index, version, warnings: warnings.map(({ test, text }) => ({ test, text })), suggestions, fixes };
}
