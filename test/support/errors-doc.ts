/** Generator of docs/lists/errors.md from the catalogue: every code with its exit status, meaning and fix. */

import { ERROR_GROUPS } from '../../src/errors/catalogue.ts';

/** Formats commands in a fix as code; a sentence ends in a full stop. */
function fixCell(fix: string): string {
  const text = fix.replaceAll('|', '\\|');
  return /^[A-Z].*\.$/.test(fix) ? text : `\`${text}\``;
}

export function renderErrorsDoc(): string {
  return `${[
    '# Errors',
    '',
    'A failure prints `error[CODE] where: what happened`, its details, and `hint:` lines to paste; `--json` carries the same as `error`.',
    'Codes are stable: scripts may match them. Several failures at once are `E_SEVERAL`, with each of them in `error.errors`.',
    '',
    '| exit status | meaning |',
    '|---|---|',
    '| 0 | done, or nothing to do |',
    '| 1 | a bug in docker-tls, or output that could not be written |',
    '| 2 | usage or configuration; nothing was changed |',
    '| 3 | an honest "no": changes are pending, a renewal is due, a finding is over the threshold, something still depends on it |',
    '| 4 | unreachable or refused; nothing was changed on that host |',
    '| 5 | failed and rolled back |',
    '| 6 | rolling back failed |',
    '| 7 | verification failed |',
    '| 130 | interrupted or declined |',
    '',
    'The status of a run over several hosts is the gravest one, in the order 130, 6, 1, 5, 7, 4, 2, 3. A failure that ends a change that',
    'had begun keeps its code and ends with 5, because the host was rolled back; only `E_VERIFY` (7) and `E_ROLLBACK` (6) keep their own.',
    // A group of a feature that was deleted is empty.
    ...ERROR_GROUPS.filter(([, codes]) => Object.keys(codes).length > 0).flatMap(([title, codes]) => [
      '',
      `## ${title}`,
      '',
      '| code | exit | meaning | what to do |',
      '|---|---|---|---|',
      ...Object.entries(codes).map(
        ([code, [exit, meaning, fix]]) =>
          `| <a id="${code.toLowerCase()}"></a>\`${code}\` | ${exit} | ${meaning} | ${fixCell(fix)} |`,
      ),
    ]),
  ].join('\n')}\n`;
}
