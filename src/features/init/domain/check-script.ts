/** Preflight of an init script and its settings file. */

import type { DaemonView } from '../../../core/domain/plan/daemon-view.ts';
import { fileText } from '../../../core/domain/plan/facts.ts';
import { editAt, type Preflight } from '../../../core/domain/plan/preflight-config.ts';
import { sudoCommand } from '../../../core/domain/quote.ts';
import { listWords } from '../../../core/domain/words.ts';
import { FLAGS_VARIABLE, scriptAssignment, withOursBlank } from './settings-script.ts';

/** Rejects an init script that starts dockerd in another way, and settings that only a shell can evaluate. */
export function checkScript({ login, facts, add }: Preflight, view: DaemonView): void {
  const { fragment, environmentFiles } = facts.docker.unit;
  const [settings = ''] = environmentFiles;
  const script = fileText(facts, fragment) ?? '';
  if (view.commandLine === undefined)
    add('E_UNIT_COMMAND', `${fragment} does not give the words of $${FLAGS_VARIABLE} to dockerd`, [
      `see how it starts dockerd: ${sudoCommand(login, 'grep', '-n', 'dockerd', fragment)}`,
    ]);
  const flag = script
    .split('\n')
    .findIndex((line) => /^[^#]*\s(?:(?:-[Dhv]*H|--host|--tls\w*)[\s=]|-[Dhv]*H[a-z]+:\/\/)/.test(line));
  if (flag >= 0)
    add('E_UNIT_COMMAND', `${fragment}:${flag + 1}: the script itself sets listening or TLS flags`, [
      `move them to ${FLAGS_VARIABLE} in ${settings}:`,
      ...editAt(login, fragment, facts),
    ]);
  const assignment = scriptAssignment(withOursBlank(fileText(facts, settings) ?? ''));
  if (assignment === undefined || assignment.plain) return;
  const { line, earlier } = assignment;
  const [why, remedy] =
    earlier.length === 0
      ? ['put together by the shell', 'write all flags there']
      : [
          `set again, after ${listWords(earlier.map((one) => `line ${one}`))}`,
          'delete that line, with all flags in one',
        ];
  add(
    'E_UNIT_VARIABLE',
    `${settings}:${line}: ${FLAGS_VARIABLE} is ${why}, so docker-tls cannot tell which flags dockerd gets`,
    [`${remedy}, as plain text like ${FLAGS_VARIABLE}="--debug --mtu=1400":`, ...editAt(login, settings, facts)],
  );
}
