/** Environment variables that point docker at a host, in the syntax of shells, CI systems and programs. Pure. */

import { DockerTlsError } from '../../errors/errors.ts';
import { hasControls } from './quote.ts';

export const SHELLS = ['sh', 'bash', 'zsh', 'fish', 'powershell', 'cmd', 'tcsh', 'dotenv', 'github', 'json'] as const;
export type Shell = (typeof SHELLS)[number];

export function isShell(text: string): text is Shell {
  return (SHELLS as readonly string[]).includes(text);
}

const NAMES = ['DOCKER_HOST', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH'] as const;
type DockerVariables = Readonly<Record<(typeof NAMES)[number], string>>;

/** Lines that point a shell at a host. */
export type HostLines = {
  readonly shell: Shell;
  readonly host: string;
  readonly client: string;
  readonly variables: DockerVariables;
  readonly text: string;
};

/** Lines that take the variables away. */
export type UnsetLines = { readonly shell: Shell; readonly unset: readonly string[]; readonly text: string };

/** The configuration of a tool. */
export type ToolConfiguration = {
  readonly format: string;
  readonly hosts: readonly string[];
  readonly client: string;
  readonly text: string;
};

type EnvironmentOptions = {
  readonly shell: Shell;
  readonly variables: DockerVariables;
  /** Print lines that unset the variables (or empty them in formats without unset). */
  readonly unset?: boolean;
  /** The command that prints this text, for instance `docker-tls env build-1`, for a comment on its use. */
  readonly usage?: string;
};

/** Syntax of one format. `quote` returns undefined for a value that the format cannot express. */
type Dialect = {
  quote(value: string): string | undefined;
  set(name: string, quoted: string): string;
  unset(name: string): string;
  /** How to apply the output of `command`. */
  use?(command: string): string;
  /** A comment line; undefined for formats without comments. */
  comment?(text: string): string;
};

// POSIX XCU 2.2.2; history expansion of bash and zsh ignores single quotes.
const POSIX: Dialect = {
  quote: (value) => `'${value.replaceAll("'", `'\\''`)}'`,
  set: (name, quoted) => `export ${name}=${quoted}`,
  unset: (name) => `unset ${name}`,
  use: (command) => `eval "$(${command})"`,
  comment: (text) => `# ${text}`,
};

const DIALECTS: Readonly<Record<Exclude<Shell, 'json'>, Dialect>> = {
  sh: POSIX,
  bash: POSIX,
  zsh: POSIX,
  // fish: within single quotes, \' and \\ are the only escapes.
  fish: {
    quote: (value) => `'${value.replace(/[\\']/g, '\\$&')}'`,
    set: (name, quoted) => `set -gx ${name} ${quoted}`,
    unset: (name) => `set -e ${name}`,
    use: (command) => `${command} | source`,
    comment: (text) => `# ${text}`,
  },
  // about_Quoting_Rules: quotes are doubled, and PowerShell treats typographic quotes as quotes.
  powershell: {
    quote: (value) => `'${value.replace(/['\u2018-\u201b]/g, '$&$&')}'`,
    set: (name, quoted) => `$Env:${name} = ${quoted}`,
    unset: (name) => `Remove-Item -ErrorAction SilentlyContinue Env:${name}`,
    use: (command) => `& ${command} | Invoke-Expression`,
    comment: (text) => `# ${text}`,
  },
  // A batch file: % is doubled, the outer quotes are not part of the value and make & | < > ^ literal. Windows paths cannot contain ".
  cmd: {
    quote: (value) => (value.includes('"') ? undefined : value.replaceAll('%', '%%')),
    set: (name, quoted) => `SET "${name}=${quoted}"`,
    unset: (name) => `SET "${name}="`,
    // REM takes the rest of the line, so this is text to copy, with the percent signs of a prompt.
    use: (command) => `${command} > "%TEMP%\\docker-tls.cmd" && call "%TEMP%\\docker-tls.cmd"`,
    comment: (text) => `REM ${text}`,
  },
  // csh expands ! even within single quotes. Output of backquotes loses its newlines, hence the semicolons. In an interactive csh, #
  // does not start a comment, hence the null command.
  tcsh: {
    quote: (value) => csh(value),
    set: (name, quoted) => `setenv ${name} ${quoted};`,
    unset: (name) => `unsetenv ${name};`,
    use: (command) => `eval "\`${command}\`"`,
    comment: (text) => `: ${csh(text)};`,
  },
  // Read by docker compose, npm's dotenv and python-dotenv. docker's --env-file takes quotes literally, so values are quoted only if
  // needed.
  // GitLab's dotenv reports reject a file with comments or empty lines.
  dotenv: {
    quote: dotenvQuote,
    set: (name, quoted) => `${name}=${quoted}`,
    unset: (name) => `${name}=`,
    use: (command) => `${command} > .env`,
  },
  // The file behind $GITHUB_ENV: values are literal, comments are errors, nothing can be unset.
  github: { quote: (value) => value, set: (name, quoted) => `${name}=${quoted}`, unset: (name) => `${name}=` },
};

/**
 * The variables in the syntax of `shell`, one per line, ready to be evaluated or written to a file; ends in a newline.
 * All values are preserved exactly. Fails with E_ENV_VALUE (exit 2) for a newline or another control character, which no format can
 * express safely, and for `"` in cmd.
 */
export function renderEnvironment(options: EnvironmentOptions): string {
  const { shell, variables, unset = false, usage } = options;
  for (const name of NAMES)
    if (hasControls(variables[name])) throw unfit(name, shell, 'a newline or another control character');
  if (usage !== undefined && hasControls(usage))
    throw unfit('the command', shell, 'a newline or another control character');
  if (shell === 'json') {
    return `${JSON.stringify(Object.fromEntries(NAMES.map((name) => [name, unset ? null : variables[name]])), null, 2)}\n`;
  }
  const dialect = DIALECTS[shell];
  const lines = NAMES.map((name) => {
    if (unset) return dialect.unset(name);
    const quoted = dialect.quote(variables[name]);
    if (quoted === undefined) throw unfit(name, shell, 'a quotation mark');
    return dialect.set(name, quoted);
  });
  if (usage !== undefined && dialect.comment !== undefined) lines.push(dialect.comment(useOf(shell, usage)));
  return `${lines.join('\n')}\n`;
}

/** Command to type so that the variables printed by `command` take effect. */
export function useOf(shell: Exclude<Shell, 'json'>, command: string): string {
  return DIALECTS[shell].use?.(command) ?? command;
}

/**
 * The shell that most likely reads our output: the login shell from SHELL. On Windows, PowerShell or cmd, by the entries that PowerShell
 * adds to its module path. `sh` if unknown.
 */
export function detectShell(
  env: Readonly<Record<string, string | undefined>>,
): 'sh' | 'fish' | 'tcsh' | 'powershell' | 'cmd' {
  const login = (env.SHELL ?? '')
    .split(/[\\/]/)
    .at(-1)
    ?.toLowerCase()
    .replace(/\.exe$/, '');
  if (login === 'fish') return 'fish';
  if (login === 'csh' || login === 'tcsh') return 'tcsh';
  if (login === 'pwsh' || login === 'powershell') return 'powershell';
  if (login) return 'sh';
  if (env.OS !== 'Windows_NT' && env.ComSpec === undefined) return 'sh';
  // cmd has only the system's module paths; PowerShell puts the user's first.
  const paths = (env.PSModulePath ?? '').split(';');
  return paths.some(
    (path) =>
      /\\(?:Windows)?PowerShell\\Modules\\?$/i.test(path) && !/\\(?:Program Files|Windows\\system32)\\/i.test(path),
  )
    ? 'powershell'
    : 'cmd';
}

function csh(value: string): string {
  return `'${value.replaceAll("'", `'\\''`).replaceAll('!', '\\!')}'`;
}

function dotenvQuote(value: string): string {
  if (/^[\p{L}\p{N}_@%+=:,./~[\]-]*$/u.test(value)) return value;
  if (!value.includes("'")) return `'${value}'`;
  return `"${value.replace(/[\\"$`]/g, '\\$&')}"`;
}

function unfit(what: string, shell: Shell, why: string): DockerTlsError {
  return new DockerTlsError('E_ENV_VALUE', `${what} holds ${why}, which cannot be written for ${shell}`, {
    hints: [
      'choose a --home directory without such characters',
      ...(shell === 'cmd' ? ['docker-tls env --shell powershell HOST'] : []),
    ],
  });
}
