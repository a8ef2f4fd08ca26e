/** Start of dockerd by an init script. */

import type { DaemonStart } from '../../../core/domain/plan/daemon-start.ts';
import type { DaemonView } from '../../../core/domain/plan/daemon-view.ts';
import { fileText, type HostFacts, realPath } from '../../../core/domain/plan/facts.ts';
import type { HostPlan } from '../../../core/domain/plan/plan-host.ts';
import { FLAGS_VARIABLE, scriptAssignment, scriptFlags, withoutOurs } from './settings-script.ts';

/** An init script starts dockerd with the words of one variable, from a settings file that it sources. */
export function startOfScript(facts: HostFacts): DaemonStart {
  const { fragment, environmentFiles } = facts.docker.unit;
  const script = fileText(facts, fragment)?.split('\n') ?? [];
  const at = script.findIndex((line) => !/^\s*#/.test(line) && usesFlags(line));
  const [settings = ''] = environmentFiles;
  const path = realPath(facts, settings);
  const found = scriptAssignment(withoutOurs(fileText(facts, settings) ?? ''));
  const [running = ''] = facts.docker.cmdline;
  const text = `$${FLAGS_VARIABLE}`;
  return {
    execStart:
      at < 0 ? undefined : { path: fragment, line: at + 1, section: '', key: '', value: script[at]?.trim() ?? '' },
    commandLine:
      at < 0
        ? undefined
        : {
            head: [],
            program: running.startsWith('/') ? running : facts.docker.binary,
            environment: [],
            flags: [{ name: '', value: text, words: [{ raw: text, text }] }],
          },
    otherDropIns: [],
    variable: (name) => (name === FLAGS_VARIABLE && found !== undefined ? { ...found, path, file: path } : undefined),
  };
}

/** Whether a script line passes the variable's words to a program. */
function usesFlags(line: string): boolean {
  return new RegExp(`\\$(?:${FLAGS_VARIABLE}\\b|\\{${FLAGS_VARIABLE}\\})`).test(line);
}

/** An init script's start command in systemd syntax; empty if a shell would split the flags differently. */
export function scriptStart(plan: HostPlan, facts: HostFacts, view: DaemonView): string {
  const [settings = ''] = view.environmentFiles;
  const flags = scriptFlags(plan.files.find(({ path }) => path === settings)?.after ?? fileText(facts, settings) ?? '');
  const program = view.commandLine?.program ?? '';
  return program === '' || /["'\\%$]/.test(flags) ? '' : `${program} ${flags}`;
}
