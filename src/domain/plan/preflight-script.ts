/** Owns what of an init script prevents a change: one that starts dockerd in another way, and settings that only a shell can read. */

import type { DockerTlsError } from '../../errors/errors.ts';
import { FLAGS_VARIABLE, scriptAssignment, withoutOurs } from '../dockerd/settings-script.ts';
import { sudoCommand } from '../quote.ts';
import type { DaemonView } from './daemon-view.ts';
import { fileText } from './facts.ts';
import type { PreflightInput } from './preflight.ts';
import { collect, editAt } from './preflight-config.ts';

export function checkScript({ host, login, facts }: PreflightInput, view: DaemonView): DockerTlsError[] {
  const { found, add } = collect(host);
  const { fragment, environmentFiles } = facts.docker.unit;
  const [settings = ''] = environmentFiles;
  const script = fileText(facts, fragment) ?? '';
  if (view.commandLine === undefined)
    add('E_UNIT_COMMAND', `${fragment} does not give the words of $${FLAGS_VARIABLE} to dockerd`, [
      `see how it starts dockerd: ${sudoCommand(login, 'grep', '-n', 'dockerd', fragment)}`,
    ]);
  const flag = script.split('\n').findIndex((line) => /^[^#]*\s(?:-H|--host|--tls\w*)[\s=]/.test(line));
  if (flag >= 0)
    add('E_UNIT_COMMAND', `${fragment}:${flag + 1}: the script itself sets listening or TLS flags`, [
      `move them to ${FLAGS_VARIABLE} in ${settings}:`,
      ...editAt(login, fragment, facts),
    ]);
  const assignment = scriptAssignment(withoutOurs(fileText(facts, settings) ?? ''));
  if (assignment !== undefined && !assignment.plain)
    add(
      'E_UNIT_VARIABLE',
      `${settings}:${assignment.line}: ${FLAGS_VARIABLE} is put together by the shell, so docker-tls cannot tell which flags dockerd gets`,
      [
        'assign it once, with its whole value in double quotes on a line of its own, which begins with its name:',
        ...editAt(login, settings, facts),
      ],
    );
  return found;
}
