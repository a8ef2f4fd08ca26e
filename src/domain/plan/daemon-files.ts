/** Owns the files by which the daemon of each kind of host listens under mutual TLS, with the daemon's own configuration file among them. */

import type { ServiceManager } from '../../host/scripts.ts';
import { dropInName, renderDropIn, renderSocketUnit } from '../dockerd/drop-in.ts';
import { DROP_IN_DIRECTORY, SOCKET_PATH, SOCKET_UNIT, SOCKET_WANTS } from '../dockerd/paths.ts';
import type { PlacedSettings } from './daemon-settings.ts';
import type { DaemonView } from './daemon-view.ts';
import type { DesiredHost } from './desired.ts';
import type { HostFacts } from './facts.ts';
import { type FileChange, link, text } from './file-change.ts';
import { kindOf } from './host-kind.ts';
import { planDropIn, planVariables } from './plan-daemon.ts';

type DaemonFiles = {
  readonly facts: HostFacts;
  readonly view: DaemonView;
  readonly desired: DesiredHost;
  readonly placed: PlacedSettings;
  readonly listening: 'systemd' | 'daemon';
  readonly json: { readonly change?: FileChange };
  /** Where a kind adds what has to be said. */
  readonly warnings: string[];
};

const FILES: Readonly<Record<ServiceManager, (context: DaemonFiles) => FileChange[]>> = { systemd: unitFiles };

export function planDaemonFiles(context: DaemonFiles): FileChange[] {
  return FILES[kindOf(context.facts).name](context);
}

function unitFiles({ facts, view, desired, placed, listening, json, warnings }: DaemonFiles): FileChange[] {
  const dropInPath = `${DROP_IN_DIRECTORY}/${dropInName(view.otherDropIns)}`;
  return [
    ...(listening === 'systemd'
      ? [
          text(SOCKET_PATH, renderSocketUnit(desired.listen, desired.port, dropInPath)),
          link(SOCKET_WANTS, `../${SOCKET_UNIT}`),
        ]
      : []),
    ...planVariables(facts, view, desired, placed, warnings),
    ...(json.change ? [json.change] : []),
    text(dropInPath, renderDropIn(planDropIn(facts, view, desired, placed, listening))),
  ];
}
