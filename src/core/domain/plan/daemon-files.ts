/** Files for mutual TLS by host kind, including the daemon's configuration file. */

import type { KindName } from '../../host/scripts.ts';
import { dropInName, renderClosedService, renderDropIn, renderSocketUnit } from '../dockerd/drop-in.ts';
import { replaceValue } from '../dockerd/environment-file.ts';
import { renderScriptGuard } from '../dockerd/json-guard.ts';
import { renderListenScript } from '../dockerd/listen-script.ts';
import { CLOSED_SERVICE } from '../dockerd/paths.ts';
import { renderPodmanApi, renderPodmanService } from '../dockerd/podman-units.ts';
import { withOurs, withoutOurs } from '../dockerd/settings-script.ts';
import { needsGuard, tlsSettings } from './daemon-view.ts';
import { fileText, type HostFacts, realPath } from './facts.ts';
import { edited, type FileChange, link, textFile } from './file-change.ts';
import { kindOf } from './host-kind.ts';
import type { DesiredListener } from './listener.ts';
import {
  type DaemonInput,
  droppedFlags,
  keptWords,
  ownFlags,
  planDropIn,
  planVariables,
  type UnitInput,
} from './plan-daemon.ts';

type DaemonFiles = DaemonInput & { readonly json: { readonly change?: FileChange } };

/** File planners by host kind. */
export const DAEMON_FILES: Readonly<Record<KindName, (context: DaemonFiles) => FileChange[]>> = {
  systemd: unitFiles,
  sysvinit: scriptFiles,
  openrc: scriptFiles,
  rootless: ownFiles,
  podman: podmanFiles,
};

function unitFiles(input: DaemonFiles & UnitInput): FileChange[] {
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

/** Units of the user, and the script that starts their dockerd with the port of the socket unit. */
function ownFiles(context: DaemonFiles): FileChange[] {
  const { facts, view, desired } = context;
  const { listen, localSocket } = facts.places;
  const local = view.listeners.some(({ kind }) => kind === 'unix') ? [] : ['-H', `unix://${localSocket}`];
  const handed = view.listeners.some(({ kind }) => kind === 'fd') ? [] : ['-H', 'fd://'];
  return [
    textFile(listen, renderListenScript(Math.max(1, desired.listen.length)), '0755'),
    ...unitFiles({ ...context, start: [listen], hosts: [...handed, ...local] }),
  ];
}

/** The settings file with our flags appended, and without the administrator's flags that ours replace. */
function scriptFiles(input: DaemonFiles): FileChange[] {
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

/** Our socket and service, and the links that start them at boot; Podman's own units stay unchanged. */
function podmanFiles({ facts, desired }: DaemonFiles): FileChange[] {
  const { service, sockets } = kindOf(facts);
  const { units, socket, socketWants } = facts.places;
  const condition = `${units}/${service}`;
  return [
    textFile(socket, renderSocketUnit(desired.listen, desired.port, { service, condition })),
    link(socketWants, `../${sockets.tls}`),
    ...podmanService(facts, renderPodmanService(facts.docker.binary)),
  ];
}

function podmanService(facts: HostFacts, text: string): FileChange[] {
  const { service } = kindOf(facts);
  const { units } = facts.places;
  return [textFile(`${units}/${service}`, text), link(`${units}/multi-user.target.wants/${service}`, `../${service}`)];
}

/** Files of the daemon behind a listener: our service, if the engine has none of its own that a listener could use. */
export function filesBehind(facts: HostFacts, { group = 'root' }: DesiredListener): FileChange[] {
  return kindOf(facts).engine.apart ? podmanService(facts, renderPodmanApi(facts.docker.binary, group)) : [];
}

/**
 * A settings file without our lines. Needed if the host's records were lost and a later setup took the file with our lines as the original.
 */
export function withoutOurLines(change: FileChange): FileChange {
  if (change.kind !== 'file' || change.after === undefined || !/^\/etc\/(default|conf\.d)\/docker$/.test(change.path))
    return change;
  const after = withoutOurs(change.after);
  return after === change.after ? change : { ...change, after, copy: undefined };
}
