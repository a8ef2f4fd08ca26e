/** Validation by dockerd of a new configuration, before anything changes. */

import { shellQuote } from '../quote.ts';
import { parseCommandLine, parseFlags, variableOf } from './command-line.ts';
import { splitWords } from './unit.ts';

type Validation = {
  readonly execStart: string;
  /** Values of the variables in the command line. */
  readonly variables: Readonly<Record<string, string>>;
  readonly version: string;
  readonly configFile: string;
  /** Path of the new configuration file before the switch. */
  readonly stagedConfigFile: string | undefined;
  readonly configExists: boolean;
  readonly configSetsPidfile: boolean;
  /** The configuration file names our credentials; otherwise flags do. */
  readonly configNamesCredentials: boolean;
  /** Directory in flags or configuration file, and the directory of the same files before the switch. */
  readonly credentialsBefore: string;
  readonly credentialsAfter: string;
};

/**
 * Shell command that succeeds if dockerd accepts the configuration; empty if validation is impossible.
 * Since 23.0, `--validate` does it. Before, dockerd gets a pid file that it cannot create. It reports that error only after it has accepted
 * flags and daemon.json, and before it touches anything (moby 20.10, cmd/dockerd/daemon.go, `start`).
 */
export function validationCommand(validation: Validation): string {
  const line = parseCommandLine(validation.execStart, (name) => validation.variables[name]);
  if (line === undefined || validation.version === '') return '';
  // systemd's own PATH is unknown.
  if (line.head.some(({ raw }) => /^["']?PATH=.*\$/.test(raw))) return '';
  const words: string[] = [];
  for (const flag of line.flags) {
    const name = variableOf(flag);
    if (name !== undefined) {
      words.push(...splitWords(validation.variables[name] ?? '').map((word) => word.text));
      continue;
    }
    for (const word of flag.words) {
      // Only systemd can expand specifiers other than %%.
      if (/%[^%]/.test(word.text.replaceAll('%%', ''))) return '';
      words.push(
        word.text
          .replaceAll('%%', '%')
          .replaceAll(`${validation.credentialsBefore}/`, `${validation.credentialsAfter}/`),
      );
    }
  }
  const flags = parseFlags(words.map((text) => ({ raw: text, text }))).filter((flag) => flag.name !== '--config-file');
  const kept = flags.filter((flag) => flag.name !== '--pidfile').flatMap((flag) => flag.words.map((word) => word.text));
  const config = validation.stagedConfigFile ?? (validation.configExists ? validation.configFile : undefined);
  const start = line.environment.length > 0 ? ['env', ...line.environment, line.program] : [line.program];
  const { credentialsBefore, credentialsAfter } = validation;
  const staged =
    config !== undefined && validation.configNamesCredentials
      ? {
          pipe: `${['sed', `s|${credentialsBefore}/|${credentialsAfter}/|g`, config].map(shellQuote).join(' ')} | `,
          path: '/dev/stdin',
        }
      : { pipe: '', path: config };
  const asked = [
    'timeout',
    '20',
    ...start,
    ...kept,
    ...(staged.path === undefined ? [] : ['--config-file', staged.path]),
  ];
  const command = `${staged.pipe}${asked.map(shellQuote).join(' ')}`;
  if (Number.parseInt(validation.version, 10) >= 23) return `${command} --validate`;
  if (validation.configSetsPidfile) return '';
  return `out=$(${command} --pidfile /proc/docker-tls/pid 2>&1); case $out in *"/proc/docker-tls"*) exit 0 ;; esac; printf '%s\\n' "$out"; exit 1`;
}
