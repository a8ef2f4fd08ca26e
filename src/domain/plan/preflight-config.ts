/** Owns what stands against a change in the daemon's own configuration file, and the making of problems and hints that all checks share. */

import type { ErrorCode } from '../../errors/catalogue.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { flagValues } from '../dockerd/command-line.ts';
import { lineOfKey } from '../dockerd/daemon-json.ts';
import { flagOfKey, isMerged } from '../dockerd/flags.ts';
import { type Login, sudoCommand } from '../quote.ts';
import { type DaemonView, isTlsFlag } from './daemon-view.ts';
import { fileText, type HostFacts } from './facts.ts';
import type { PreflightInput } from './preflight.ts';

/** A problem of a host, found before anything changes. */
export function problem(
  host: string,
  code: ErrorCode,
  message: string,
  hints: readonly string[],
  details: readonly string[] = [],
): DockerTlsError {
  return new DockerTlsError({ code, message, where: host, hints, details });
}

/** Commands that edit a setting of the daemon where it is: a file of the administrator's, the packaged unit, or one beside a packaged drop-in. */
export function editAt(login: Login, path: string, facts: HostFacts): string[] {
  const edit = (...words: readonly string[]): string => sudoCommand({ ...login, terminal: true }, ...words);
  if (!path.startsWith('/etc/')) {
    const flags = path === facts.docker.unit.fragment ? ['--full'] : [];
    return [edit('systemctl', 'edit', ...flags, 'docker.service')];
  }
  const isUnit = path.startsWith('/etc/systemd/');
  return [edit('vi', path), ...(isUnit ? [sudoCommand(login, 'systemctl', 'daemon-reload')] : [])];
}

/** Where a flag of the daemon is set: in a variable, or on the unit's command line. */
export function placeOf(view: DaemonView, flag: string, facts: HostFacts): { path: string; words: string } {
  const variable = view.variables.find((one) => flagValues(one.flags, flag).length > 0);
  const { path, line } = variable ?? view.execStart ?? { path: facts.docker.unit.fragment, line: 1 };
  return { path, words: `${variable ? `${variable.name} of ` : ''}${path}:${line}` };
}

/** The configuration file: one that dockerd would start with, and that can be edited and kept. */
export function checkDaemonJson({ host, login, facts }: PreflightInput, view: DaemonView): DockerTlsError[] {
  const path = view.configFile;
  if (view.json.error) {
    return [
      problem(
        host,
        'E_DAEMON_JSON',
        `${path}:${view.json.error.line}: not valid JSON (${view.json.error.reason}); dockerd will not start with it`,
        [`fix that line, then check it: ${sudoCommand(login, 'python3', '-m', 'json.tool', path)}`],
      ),
    ];
  }
  const lies = facts.files.get(path);
  if (lies?.kind !== 'file' && lies?.kind !== 'absent') {
    const name = view.configName === path ? path : `${view.configName} leads to ${path}, which`;
    return [
      problem(
        host,
        'E_CONFIG_FILE',
        lies === undefined
          ? `the daemon's configuration file ${path} could not be looked at`
          : `${name} is ${lies.kind === 'link' ? 'a link that leads nowhere' : 'no file, or one that cannot be read or is larger than 1 MiB'}: what the daemon reads there cannot be kept`,
        [`put a file there, or take it away: ${sudoCommand(login, 'ls', '-l', view.configName)}`],
      ),
    ];
  }
  const text = fileText(facts, path) ?? '';
  const found: DockerTlsError[] = [];
  // The one wrong value that `dockerd --validate` lets through and that is seen often. A plugin's name may hold `/` or `:`.
  const driver = view.json.values['log-driver'];
  const known = facts.docker.logDrivers;
  if (
    typeof driver === 'string' &&
    known.length > 0 &&
    driver !== 'none' &&
    !/[/:]/.test(driver) &&
    !known.includes(driver)
  ) {
    found.push(
      problem(
        host,
        'E_DAEMON_JSON',
        `${path}:${lineOfKey(text, 'log-driver')}: this daemon has no log driver "${driver}": it would not start again`,
        [`it has ${known.join(', ')}: fix that line in ${path}`],
      ),
    );
  }
  for (const key of Object.keys(view.json.values)) {
    const flag = flagOfKey(key);
    // Ours to resolve: the keys are taken out of daemon.json.
    if (isTlsFlag({ name: flag, value: undefined, words: [] })) continue;
    if (isMerged(key) || flagValues(view.flags, flag).length === 0) continue;
    const where = placeOf(view, flag, facts);
    found.push(
      problem(
        host,
        'E_CONFLICT',
        `"${key}" stands in ${path}:${lineOfKey(text, key)} and as ${flag} in ${where.words}: dockerd refuses to start with both`,
        [`take one of them out of its file: ${editAt(login, path, facts)[0]}`, ...editAt(login, where.path, facts)],
      ),
    );
  }
  return found;
}
