/** Settings that the daemon has not read yet: the restart of a change would be their first test. */

import type { DockerTlsError } from '../../../errors/errors.ts';
import { printable } from '../../../errors/errors.ts';
import { parseFlags } from '../dockerd/command-line.ts';
import { parseDaemonJson } from '../dockerd/daemon-json.ts';
import { flagged } from '../dockerd/daemon-options.ts';
import { hasOurName } from '../dockerd/drop-in.ts';
import { flagOfKey, keyOfFlag } from '../dockerd/flags.ts';
import { type Json, textAt, textsAt } from '../json.ts';
import { type Login, sudoCommand } from '../quote.ts';
import { listWords } from '../words.ts';
import { isTlsFlag, viewDaemon } from './daemon-view.ts';
import type { HostFacts } from './facts.ts';
import { kindOf } from './host-kind.ts';
import type { HostPlan } from './plan-host.ts';
import { problem } from './preflight-config.ts';

/** dockerd starts with any value of these that `dockerd --validate` accepts. */
const HARMLESS = new Set(
  `debug experimental insecure-registries labels live-restore log-level max-concurrent-downloads max-concurrent-uploads
    max-download-attempts raw-logs registry-mirrors shutdown-timeout`.split(/\s+/),
);

/** Settings that `docker info` shows: whether the running daemon uses a value. */
const SHOWN: Readonly<Record<string, (value: Json, info: Json) => boolean>> = {
  'authorization-plugins': (value, info) => textsAt(value).join() === textsAt(info, 'Plugins', 'Authorization').join(),
  'data-root': isDataRoot,
  'default-runtime': (value, info) => value === textAt(info, 'DefaultRuntime'),
  graph: isDataRoot,
  'log-driver': (value, info) => value === textAt(info, 'LoggingDriver'),
  'seccomp-profile': (value, info) =>
    textsAt(info, 'SecurityOptions').includes(`name=seccomp,profile=${String(value)}`),
  'storage-driver': (value, info) => value === textAt(info, 'Driver'),
};

/** With userns-remap it is in a subdirectory. */
function isDataRoot(value: Json, info: Json): boolean {
  const [wanted, used] = [String(value).replace(/\/+$/, ''), textAt(info, 'DockerRootDir')];
  return used === wanted || used.startsWith(`${wanted}/`);
}

/** Settings, each with its location, that the running daemon does not use and that may prevent dockerd from starting. */
export function unreadSettings(facts: HostFacts): string[] {
  const { unit } = facts.docker;
  if (unit.active !== 'active' || !kindOf(facts).engine.configurable) return [];
  return [...unreadKeys(facts), ...unreadFlags(facts)];
}

/** Settings of a daemon.json that was edited after the daemon started. The daemon has read the values of our own changes. */
function unreadKeys(facts: HostFacts): string[] {
  const { configFile, configName, json } = viewDaemon(facts);
  const { edited, info, reloaded } = facts.docker;
  if (configName !== facts.places.daemonJson || !edited?.includes(configName)) return [];
  const ours = facts.generations.get(facts.state?.generation ?? 0)?.get(configFile)?.content;
  const read = parseDaemonJson(ours).values;
  return Object.entries(json.values)
    .filter(([key, value]) => {
      if (HARMLESS.has(key) || JSON.stringify(read[key]) === JSON.stringify(value)) return false;
      // A reload counts as read; `docker info` shows for some keys whether dockerd applied them.
      return SHOWN[key] === undefined ? !reloaded : !SHOWN[key](value, info);
    })
    .map(([key]) => `"${printable(key)}" in ${configName}`);
}

/** Settings of the command line and its variables. If our drop-in replaced the line, a manual restart would read the same one. */
function unreadFlags(facts: HostFacts): string[] {
  const { cmdline, unit } = facts.docker;
  if (cmdline.length < 2) return [];
  const running = {
    flags: parseFlags(cmdline.slice(1).map((text) => ({ raw: text, text }))),
    json: parseDaemonJson(''),
  };
  const { flags, variables } = viewDaemon(facts);
  const given = unit.dropIns.some(hasOurName) ? variables.flatMap((variable) => variable.flags) : flags;
  const unread = given.filter((flag) => {
    const key = keyOfFlag(flag.name.slice(2));
    // Expansions of systemd are unknown.
    const known = flag.words.every(({ text }) => !/[%$]/.test(text));
    const ours = isTlsFlag(flag) || key === 'hosts' || HARMLESS.has(key);
    return known && !ours && !flagged(running, key).includes(flag.value ?? 'true');
  });
  return [...new Set(unread.map(({ name }) => flagOfKey(keyOfFlag(name.slice(2)))))];
}

/** The administrator must test unread settings first, or accept them: a rollback would need them too. */
export function unreadProblem(host: string, login: Login, facts: HostFacts, plan: HostPlan): DockerTlsError[] {
  const names = plan.daemon.action !== 'restart' ? [] : unreadSettings(facts);
  if (names.length === 0) return [];
  const { commands, service } = kindOf(facts);
  const asks = Number.parseInt(facts.docker.version, 10) >= 23 && names.some((name) => name.startsWith('"'));
  return [
    problem(
      host,
      'E_SETTINGS_UNREAD',
      `${service} has not read ${listWords(names)} since it started: if dockerd does not start with ${names.length === 1 ? 'it' : 'them'}, no rollback can start it either`,
      [
        ...(asks
          ? [
              `check the file (this does not find everything): ${sudoCommand(login, facts.docker.binary, '--validate', '--config-file', facts.places.daemonJson)}`,
            ]
          : []),
        `let it start with them first (containers stop for that unless live-restore is on): ${sudoCommand(login, ...commands.restart)}`,
        'or let this change be the first start with them: --allow-unread-settings',
      ],
    ),
  ];
}
