/** The changed lines of a text, passwords masked. */

import { createTwoFilesPatch } from 'diff';
import { printable } from '../../errors/errors.ts';
import { maskPasswords } from '../domain/secret.ts';
import type { Colours } from './colours.ts';

/** Lines that begin with `+`, `-`, a blank, or `@@`. */
export function diffLines(before: string, after: string): string[] {
  return createTwoFilesPatch('', '', before, after, '', '', { context: 1 })
    .split('\n')
    .slice(4)
    .filter((line) => line !== '' && !line.startsWith('\\'));
}

export function paintDiff(lines: readonly string[], colours: Colours): string[] {
  return lines.map((line) => {
    const text = `    ${printable(maskPasswords(line))}`;
    if (line.startsWith('+')) return colours.green(text);
    if (line.startsWith('-')) return colours.red(text);
    return colours.dim(text);
  });
}
