/** Files for mutual TLS by host kind, including the daemon's configuration file. */

import { dropInName, renderClosedService, renderDropIn, renderSocketUnit } from '../dockerd/drop-in.ts';
import { CLOSED_SERVICE } from '../dockerd/paths.ts';
import { byKind } from './by-kind.ts';
import type { HostFacts } from './facts.ts';
import { type FileChange, link, textFile } from './file-change.ts';
import { kindOf } from './host-kind.ts';
import type { DesiredListener } from './listener.ts';
import { type DaemonInput, planDropIn, planVariables, type UnitInput } from './plan-daemon.ts';

export type DaemonFiles = DaemonInput & { readonly json: { readonly change?: FileChange } };

export type KindFiles = {
  /** For a daemon that accepts clients itself. */
  readonly of: (context: DaemonFiles) => FileChange[];
  /** Those of the daemon behind a listener, if it has no socket of its own that a listener could use. */
  readonly behind?: (facts: HostFacts, listener: DesiredListener) => FileChange[];
  /** Warnings of a plan about what it leaves as it is. */
  readonly warnings?: (facts: HostFacts) => string[];
  /** In every generation, with any listener. */
  readonly always?: (facts: HostFacts) => FileChange[];
  /**
   * Removal: a file of before setup without lines of ours. Needed if the host's records were lost and a later setup took the file with our lines
   * as the original.
   */
  readonly cleaned?: (change: FileChange) => FileChange;
};

export const DAEMON_FILES = byKind<KindFiles>({ of: unitFiles });

export function unitFiles(input: DaemonFiles & UnitInput): FileChange[] {
  const { facts, view, desired, listening, json } = input;
  const dropInPath = `${facts.places.dropIns}/${dropInName(view.otherDropIns)}`;
  const { service, sockets, systemctl } = kindOf(facts);
  return [
    ...(listening === 'systemd'
      ? [
          textFile(
            facts.places.socket,
            renderSocketUnit(desired.listen, desired.port, { service: CLOSED_SERVICE, condition: dropInPath }),
          ),
          link(facts.places.socketWants, `../${sockets.tls}`),
          textFile(
            facts.places.closed,
            renderClosedService({ service, sockets, systemctl: systemctl.join(' '), dockerd: facts.docker.binary }),
          ),
        ]
      : []),
    ...planVariables(input),
    ...(json.change ? [json.change] : []),
    textFile(dropInPath, renderDropIn(planDropIn(input))),
  ];
}

/** Whichever kind the host was when the file was changed. */
export function withoutOurLines(change: FileChange): FileChange {
  return [...DAEMON_FILES.entries.values()].reduce((now, { cleaned }) => cleaned?.(now) ?? now, change);
}
