/** Owns how a change of a text looks to users: its lines, passwords masked. */

import { createTwoFilesPatch } from 'diff';
import type { FileChange } from '../../domain/plan/file-change.ts';
import { maskPasswords } from '../../domain/secret.ts';
import { printable } from '../../errors/errors.ts';
import type { Colours } from './colours.ts';

/** What is lost of a file that was edited by hand. */
export function renderLoss({ before = '', after = '' }: FileChange, colours: Colours): string[] {
  return renderDiff(before, after, colours);
}

export function renderDiff(before: string, after: string, colours: Colours): string[] {
  return createTwoFilesPatch('', '', before, after, '', '', { context: 1 })
    .split('\n')
    .slice(4)
    .filter((line) => line !== '' && !line.startsWith('\\'))
    .map((line) => {
      const text = `    ${printable(maskPasswords(line))}`;
      if (line.startsWith('+')) return colours.green(text);
      if (line.startsWith('-')) return colours.red(text);
      return colours.dim(text);
    });
}
