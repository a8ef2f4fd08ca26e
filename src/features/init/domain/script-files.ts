/** Files for mutual TLS on hosts whose init runs scripts. */

import { replaceValue } from '../../../core/domain/dockerd/environment-file.ts';
import type { DaemonFiles } from '../../../core/domain/plan/daemon-files.ts';
import { needsGuard, tlsSettings } from '../../../core/domain/plan/daemon-view.ts';
import { fileText, realPath } from '../../../core/domain/plan/facts.ts';
import { edited, type FileChange } from '../../../core/domain/plan/file-change.ts';
import { droppedFlags, keptWords, ownFlags } from '../../../core/domain/plan/plan-daemon.ts';
import { renderScriptGuard } from './script-guard.ts';
import { withOurs, withoutOurs } from './settings-script.ts';

/** The settings file with our flags appended, and without the administrator's flags that ours replace. */
export function scriptFiles(input: DaemonFiles): FileChange[] {
  const { facts, view, json } = input;
  const [settings = ''] = facts.docker.unit.environmentFiles;
  const path = realPath(facts, settings);
  const before = withoutOurs(fileText(facts, path) ?? '');
  const kept = view.variables.reduce((now, variable) => {
    const dropped = droppedFlags(input, variable);
    return dropped.length === 0 ? now : replaceValue(now, variable, keptWords(variable, dropped));
  }, before);
  const { tlscacert } = tlsSettings(facts.places);
  const after = withOurs(kept, ownFlags(input), (line) =>
    needsGuard(view, input.listening) ? renderScriptGuard(view.configName, tlscacert, line) : line,
  );
  return [...(json.change ? [json.change] : []), edited(facts, path, after)];
}

/**
 * A settings file without our lines. Needed if the host's records were lost and a later setup took the file with our lines as the original.
 */
export function withoutOurSettings(change: FileChange): FileChange {
  if (change.kind !== 'file' || change.after === undefined || !/^\/etc\/(default|conf\.d)\/docker$/.test(change.path))
    return change;
  const after = withoutOurs(change.after);
  return after === change.after ? change : { ...change, after, copy: undefined };
}
