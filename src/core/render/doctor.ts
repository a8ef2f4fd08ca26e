/** The cause found by doctor. */

import type { CommandResult } from '../../cli/command.ts';
import { printable } from '../../errors/errors.ts';
import type { Examination } from '../actions/doctor.ts';
import type { Around } from './change.ts';
import { coloursOf } from './colours.ts';

export function renderExamination(found: Examination, { runtime }: Around): CommandResult {
  const { green, red, bold, dim } = coloursOf(runtime.io);
  const { cause, message, journal, sshProblem, note, hints } = found;
  const well = cause === 'none';
  const ssh = cause === 'ssh' ? undefined : sshProblem;
  const text = [
    `${well ? green('✓') : red('✗')} ${bold(well ? 'all is well' : cause)}: ${message}`,
    ...journal.map((line) => dim(`  journal: ${line}`)),
    ...(ssh === undefined ? [] : [dim(`  ssh: ${printable(ssh.message)}`)]),
    ...(note === undefined ? [] : [`  ${note}`]),
  ].join('\n');
  const next = [...hints, ...(ssh?.hints ?? [])];
  return { exit: well ? 0 : 7, result: found, text, attention: '', next };
}
