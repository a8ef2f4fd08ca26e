/** Answers of `ssh -G`, asked once for each destination. */

import { type Stats, statSync } from 'node:fs';
import { installHereHint } from '../../../core/domain/dockerd/install-hints.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { whyNotRead } from '../../../core/named-file.ts';
import type { SshOptions } from '../../../core/runtime.ts';
import { loginName, osReleaseHere } from '../../../core/user.ts';
import { DockerTlsError, printableLines } from '../../../errors/errors.ts';
import { runSsh } from './ssh-program.ts';

/** Values by lower-case keyword. */
export type ConfigValues = ReadonlyMap<string, readonly string[]>;

/** The lines of `ssh -G` (ssh_config(5)) as lists of values by lower-case keyword. */
export function parseSshG(text: string): ConfigValues {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space <= 0) continue;
    const key = line.slice(0, space).toLowerCase();
    values.set(key, [...(values.get(key) ?? []), line.slice(space + 1).trim()]);
  }
  return values;
}

const answers = new Map<string, { readonly at: number; readonly value: Promise<ConfigValues> }>();
/** `status --watch` runs for days, and the configuration may change. */
const KEPT_MS = 60_000;

/** The configuration for the destination; empty without ssh. Errors: E_SSH_CONFIG, E_INTERRUPTED. */
export async function askConfig(options: SshOptions): Promise<ConfigValues> {
  // ssh does not run for a user without a login name, who cannot have a configuration either.
  if (options.configFile === undefined && loginName() === undefined) return new Map();
  requireFile(options);
  const key = JSON.stringify(wordsFor(options));
  const known = answers.get(key);
  // If the first caller was interrupted, each other one asks again.
  if (known !== undefined && performance.now() - known.at < KEPT_MS) return known.value.catch(() => ask(options));
  const value = ask(options);
  answers.set(key, { at: performance.now(), value });
  value.catch(() => answers.delete(key));
  return value;
}

/** Rejects a pipe: ssh would wait for it forever. */
function requireFile({ configFile, host }: SshOptions): void {
  if (configFile === undefined || configFile === '/dev/null') return;
  const hints = [`ls -ld ${shellQuote(configFile)}`];
  let found: Stats | undefined;
  try {
    found = statSync(configFile, { throwIfNoEntry: false });
  } catch (cause) {
    const message = `--ssh-config ${configFile} cannot be read: ${whyNotRead(cause)}`;
    throw new DockerTlsError('E_SSH_CONFIG', message, { where: host, hints, cause });
  }
  if (found === undefined || found.isFile()) return;
  throw new DockerTlsError('E_SSH_CONFIG', `--ssh-config ${configFile} is not a file`, { where: host, hints });
}

function wordsFor({ configFile, user, port, destination }: SshOptions): string[] {
  return [
    '-G',
    ...(configFile === undefined ? [] : ['-F', configFile]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    '--',
    destination,
  ];
}

async function ask(options: SshOptions): Promise<ConfigValues> {
  const words = wordsFor(options);
  const result = await runSsh(words, options);
  if (result.status === 0) return parseSshG(result.stdout);
  if (result.status === 'missing') {
    if (options.configFile === undefined) return new Map();
    throw new DockerTlsError(
      'E_SSH_CONFIG',
      `${options.configFile} can be read by the ssh program only, and there is none`,
      { where: options.host, hints: [installHereHint(osReleaseHere(), ['openssh-client'])] },
    );
  }
  // CanonicalizeHostname, with CanonicalizeFallbackLocal no.
  if (/^ssh: Could not resolve host/im.test(result.stderr))
    throw new DockerTlsError(
      'E_SSH_NAME',
      `no address is known for ${options.destination} in the domains that the ssh configuration names (CanonicalDomains)`,
      {
        where: options.host,
        hints: [`give the whole name, or see: ${['ssh', ...words].map(shellQuote).join(' ')}`],
      },
    );
  throw new DockerTlsError('E_SSH_CONFIG', 'ssh does not accept its configuration', {
    where: options.host,
    details: printableLines(result.stderr, 5),
    hints: [['ssh', ...words].map(shellQuote).join(' ')],
  });
}
