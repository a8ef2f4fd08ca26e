/** Values of the setting `harden`. domain/values.ts reads them. */

import { seam } from './seam.ts';

export const HARDEN_VALUES = seam<{
  readonly names: readonly string[];
  /** Forms with a value; `editor`: the pattern for editors of fleet files. */
  readonly values: readonly { readonly pattern: RegExp; readonly editor: string }[];
}>();
