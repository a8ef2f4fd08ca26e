/** Obstacles in the daemon's own configuration file, and the making of problems and hints that all checks share. */

import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { flagValues } from '../dockerd/command-line.ts';
import { lineOfKey } from '../dockerd/daemon-json.ts';
import { flagOfKey } from '../dockerd/flags.ts';
import { givenTwice } from '../dockerd/options.ts';
import { installHint } from '../dockerd/packages.ts';
import { type Login, sudoCommand } from '../quote.ts';
import { type DaemonView, isTlsFlag } from './daemon-view.ts';
import { fileText, type HostFacts } from './facts.ts';
import { kindOf } from './host-kind.ts';
import type { HostPlan } from './plan.ts';

/** A problem of a host, found before anything changes. */
export function problem(
  host: string,
  code: ErrorCode,
  message: string,
  hints: DockerTlsError['hints'],
  details: readonly string[] = [],
): DockerTlsError {
  return new DockerTlsError(code, message, { where: host, hints, details });
}

export type PreflightInput = {
  readonly host: string;
  /** For the commands in hints. */
  readonly login: Login;
  readonly facts: HostFacts;
  /** How far the host's clock is ahead of ours (negative: behind), in milliseconds, round trip taken off. */
  readonly skewMs: number;
  /** Our own time, for locks. */
  readonly nowMs: number;
  readonly port: number;
  /** Absent where the facts do not allow a plan. */
  readonly plan?: HostPlan;
};

/** What each check gets: the input of the preflight, and where the problems go that it finds. */
export type Preflight = PreflightInput & {
  readonly add: (code: ErrorCode, message: string, hints: DockerTlsError['hints']) => void;
};

/** Commands that edit a setting of the daemon where it is: a file of the administrator's, the packaged unit, or one beside a packaged drop-in. */
export function editAt(login: Login, path: string, facts: HostFacts): string[] {
  const edit = (...words: readonly string[]): string => sudoCommand({ ...login, terminal: true }, ...words);
  const install = facts.editor === '' ? [installHint(login, facts.distribution, ['nano'])] : [];
  const { fragment, dropIns } = facts.docker.unit;
  // What a package owns: an administrator's copy takes its place.
  if ([fragment, ...dropIns].includes(path) && !/^\/etc\//.test(path) && !path.startsWith(`${facts.places.units}/`)) {
    const flags = path === fragment ? ['--full'] : [];
    return [...install, edit(...kindOf(facts).systemctl, 'edit', ...flags, kindOf(facts).service)];
  }
  const isUnit = path.startsWith(`${facts.places.units}/`);
  return [
    ...install,
    edit(printable(facts.editor) || 'nano', path),
    ...(isUnit ? [sudoCommand(login, ...kindOf(facts).systemctl, 'daemon-reload')] : []),
  ];
}

/** Where a flag of the daemon is set: in a variable, or on the unit's command line. */
export function placeOf(view: DaemonView, flag: string, facts: HostFacts): { path: string; words: string } {
  const variable = view.variables.find((one) => flagValues(one.flags, flag).length > 0);
  const { path, line } = variable ?? view.execStart ?? { path: facts.docker.unit.fragment, line: 1 };
  return { path, words: `${variable ? `${variable.name} of ` : ''}${path}:${line}` };
}

/** The configuration file: one that dockerd would start with, and that can be edited and kept. */
export function checkDaemonJson({ login, facts, add }: Preflight, view: DaemonView): void {
  const { configFile: path, configName, json } = view;
  const at = facts.files.get(path);
  const [error] = json.errors;
  if (error) {
    add('E_DAEMON_JSON', `${path}:${error.line}: not valid JSON (${error.reason}); dockerd will not start with it`, [
      `fix that line, then check it: ${sudoCommand(login, 'python3', '-m', 'json.tool', path)}`,
    ]);
    return;
  }
  if (at?.kind !== 'file' && at?.kind !== 'absent') {
    const name = configName === path ? path : `${configName} leads to ${path}, which`;
    const flaw = at?.kind === 'link' ? 'a dangling link' : 'not a file, or cannot be read, or is larger than 1 MiB';
    add(
      'E_CONFIG_FILE',
      at === undefined
        ? `the daemon's configuration file ${path} could not be read`
        : `${name} is ${flaw}: what the daemon reads there cannot be kept`,
      [`put a file there, or take it away: ${sudoCommand(login, 'ls', '-l', configName)}`],
    );
    return;
  }
  const text = fileText(facts, path) ?? '';
  // The one wrong value that `dockerd --validate` lets through and that is seen often. A plugin's name may hold `/` or `:`.
  const driver = json.values['log-driver'];
  const known = facts.docker.logDrivers;
  const isPlugin = driver === 'none' || /[/:]/.test(String(driver));
  if (typeof driver === 'string' && known.length > 0 && !isPlugin && !known.includes(driver))
    add(
      'E_DAEMON_JSON',
      `${path}:${lineOfKey(text, 'log-driver')}: this daemon has no log driver "${driver}": it would not start again`,
      [`it has ${known.join(', ')}: fix that line in ${path}`],
    );
  // Asked with live-restore on for the restart, dockerd does not see these as the file has them. Before 23.0 it takes any bytes.
  if (text.includes('\ufffd') && Number.parseInt(facts.docker.version, 10) >= 23)
    add(
      'E_DAEMON_JSON',
      `${path}:${text.slice(0, text.indexOf('\ufffd')).split('\n').length}: not UTF-8: dockerd would not start again`,
      ['write that line in UTF-8:', ...editAt(login, path, facts)],
    );
  const restore = json.values['live-restore'];
  if (restore !== undefined && restore !== null && typeof restore !== 'boolean')
    add(
      'E_DAEMON_JSON',
      `${path}:${lineOfKey(text, 'live-restore')}: live-restore is ${JSON.stringify(restore)} and not true or false: dockerd would not start again`,
      ['write true or false there:', ...editAt(login, path, facts)],
    );
  for (const key of givenTwice(view)) {
    const flag = flagOfKey(key);
    // Ours to resolve: the keys are taken out of daemon.json.
    if (isTlsFlag({ name: flag, value: undefined, words: [] })) continue;
    const where = placeOf(view, flag, facts);
    add(
      'E_CONFLICT',
      `"${key}" is set in ${path}:${lineOfKey(text, key)} and as ${flag} in ${where.words}: dockerd refuses to start with both`,
      [
        'take one of them out of its file:',
        ...new Set([...editAt(login, path, facts), ...editAt(login, where.path, facts)]),
      ],
    );
  }
}
