/** Preflight of the daemon's configuration file, and constructors of problems and hints for all checks. */

import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { flagValues } from '../dockerd/command-line.ts';
import { lineOfKey } from '../dockerd/daemon-json.ts';
import { givenTwice } from '../dockerd/daemon-options.ts';
import { flagOfKey } from '../dockerd/flags.ts';
import { installHint } from '../dockerd/install-hints.ts';
import { type Login, sudoCommand } from '../quote.ts';
import type { HostSpec } from '../settings.ts';
import { type DaemonView, isTlsFlag } from './daemon-view.ts';
import { fileText, type HostFacts } from './facts.ts';
import { kindOf } from './host-kind.ts';
import type { HostPlan } from './plan-host.ts';

/** A problem of a host, found before any change. */
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
  /** Login for the commands in hints. */
  readonly login: Login;
  readonly facts: HostFacts;
  /** Milliseconds that the host's clock is ahead of ours (negative: behind), without the round trip. */
  readonly skewMs: number;
  /** Local time, for locks. */
  readonly nowMs: number;
  /** 0: none. */
  readonly port: number;
  /** The listener that is wanted, before there is a plan. Absent: the one that the host has. */
  readonly listener?: HostSpec['listener'] | undefined;
  /** Absent if the facts do not allow a plan. */
  readonly plan?: HostPlan;
};

/** Arguments of each check: the preflight's input, and a sink for problems. */
export type Preflight = PreflightInput & {
  readonly add: (code: ErrorCode, message: string, hints: DockerTlsError['hints']) => void;
};

/** Commands that edit a daemon setting in its file: an administrator's file, the packaged unit, or an override of a packaged drop-in. */
export function editAt(login: Login, path: string, facts: HostFacts): string[] {
  const edit = (...words: readonly string[]): string => sudoCommand({ ...login, terminal: true }, ...words);
  const install = facts.editor === '' ? [installHint(login, facts.distribution, ['nano'])] : [];
  const { fragment, dropIns } = facts.docker.unit;
  // A packaged file: an administrator's copy overrides it.
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

/** Location of a daemon flag: in a variable, or on the unit's command line. */
export function placeOf(view: DaemonView, flag: string, facts: HostFacts): { path: string; words: string } {
  const variable = view.variables.find((one) => flagValues(one.flags, flag).length > 0);
  const { path, line } = variable ?? view.execStart ?? { path: facts.docker.unit.fragment, line: 1 };
  return { path, words: `${variable ? `${variable.name} of ` : ''}${path}:${line}` };
}

/** Requires a configuration file that dockerd accepts, and that docker-tls can edit and back up. */
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
    const name = configName === path ? path : `${configName} (a link to ${path})`;
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
  // The only wrong value that is common and that `dockerd --validate` accepts. A plugin's name may contain `/` or `:`.
  const driver = json.values['log-driver'];
  const known = facts.docker.logDrivers;
  const isPlugin = driver === 'none' || /[/:]/.test(String(driver));
  if (typeof driver === 'string' && known.length > 0 && !isPlugin && !known.includes(driver))
    add(
      'E_DAEMON_JSON',
      `${path}:${lineOfKey(text, 'log-driver')}: this daemon has no log driver "${driver}": it would not start again`,
      [`it has ${known.join(', ')}: fix that line in ${path}`],
    );
  // dockerd validates with live-restore enabled for the restart, so it does not see these values. Before 23.0 it accepts any bytes.
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
    // docker-tls resolves this conflict: it removes the keys from daemon.json.
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
