/** Files for mutual TLS of a user's own daemon, and its start command. */

import type { DaemonFiles } from '../../../core/domain/plan/daemon-files.ts';
import { unitFiles } from '../../../core/domain/plan/daemon-files.ts';
import type { DaemonView } from '../../../core/domain/plan/daemon-view.ts';
import type { HostFacts } from '../../../core/domain/plan/facts.ts';
import { type FileChange, stateChange, textFile } from '../../../core/domain/plan/file-change.ts';
import { usesListener } from '../../../core/domain/plan/listener.ts';
import type { HostPlan } from '../../../core/domain/plan/plan-host.ts';
import { unitStart } from '../../../core/domain/plan/validation.ts';
import { renderListenScript } from './listen-script.ts';

/** Units of the user, and the script that starts their dockerd with the port of the socket unit. */
export function ownFiles(context: DaemonFiles): FileChange[] {
  const { facts, view, desired } = context;
  const { listen, localSocket } = facts.places;
  const local = view.listeners.some(({ kind }) => kind === 'unix') ? [] : ['-H', `unix://${localSocket}`];
  const handed = view.listeners.some(({ kind }) => kind === 'fd') ? [] : ['-H', 'fd://'];
  return [
    textFile(listen, renderListenScript(Math.max(1, desired.listen.length)), '0755'),
    ...unitFiles({ ...context, start: [listen], hosts: [...handed, ...local] }),
  ];
}

/** Lets the user's systemd run without a login: otherwise the daemon and the rollback would end with the last session. */
export function planLinger({ linger }: HostFacts): FileChange[] {
  if (linger?.state !== 'may') return [];
  return [stateChange('linger', linger.file, 'present', '-', 'loginctl enable-linger')];
}

/** Without dockerd-rootless.sh, and without our script before it: dockerd also validates outside RootlessKit's namespaces. */
export function ownStart(plan: HostPlan, facts: HostFacts, view: DaemonView): string {
  const scripts = usesListener(plan) ? /^\S+(?= |$)/ : /^\S+ \S+(?= |$)/;
  return unitStart(plan, facts, view).replace(scripts, () => facts.docker.binary);
}
