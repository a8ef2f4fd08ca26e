/** Hardening output: the change, its costs, skipped fixes, and the list of fixes. */

import type { CommandResult } from '../../../cli/command.ts';
import { hangText } from '../../../core/domain/words.ts';
import { type Around, renderChange } from '../../../core/render/change.ts';
import { coloursOf } from '../../../core/render/colours.ts';
import { costLines } from '../../../core/render/outcome.ts';
import { tableWidth } from '../../../core/render/table.ts';
import type { Hardened } from '../actions/harden.ts';
import { NEVER, needsYes, type Risk } from '../domain/fixes.ts';
import { FIXES, leftOutWords, profilesOf } from '../domain/hardening/hardening.ts';
import { PACKAGES } from '../domain/packages.ts';

const RISK_WORDS: Readonly<Record<Risk, string>> = { none: 'no risk', low: 'low risk', yes: 'needs its own consent' };

export function renderHardened(
  { changed, fixes, packages, leftOut, unmade, report }: Hardened,
  around: Around,
): CommandResult {
  const { io } = around.runtime;
  const { result, text, ...rest } = renderChange(changed, around);
  const costs = changed.results.flatMap((one) => (one.kind === 'done' ? costLines(one.value) : []));
  const lines = [...costs, ...leftOut.map(leftOutWords), ...unmade].map((line) =>
    coloursOf(io).yellow(hangText(line, tableWidth(io), 2)),
  );
  const installs = packages.flatMap(({ host, lines: [first = '', ...more], warnings }) => [
    ...[`${host}: ${first}`, ...more],
    ...warnings,
  ]);
  const warned = packages.flatMap(({ host, warnings }) => warnings.map((warning) => `${host}: ${warning}`));
  return {
    ...rest,
    result: {
      fixes,
      packages: packages.map(packagesJson),
      leftOut: leftOut.map((fix) => fix.name),
      ...result,
      report,
    },
    attention: [...warned, rest.attention ?? ''].filter((part) => part !== '').join('\n'),
    text: [...installs, text, ...lines, ...(report === undefined ? [] : [`The report is in ${report}`])].join('\n'),
  };
}

function packagesJson({ host, install, present, warnings }: Hardened['packages'][number]) {
  return { host, packages: install, present, warnings };
}

export function renderFixes({ runtime }: Around): CommandResult {
  const columns = tableWidth(runtime.io);
  const fixes = FIXES.map((fix) => ({
    ...fix,
    profiles: profilesOf(fix.name),
    needsYes: needsYes(fix.name),
  }));
  const text = fixes
    .map((fix) =>
      [
        `${fix.name}  (${fix.profiles.join(', ')}; ${RISK_WORDS[fix.risk]})`,
        `    ${hangText(fix.title, columns, 4)}`,
        ...(fix.cost
          ? [
              `    ${hangText(`costs: ${fix.cost}${fix.risk === 'yes' ? ` (needs --accept ${fix.name})` : ''}`, columns, 4)}`,
            ]
          : []),
      ].join('\n'),
    )
    .join('\n');
  const never = NEVER.map(({ setting, why }) => `    ${hangText(`${setting}: ${why}`, columns, 6)}`);
  const packages = PACKAGES.map(({ name, title, risk }) => `    ${hangText(`${name}: ${title}; ${risk}`, columns, 6)}`);
  return {
    exit: 0,
    result: { fixes, packages: PACKAGES, never: NEVER },
    text: [
      text,
      'packages, by --install PACKAGE --accept PACKAGE only:',
      ...packages,
      'never, by no fix and no profile:',
      ...never,
    ].join('\n'),
  };
}
