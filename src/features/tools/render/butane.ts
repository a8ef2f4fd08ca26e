/** Output of `butane`: the file on stdout, and the next steps on stderr. */

import type { CommandResult } from '../../../cli/command.ts';
import type { ButaneFile } from '../actions/butane.ts';

export function renderButaneFile(
  file: ButaneFile,
  { options: { check } }: { readonly options: { readonly check: boolean } },
): CommandResult {
  const { text, host, filesDirectory, pending, warnings } = file;
  return {
    exit: check && pending ? 3 : 0,
    result: { host, butane: text, filesDirectory, changes: pending, warnings },
    text: text.replace(/\n$/, ''),
    verbatim: true,
  };
}
